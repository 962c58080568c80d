#!/usr/bin/env bash
# Builds an image from its Dockerfile, without Docker and without a registry: image.sh proxy|operator|emulator [amd64|arm64]
#
#   CVP_IMAGE_FRESH=1    compile and assemble everything anew, to compare digests
#
# One whose sources are those of the archive that is there is not built again. arm64 is compiled across.
#
# buildah runs the Dockerfile; its base is a Debian 13 of scripts/trixie-root.sh, from Debian's packages. Leaves
# build/image/NAME-ARCH.tar (an OCI archive), .digest and .spdx.json. What was compiled is kept between runs in
# ${XDG_CACHE_HOME:-~/.cache}, as are the bases, in a storage of its own. Needs root, for the build stage's chroot.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { echo "image.sh: $*" >&2; }

part=${1:-} arch=${2:-amd64}
case "$part" in
  proxy | operator) dockerfile=Dockerfile.$part ignored=.dockerignore ;;
  emulator) dockerfile=tests/emulator/Dockerfile ignored=$dockerfile.dockerignore ;;
  *) part= ;;
esac
case "$part-$arch" in
  -* | *-) say "usage: image.sh proxy|operator|emulator [amd64|arm64]"; exit 64 ;;
  *-amd64 | *-arm64) ;;
  *) say "unknown architecture $arch: amd64 or arm64"; exit 64 ;;
esac
name=cloud-valkey-$part
out=$PWD/build/image
mkdir -p "$out"
# shellcheck source=scripts/image_storage.sh
source scripts/image_storage.sh

# What is native is compiled in a root that has everything; across, Debian's arm64 packages are added to a bare one,
# because some of them exclude their amd64 twins.
kind=build
[ "$arch" = "$(dpkg --print-architecture)" ] || kind=base
base=$(base_image $kind)
more=()
[ "$part" != emulator ] || more=(--build-arg RUNTIME="$(base_image base)")

version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
key=$({
  echo "$arch $base $version"
  cat "$dockerfile"
  # shellcheck disable=SC2046  # a list of paths
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go= -c $(sed -n 's/^!//p' "$ignored")
} | sha256sum)
say_done() { echo "$out/$name-$arch.tar $(cat "$out/$name-$arch.digest")"; }
if [ -z "${CVP_IMAGE_FRESH:-}" ] && [ "$key" = "$(cat "$out/$name-$arch.key" 2>/dev/null)" ] &&
  in_storage images --quiet "localhost/$name:$arch" >/dev/null 2>&1; then
  say_done
  exit
fi
rm -f "$out/$name-$arch".*

ccache=$cache/trixie-ccache
if [ -n "${CVP_IMAGE_FRESH:-}" ]; then
  ccache=$(mktemp -d "$cache/fresh-ccache.XXXXXX")
  trap 'rm -rf "$ccache"' EXIT
fi
mkdir -p "$ccache"
# Without layers: what is kept of a build stage would soon be gigabytes, and ccache does as well.
# One time stamp for all files and for the image itself: two builds of one source are one digest. BUILDPLATFORM is what
# Docker sets by itself.
in_storage bud --isolation chroot --network host --pull-never --layers=false --signature-policy "$policy" --format oci \
  --timestamp 0 --volume "$ccache:/ccache" --build-arg BASE="$base" --build-arg VERSION="$version" \
  --build-arg BUILDPLATFORM="linux/$(dpkg --print-architecture)" --platform "linux/$arch" "${more[@]}" \
  --file "$dockerfile" --ignorefile "$ignored" --tag "localhost/$name:$arch" . >&2
in_storage rmi --prune >/dev/null # what the tag named before
in_storage push --quiet --signature-policy "$policy" "localhost/$name:$arch" "oci-archive:$out/$name-$arch.tar:$version"
tar -xOf "$out/$name-$arch.tar" index.json | sed 's/.*"digest":"\([^"]*\)".*/\1/' >"$out/$name-$arch.digest"
if [ "$part" != emulator ]; then
  container=$(in_storage from --pull-never --signature-policy "$policy" "localhost/$name:$arch")
  cp "$(in_storage mount "$container")/sbom.spdx.json" "$out/$name-$arch.spdx.json"
  in_storage rm "$container" >/dev/null
fi
echo "$key" >"$out/$name-$arch.key"
say_done
