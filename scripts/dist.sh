#!/usr/bin/env bash
# What a release consists of, in build/dist: archives of the programs, the chart, the CRD, the images as OCI archives
# with their SBOMs, and SHA256SUMS of all of them. The programs are built here (Debian 12: they run wherever the C library
# is 2.36 or newer), the images on Debian 13.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
tag=${GITHUB_REF_NAME:-}
case "$tag" in v*) [ "$tag" = "v$version" ] || { echo "dist.sh: the tag is $tag, CMakeLists.txt says $version" >&2; exit 64; } ;; esac
arch=$(dpkg --print-architecture)
dist=$PWD/build/dist
rm -rf "$dist"
mkdir -p "$dist"

scripts/build.sh release cloud-valkey-proxy cloud-valkey-operator kubectl-cloudvalkey
for part in proxy operator plugin; do
  name=cloud-valkey-$part-$version-linux-$arch
  cmake --install build/release --strip --component $part --prefix "build/dist-root/$name" >/dev/null
  # Sorted, owned by nobody in particular and of one time, so that two archives of one build are equal.
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C build/dist-root -c "$name" | gzip -n9 >"$dist/$name.tar.gz"
  rm -rf "build/dist-root/$name"
done

helm=$(tests/tools/build.sh helm | tail -n 1)/helm
"$helm" package charts/cloud-valkey-proxy --destination "$dist" >/dev/null
for manifest in crds/*.yaml deploy/*.yaml; do cp "$manifest" "$dist/"; done

for part in proxy operator; do
  scripts/image.sh $part amd64 >/dev/null
  cp build/image/cloud-valkey-$part-amd64.{tar,spdx.json} "$dist/"
done
(cd "$dist" && sha256sum -- * >SHA256SUMS)
ls -l "$dist"
