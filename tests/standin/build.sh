#!/usr/bin/env bash
# Builds the stand-in driver and leaves it under the driver's names.
# usage: tests/standin/build.sh DIR [CARGO_TARGET_DIR]
# DIR gets libcuda.so.1, libcuda.so, libnvcuvid.so.1, libnvidia-encode.so.1 and libnvidia-ml.so.1: links to one
# library, which is what makes them share their state. Callers at the same time wait for one another; nothing is built when nothing changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
[ $# -ge 1 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
target=${2:-$top/target/standin}
mkdir -p "$target"

exec 9>"$target/build.lock"
flock 9

kernels=$top/src/media/cuda/kernels
built=$target/debug/libstandin.so
sources=("$here/src" "$here/build.rs" "$here/Cargo.toml" "$here/Cargo.lock" "$here/build.sh")
[ -d "$kernels" ] && sources+=("$kernels")
stamp=$target/built
if [ ! -e "$built" ] || [ ! -e "$stamp" ] || [ -n "$(find "${sources[@]}" -newer "$stamp" -print -quit)" ]; then
  : >"$target/begun"
  # What a build of the product against another libav has set is none of this one's affair.
  env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u PKG_CONFIG_PATH -u PKG_CONFIG_ALL_STATIC -u CARGO_BUILD_TARGET \
    "${CARGO:-cargo}" build --quiet --locked --manifest-path "$here/Cargo.toml" --target-dir "$target" >&2
  # What changed while it was being built is newer than this.
  mv "$target/begun" "$stamp"
fi

# Copied beside and moved into place: a process that has the old one open keeps it.
if ! cmp -s "$built" "$dir/libcuda.so.1"; then
  cp "$built" "$dir/.libcuda.so.1.$$"
  mv "$dir/.libcuda.so.1.$$" "$dir/libcuda.so.1"
fi
for name in libcuda.so libnvcuvid.so.1 libnvidia-encode.so.1 libnvidia-ml.so.1; do
  [ "$(readlink "$dir/$name" || true)" = libcuda.so.1 ] || ln -sfn libcuda.so.1 "$dir/$name"
done
