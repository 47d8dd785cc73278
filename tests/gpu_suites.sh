#!/usr/bin/env bash
# The suites about ladders, stills, sprites and sets, once more with every activity demanding a device (backend gpu), on
# the stand-in driver: no GPU is used, and none is needed. Whatever breaks the driver's contract ends the process that does.
#
# usage: tests/gpu_suites.sh [--brief] [SUITE [ARGUMENT...]]
#   --brief   what `make test` runs: the suites that are over in a minute or two together
#   SUITE     one test target instead of all; what follows goes to the test runner
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

all=(media_pass pictures colour packaging codecs sound quality text inputs covers sets series)
brief=(media_pass pictures colour packaging codecs)
# Every file of the collection, decoded by a device that is none.
long=files_from_the_wild
is_brief=
case ${1:-} in
  --brief) suites=("${brief[@]}"); is_brief=1; shift ;;
  -*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  '') suites=("${all[@]}") ;;
  *) suites=("$1"); shift ;;
esac

folder=$PWD/target/standin/lib
tests/standin/build.sh "$folder"

# Parts of a driver of this host, mixed with the stand-in's, would be neither.
export LD_LIBRARY_PATH=$folder REELMILL_TEST_BACKEND=gpu
targets=()
for suite in "${suites[@]}"; do targets+=(--test "$suite"); done
if "$cargo" nextest --version >/dev/null 2>&1; then
  [ -z "$is_brief" ] || set -- -E "not test($long)" "$@"
  "$cargo" nextest run --locked "${targets[@]}" "$@"
else
  [ -z "$is_brief" ] || set -- -- --skip "$long" "$@"
  "$cargo" test --locked "${targets[@]}" "$@"
fi
