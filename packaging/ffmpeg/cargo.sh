#!/usr/bin/env bash
# Runs cargo against the static FFmpeg, which it builds first where needed.
# usage: packaging/ffmpeg/cargo.sh build --release      packaging/ffmpeg/cargo.sh nextest run
# What comes out needs only libc, libm and libgcc_s, and lies in target/static.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
ffmpeg=$top/target/ffmpeg
"$here/build.sh" "$ffmpeg"
export PKG_CONFIG_PATH=$ffmpeg/prefix/lib/pkgconfig PKG_CONFIG_ALL_STATIC=1
# Where it was built is nobody's business, and two places shall build the same bytes.
sources=${CARGO_HOME:-$HOME/.cargo}
export RUSTFLAGS="-L native=$ffmpeg/archives -C link-arg=-static-libgcc --remap-path-prefix=$top=/usr/src/reelmill \
--remap-path-prefix=$sources=/usr/src/cargo ${RUSTFLAGS:-}"
export CFLAGS="-ffile-prefix-map=$top=/usr/src/reelmill -ffile-prefix-map=$sources=/usr/src/cargo ${CFLAGS:-}"
export CARGO_TARGET_DIR=$top/target/static
# The crate that holds libav took its .a files in when it was built: another FFmpeg needs another build of it.
if ! cmp -s "$ffmpeg/stamp" "$CARGO_TARGET_DIR/stamp"; then
  cargo clean --quiet -p ffmpeg-sys-the-third 2>/dev/null || true
  cargo clean --quiet --release -p ffmpeg-sys-the-third 2>/dev/null || true
  mkdir -p "$CARGO_TARGET_DIR"
  cp "$ffmpeg/stamp" "$CARGO_TARGET_DIR/stamp"
fi
command=$1
shift
case $command in
  build)
    # The linker's own build id sums up names that link-time optimisation makes of paths: one of what is built instead.
    id=$({ cat "$ffmpeg/stamp"; rustc -vV; cd "$top"; find Cargo.toml Cargo.lock src -type f -not -path '*/node_modules/*' \
      | LC_ALL=C sort | xargs -d '\n' sha256sum; } | sha1sum | cut -d' ' -f1)
    exec cargo rustc --features static-libav --bin reelmill "$@" -- -C "link-arg=-Wl,--build-id=0x$id" ;;
  nextest) # its own subcommand comes first
    subcommand=$1
    shift
    exec cargo nextest "$subcommand" --features static-libav "$@" ;;
  *) exec cargo "$command" --features static-libav "$@" ;;
esac
