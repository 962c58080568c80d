#!/usr/bin/env bash
# What the cluster itself runs in containers, as archives in the folder given: images.sh STATE
set -euo pipefail
state=$1
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/cluster/layout.sh
source tests/cluster/layout.sh
# shellcheck source=scripts/image_storage.sh
source scripts/image_storage.sh

# one_program NAME PROGRAM: an image of a program that is linked statically.
one_program() {
  local name=$1 program=$2 container
  container=$(in_storage from scratch)
  in_storage copy --quiet "$container" "$program" "/$name" >/dev/null
  in_storage config --entrypoint "[\"/$name\"]" --user 65532:65532 "$container"
  in_storage commit --quiet --rm --signature-policy "$policy" --format oci "$container" "localhost/$name:1" >/dev/null
  in_storage push --quiet --signature-policy "$policy" "localhost/$name:1" "oci-archive:$images/$name.tar:localhost/$name:1"
}

gcc -Os -static -o "$run/pause" tests/cluster/pause.c
one_program pause "$run/pause"
one_program coredns "$state/bin/coredns"
