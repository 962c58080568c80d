#!/usr/bin/env bash
# Builds an image from its Dockerfile, without Docker and without a registry: image.sh proxy|operator [amd64|arm64]
#
#   CVP_IMAGE_FRESH=1    compile and assemble everything anew, to compare digests
#
# arm64 is compiled across.
#
# buildah runs the Dockerfile; its base is a Debian 13 of scripts/trixie-root.sh, from Debian's packages. Leaves
# build/image/NAME-ARCH.tar (an OCI archive), .digest and .spdx.json. What was compiled is kept between runs in
# ${XDG_CACHE_HOME:-~/.cache}, as are the bases, in a storage of its own. Needs root, for the build stage's chroot.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { echo "image.sh: $*" >&2; }

part=${1:-} arch=${2:-amd64}
case "$part-$arch" in proxy-amd64 | proxy-arm64 | operator-amd64 | operator-arm64) ;;
  *) say "usage: image.sh proxy|operator [amd64|arm64]"; exit 64 ;;
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
root=$(scripts/trixie-root.sh $kind)
base=localhost/$(basename "$root"):trixie
if ! in_storage images --quiet "$base" >/dev/null 2>&1; then
  say "making the base image $base"
  container=$(in_storage from scratch)
  tar -C "$root" --one-file-system --exclude=./src --exclude=./ccache -c . | tar -C "$(in_storage mount "$container")" -x
  in_storage commit --quiet --signature-policy "$policy" --rm "$container" "$base" >/dev/null
fi

version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
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
  --build-arg BUILDPLATFORM="linux/$(dpkg --print-architecture)" --platform "linux/$arch" \
  --file "Dockerfile.$part" --tag "localhost/$name:$arch" . >&2
in_storage rmi --prune >/dev/null # what the tag named before
rm -f "$out/$name-$arch.tar"
in_storage push --quiet --signature-policy "$policy" "localhost/$name:$arch" "oci-archive:$out/$name-$arch.tar:$version"
tar -xOf "$out/$name-$arch.tar" index.json | sed 's/.*"digest":"\([^"]*\)".*/\1/' >"$out/$name-$arch.digest"
container=$(in_storage from --pull-never --signature-policy "$policy" "localhost/$name:$arch")
cp "$(in_storage mount "$container")/sbom.spdx.json" "$out/$name-$arch.spdx.json"
in_storage rm "$container" >/dev/null
echo "$out/$name-$arch.tar $(cat "$out/$name-$arch.digest")"
