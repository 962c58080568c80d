#!/usr/bin/env bash
# Prints a program's bill of materials as SPDX 2.3 JSON: write-sbom.sh BUILD_DIRECTORY PROGRAM SHARED_LIBRARY…
#
# Nothing is listed by hand: the headers are those that the compiler read (Ninja keeps them), the archives those on the
# link line, the shared libraries those that the image carries; Debian's package manager knows whose each file is. Two
# runs print the same bytes.
set -euo pipefail

build=$1 program=$2
shift 2
name=$(basename "$program")
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")

list_files() {
  ninja -C "$build" -t deps | sed -n 's/^ \+\(\/usr\/.*\)/\1/p'
  ninja -C "$build" -t commands "$program" | tail -n 1 | tr ' ' '\n' | grep -E '^/.*\.(a|so)(\.[0-9.]+)?$' || true
  printf '%s\n' "$@"
  echo /usr/share/ca-certificates # all of the bundle's certificates
}

# By its real name, since dpkg knows no file by two: /lib is a link to /usr/lib, libx.so one to libx.so.3.
list_packages() {
  list_files "$@" | sort -u | xargs -r realpath -e -q | sort -u | xargs -r dpkg-query --search 2>/dev/null |
    sed 's/: .*//' | tr ',' '\n' | tr -d ' ' | sort -u
}

created=$(date -u -d "@${SOURCE_DATE_EPOCH:-0}" +%Y-%m-%dT%H:%M:%SZ)
cat <<JSON
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "$name-$version",
  "documentNamespace": "https://cloudvalkey.dev/spdx/$name-$version",
  "creationInfo": {"created": "$created", "creators": ["Tool: write-sbom.sh"]},
  "packages": [
    {"SPDXID": "SPDXRef-$name", "name": "$name", "versionInfo": "$version", "downloadLocation": "NOASSERTION", "filesAnalyzed": false, "licenseConcluded": "MIT"}
JSON
ids=()
while read -r package architecture package_version source source_version; do
  id=SPDXRef-$(tr -c 'A-Za-z0-9.\n' - <<<"$package-$architecture")
  ids+=("$id")
  printf '    ,{"SPDXID": "%s", "name": "%s", "versionInfo": "%s", "sourceInfo": "built from Debian source package %s %s", "downloadLocation": "NOASSERTION", "filesAnalyzed": false, "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/%s@%s?arch=%s&distro=debian-13"}]}\n' \
    "$id" "$package" "$package_version" "$source" "$source_version" \
    "$(sed 's/+/%2B/g' <<<"$package")" "$(sed 's/+/%2B/g; s/:/%3A/g' <<<"$package_version")" "$architecture"
done < <(list_packages "$@" | xargs dpkg-query --show \
  --showformat '${Package} ${Architecture} ${Version} ${source:Package} ${source:Version}\n' | sort -u)
[ ${#ids[@]} -gt 0 ] || { echo "write-sbom.sh: found no library, which cannot be" >&2; exit 70; }
echo '  ],'
echo '  "relationships": ['
echo "    {\"spdxElementId\": \"SPDXRef-DOCUMENT\", \"relationshipType\": \"DESCRIBES\", \"relatedSpdxElement\": \"SPDXRef-$name\"}"
printf "    ,{\"spdxElementId\": \"SPDXRef-$name\", \"relationshipType\": \"DEPENDS_ON\", \"relatedSpdxElement\": \"%s\"}\n" "${ids[@]}"
echo '  ]'
echo '}'
