#!/usr/bin/env bash
# Lays out an image's root: a program, stripped, the shared libraries and the loader that it needs, and the CA bundle.
#
#   collect-image.sh PROGRAM ROOT
set -euo pipefail

program=$1 root=$2
mkdir -p "$root/etc/ssl/certs"
install -m 755 -s "$program" "$root/"
# The loader's line has no arrow; the kernel's vdso has no path.
ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | sort -u |
  while read -r library; do
    install -D -m 755 "$library" "$root$library"
  done
install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
