#!/usr/bin/env bash
# Lays out an image's root: a program, stripped, the loader and the shared libraries that it needs, the CA bundle, and
# sbom.spdx.json. Works for a program of another architecture too: it reads files, it runs none of them.
#
#   collect-image.sh BUILD_DIRECTORY PROGRAM ROOT      PROGRAM is relative to BUILD_DIRECTORY
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

build=$1 program=$2 root=$3
# Not in CMakeCache.txt, where a toolchain file names it.
compiler=$(sed -n 's/^set(CMAKE_CXX_COMPILER "\(.*\)")$/\1/p' "$build"/CMakeFiles/*/CMakeCXXCompiler.cmake)
triplet=$("$compiler" -print-multiarch)
libraries=()

needs() { "$triplet-readelf" --dynamic --wide "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# add_needed FILE: the libraries that it names, and those that these name, each once.
add_needed() {
  local name path
  for name in $(needs "$1"); do
    for path in {/usr,}/lib/"$triplet/$name" /usr/"${triplet%%-*}"-linux-gnu/lib/"$name" {/usr,}/lib/"$name"; do
      [ ! -e "$path" ] || break
    done
    [ -e "$path" ] || { echo "collect-image.sh: $1 needs $name, which is nowhere under /usr/lib" >&2; exit 70; }
    case " ${libraries[*]} " in *" $path "*) continue ;; esac
    libraries+=("$path")
    case "$name" in ld-linux*) continue ;; esac # it goes to where the program asks for it
    install -D -m 755 "$path" "$root/lib/$triplet/$name"
    add_needed "$path"
  done
}

mkdir -p "$root/etc/ssl/certs"
install -m 755 "$build/$program" "$root/"
"$triplet-strip" "$root/$(basename "$program")"
loader=$("$triplet-readelf" --program-headers --wide "$build/$program" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
libraries+=("$loader")
install -D -m 755 "$loader" "$root$loader"
add_needed "$build/$program"
install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
"$here/write-sbom.sh" "$build" "$program" "${libraries[@]}" >"$root/sbom.spdx.json"
