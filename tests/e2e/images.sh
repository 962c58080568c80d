#!/usr/bin/env bash
# Makes every image that tests/e2e uses, as archives: images.sh DIRECTORY
#
# Those of the product are as scripts/image.sh makes them; "next" is the same with another label, so another digest.
set -euo pipefail
out=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/image_storage.sh
source scripts/image_storage.sh
arch=$(dpkg --print-architecture)

# archive NAME TAG LOCAL: as DIRECTORY/NAME-TAG.tar, called localhost/NAME:TAG inside.
archive() {
  local file=$out/${1//\//-}-$2.tar
  rm -f "$file"
  in_storage push --quiet --signature-policy "$policy" "$3" "oci-archive:$file:localhost/$1:$2"
}

for part in proxy operator emulator; do
  name=cloud-valkey-$part
  scripts/image.sh $part "$arch" >&2
  archive "$name" e2e "localhost/$name:$arch"
  [ $part != emulator ] || continue
  container=$(in_storage from --pull-never --signature-policy "$policy" "localhost/$name:$arch")
  in_storage config --label org.opencontainers.image.revision=next "$container"
  in_storage commit --quiet --rm --signature-policy "$policy" --format oci "$container" "localhost/$name:next" >/dev/null
  archive "$name" next "localhost/$name:next"
done
in_storage bud --isolation chroot --network host --pull-never --layers --signature-policy "$policy" --format oci \
  --build-arg BASE="$(base_image base)" --tag localhost/e2e-app:1 tests/e2e >&2
archive valkey/valkey 8.1 localhost/e2e-app:1
