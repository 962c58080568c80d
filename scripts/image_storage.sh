# Where buildah keeps what this project makes, apart from everything else on the machine. Sourced, not run.
# Sets $cache, $policy and the function in_storage.

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
