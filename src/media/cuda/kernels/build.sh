#!/usr/bin/env bash
# Compiles every kernel beside this file to PTX: build.sh [DIRECTORY], here when none is named. CLANG names the compiler.
#
# clang 14 answers PTX of version 4.1 for sm_52, which every driver that is new enough for the rest of us takes. No CUDA
# toolkit is needed. -ffp-contract=off: floats are rounded after every operation, as on the host.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-$here}
clang=${CLANG:-$(command -v clang-14 || command -v clang)}
mkdir -p "$to"
cd "$here"
for source in *.cu; do
    "$clang" -x cuda --cuda-device-only --cuda-gpu-arch=sm_52 -nocudainc -nocudalib -O3 -std=c++17 -ffp-contract=off \
        -Wall -Wextra -Wno-unknown-cuda-version -S "$source" -o "$to/${source%.cu}.ptx.new"
    # Comments name the compiler's build, not its work.
    { echo "// $("$clang" --version | sed -n 's/.*clang version \([0-9]*\)\..*/clang \1/p')"
      sed -e '/^[[:space:]]*\/\//d' -e 's/[[:space:]]*\/\/.*//' -e '/^$/d' "$to/${source%.cu}.ptx.new"; } > "$to/${source%.cu}.ptx"
    rm "$to/${source%.cu}.ptx.new"
done
