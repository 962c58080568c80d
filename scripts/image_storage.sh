# Where buildah keeps what this project makes, apart from everything else on the machine. Sourced, not run.
# Sets $cache, $policy and the functions in_storage and base_image.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloud-valkey-proxy
mkdir -p "$cache/containers"
policy=$cache/containers/policy.json
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$policy" # nothing is pulled, so nothing is to be trusted
: >"$cache/containers/registries.conf"                              # no place to pull from
driver=overlay
[ "$(stat -f -c %T "$cache")" != overlayfs ] || driver=vfs # inside a container: the kernel stacks no overlay upon another

in_storage() {
  local command=$1
  shift
  CONTAINERS_REGISTRIES_CONF=$cache/containers/registries.conf \
    buildah --root "$cache/containers/root" --runroot "$cache/containers/run" --storage-driver "$driver" "$command" "$@"
}

# base_image base|build: the name of an image of that root of scripts/trixie-root.sh, made where it is not there.
base_image() {
  local root name container
  root=$(scripts/trixie-root.sh "$1")
  name=localhost/$(basename "$root"):trixie
  if ! in_storage images --quiet "$name" >/dev/null 2>&1; then
    echo "making the base image $name" >&2
    container=$(in_storage from scratch)
    tar -C "$root" --one-file-system --exclude=./src --exclude=./ccache -c . |
      tar -C "$(in_storage mount "$container")" -x
    in_storage commit --quiet --signature-policy "$policy" --rm "$container" "$name" >/dev/null
  fi
  echo "$name"
}
