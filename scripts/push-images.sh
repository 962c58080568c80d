#!/usr/bin/env bash
# Pushes the images of build/dist to $REGISTRY and signs them there: push-images.sh VERSION
#
#   REGISTRY                            host and path below which cloud-valkey-proxy and -operator live
#   REGISTRY_USER, REGISTRY_PASSWORD    who pushes
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${1:-}
for variable in version REGISTRY REGISTRY_USER REGISTRY_PASSWORD; do
  [ -n "${!variable:-}" ] || { echo "push-images.sh: $variable is missing; usage: push-images.sh VERSION" >&2; exit 64; }
done
skopeo login --username "$REGISTRY_USER" --password-stdin "${REGISTRY%%/*}" <<<"$REGISTRY_PASSWORD"
for part in proxy operator; do
  image=$REGISTRY/cloud-valkey-$part
  skopeo copy --digestfile build/dist/pushed "oci-archive:build/dist/cloud-valkey-$part-amd64.tar" "docker://$image:$version"
  cosign sign --yes "$image@$(cat build/dist/pushed)"
  cosign attest --yes --type spdxjson --predicate "build/dist/cloud-valkey-$part-amd64.spdx.json" "$image@$(cat build/dist/pushed)"
  rm build/dist/pushed
done
