#!/usr/bin/env bash
# Builds each image from the sources as they are, and once more without any cache: the digests have to be the same.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
status=0
for part in proxy operator; do
  read -r _ first < <(scripts/image.sh "$part")
  read -r _ second < <(CVP_IMAGE_FRESH=1 scripts/image.sh "$part")
  echo "cloud-valkey-$part: $first, then $second"
  [ -n "$first" ] && [ "$first" = "$second" ] || { echo "cloud-valkey-$part: two builds differ" >&2; status=1; }
done
exit $status
