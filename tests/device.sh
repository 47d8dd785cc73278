#!/usr/bin/env bash
# What an NVIDIA device makes of reelmill: for a machine that has a device, its driver, this script and the one binary,
# and neither network nor anything of the repository.
#
# usage: device.sh BINARY [--room DIR] [--device N] [--size WxH] [--seconds N] [--long N] [--within N]
#   BINARY     the release binary (make static: target/static/release/reelmill)
#   --room     where clips and results lie while it runs; /var/tmp
#   --device   which device, by ordinal; 0
#   --size     pictures of the clips and of the rates; 1920x1080
#   --seconds  length of the clip of ladder and rates; 20
#   --long     length of the clip of the sprite; 300
#   --within   seconds that all of it may take; 540
#
# Prints what it does, and last a table that fits into benches/README.md, whatever happened before: a step that does not
# end has failed, and what no time is left for is left out. Exit 0 when nothing failed; what a device cannot do, or this
# build cannot make, is left out and said so.
set -euo pipefail
export LC_ALL=C

usage() { sed -n '2,17s/^# \{0,1\}//p' "$0" >&2; exit 2; }

[ $# -ge 1 ] || usage
binary=$1; shift
[ -x "$binary" ] || { echo "device.sh: $binary is not a program" >&2; exit 2; }
case $binary in /*) ;; *) binary=$PWD/$binary ;; esac
base=/var/tmp device=0 size=1920x1080 seconds=20 long=300 within=540
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || usage
  case $1 in
    --room) base=$2 ;;
    --device) device=$2 ;;
    --size) size=$2 ;;
    --seconds) seconds=$2 ;;
    --long) long=$2 ;;
    --within) within=$2 ;;
    *) usage ;;
  esac
  shift 2
done

room=$(mktemp -d "$base/reelmill-device.XXXXXX")
table=$room/table
: >"$table"
failed=0
over=$((SECONDS + within))
# Longest that one step may take: a device that hangs must not cost the table.
step_s=180

# The table comes last, whatever ended this.
end() {
  local code=$?
  trap - EXIT
  printf '\n| what | verdict | figures |\n|---|---|---|\n'
  sed 's/|/\\|/g' "$table" | awk -F '\t' '{ printf "| %s | %s | %s |\n", $1, $2, $3 }'
  rm -rf "$room"
  [ "$failed" -eq 0 ] || { echo; echo "something failed"; exit 1; }
  exit "$code"
}
trap end EXIT
trap 'row "all of it" FAILED "stopped from outside"; exit 1' INT TERM

# row WHAT VERDICT FIGURES...
row() {
  printf '%s\t%s\t%s\n' "$1" "$2" "${*:3}" >>"$table"
  [ "$2" != FAILED ] || failed=1
}

say() { printf '\n== %s\n' "$*"; }

# The first text, without quotes in it, of a key of a JSON file; nothing where there is none.
value() {
  sed -n 's/.*"'"$2"'": *"\([^"]*\)".*/\1/p' "$1" | head -n 1
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# Runs a command with its output kept; the exit code is in $code and the time in $took_ms. What did not end answers 124
# with a word on that in $late, what was not even begun 125.
timed() {
  local into=$1 begun left=$((over - SECONDS))
  shift
  begun=$(now_ms)
  code=0 took_ms=0 late=
  if [ "$left" -lt 5 ]; then
    code=125 late="no time was left"
    : >"$into"
    echo "$late" >"$into.err"
    return
  fi
  [ "$left" -lt "$step_s" ] || left=$step_s
  timeout --kill-after=10 "$left" "$@" >"$into" 2>"$into.err" || code=$?
  took_ms=$(($(now_ms) - begun))
  case $code in 124 | 137) late="it did not end within $left s" ;; esac
}

# The row of a step that has no result of its own because it did not end, or was not begun; false where it did.
was_late() {
  [ -n "$late" ] || return 1
  echo "$1: $late"
  if [ "$code" -eq 125 ]; then row "$1" 'left out' "$late"; else row "$1" FAILED "$late"; fi
}

# Lines of a trial: name, verdict, words and figures of each.
trial_rows() {
  local prefix=$1 file=$2 line name verdict said figures
  while IFS= read -r line; do
    name=$(sed -E 's/^\{"name":"([^"]*)".*/\1/' <<<"$line")
    verdict=$(sed -E 's/.*"verdict":"([^"]*)".*/\1/' <<<"$line")
    said=$(sed -E 's/.*"said":"(([^"\\]|\\.)*)".*/\1/' <<<"$line")
    figures=$(sed -nE 's/.*"figures":\{([^}]*)\}.*/\1/p' <<<"$line" | tr -d '"' | sed 's/,/, /g; s/:/ /g')
    case $verdict in
      passed) verdict=ok ;;
      failed) verdict=FAILED ;;
      *) verdict='left out' ;;
    esac
    echo "$prefix $name: $verdict: $said${figures:+ ($figures)}"
    if [ -n "$figures" ]; then row "$prefix $name" "$verdict" "$figures"; else row "$prefix $name" "$verdict" "$said"; fi
  done < <(grep '^{"name"' "$file" || true)
}

say "the host"
date -u +%Y-%m-%dT%H:%M:%SZ
uname -srm
"$binary" --version
if command -v nvidia-smi >/dev/null; then nvidia-smi -L || true; fi

say "check"
mkdir "$room/state" "$room/scratch" "$room/workflows" "$room/hooks"
cat >"$room/reelmill.toml" <<TOML
[server]
listen = "127.0.0.1:0"
state_dir = "$room/state"
scratch_dir = "$room/scratch"
workflows_dir = "$room/workflows"
hooks_dir = "$room/hooks"
TOML
timed "$room/check.txt" "$binary" check --config "$room/reelmill.toml"
grep -A1 -E '^[A-Za-z]+ +gpu' "$room/check.txt" || true
timed "$room/devices.json" "$binary" worker --devices
driver=$(value "$room/devices.json" driver_version)
cuda=$(value "$room/devices.json" cuda_version)
name=$(grep -o '"ordinal":'"$device"',"uuid":"[^"]*","name":"[^"]*"' "$room/devices.json" | sed 's/.*"name":"\([^"]*\)"/\1/' || true)
if was_late "device $device"; then
  name=
elif [ "$code" -ne 0 ] || [ -z "$name" ]; then
  row "device $device" FAILED "not there; see check above"
else
  row "device $device" ok "$name, driver ${driver:-of unknown version}, CUDA ${cuda:-unknown}, looked at in $took_ms ms"
fi

if [ -n "$name" ]; then
  say "kernels against plain Rust, and their rates against a device copy"
  timed "$room/kernels" "$binary" worker --kernel-trial --ordinal "$device" --picture "$size"
  agreement=$(grep -o '{"kernel":[^}]*}' "$room/kernels" || true)
  if was_late kernels; then
    :
  elif [ -n "$agreement" ]; then
    row "PTX" ok "$(wc -l <<<"$agreement") kernels taken by the driver"
  else
    row kernels FAILED "$(head -c 300 "$room/kernels") $(tail -n 1 "$room/kernels.err")"
  fi
  while IFS= read -r one; do
    [ -n "$one" ] || continue
    verdict=FAILED
    case $one in *'"agrees":true'*) verdict=ok ;; esac
    kernel=${one#*\"kernel\":\"}
    kernel=${kernel%%\"*}
    figures=$(sed -E 's/.*"pictures":([0-9]+),"largest":([0-9]+).*"allowed":([0-9]+).*/\1 pictures, largest difference \2, allowed \3/' <<<"$one")
    echo "$kernel: $verdict: $figures"
    row "kernel $kernel" "$verdict" "$figures"
  done <<<"$agreement"
  copy=$(sed -n 's/.*"copy_bytes_per_s":\([0-9.e+]*\).*/\1/p' "$room/kernels")
  [ -z "$copy" ] || row "device copy" ok "$(awk -v b="$copy" 'BEGIN { printf "%.1f GB/s read and written", b / 1e9 }')"
  while IFS= read -r one; do
    [ -n "$one" ] || continue
    work=${one#*\"work\":\"}
    work=${work%%\"*}
    figures=$(sed -E 's/.*"pictures_per_s":([0-9.e+-]+),"bytes_per_s":([0-9.e+-]+),"share_of_copy":([0-9.e+-]+).*/\1 \2 \3/' <<<"$one" |
      awk '{ printf "%.0f pictures/s, %.1f GB/s, %.2f of a copy", $1, $2 / 1e9, $3 }')
    echo "$work: $figures"
    row "rate $work" ok "$figures"
  done < <(grep -o '{"work":[^}]*}' "$room/kernels" || true)

  say "decoders against libavcodec"
  timed "$room/decoders" "$binary" worker --device-trial decoders --ordinal "$device" --scratch "$room/scratch"
  trial_rows decode "$room/decoders"
  # A crash leaves what was told before it.
  was_late decoders || [ "$code" -le 1 ] || row decoders FAILED "ended with $code: $(tail -n 1 "$room/decoders.err")"
fi

say "a clip of $seconds s and one of $long s, drawn here"
timed "$room/sample" "$binary" sample "$room/clip.mp4" --seconds "$seconds" --size "$size"
was_late "a clip of $seconds s" || [ "$code" -eq 0 ] || row "a clip of $seconds s" FAILED "$(tail -n 1 "$room/sample.err")"
timed "$room/sample" "$binary" sample "$room/long.mp4" --seconds "$long" --size "$size"
was_late "a clip of $long s" || [ "$code" -eq 0 ] || row "a clip of $long s" FAILED "$(tail -n 1 "$room/sample.err")"

# job WHAT WORKFLOW CLIP BACKEND SECONDS [VERDICT]: what a run came to, and where. VERDICT is that of a run that ends with an
# error; one that left a device for software where the card could have done a part of it has failed, too.
job() {
  local what=$1 workflow=$2 clip=$3 backend=$4 file status on reason proofs
  file=$room/job.json
  rm -rf "$room/out"
  timed "$file" "$binary" run "$workflow" "$clip" --output "$room/out" --scratch "$room/scratch" --backend "$backend" --json
  was_late "$what" && return
  status=$(value "$file" status)
  on=$(value "$file" backend)
  reason=$(value "$file" fallback_reason)
  proofs=$(grep -c '"proof": {' "$file" || true)
  fps=$(awk -v s="$5" -v ms="$took_ms" 'BEGIN { printf "%.1f", s * 30 * 1000 / ms }')
  echo "$what: exit $code, $status on $on${reason:+, because $reason}; $proofs proofs, $took_ms ms"
  if [ "$code" -eq 0 ] && [ "$on" = software ] && [ -n "$reason" ] && [ -n "$name" ]; then
    row "$what" FAILED "on software: $reason"
    return
  fi
  if [ "$code" -eq 0 ]; then
    row "$what" ok "on $on, $proofs outputs proved, $fps source pictures/s${reason:+; $reason}"
    return
  fi
  sed -n 's/.*"cause": "\(.*\)",\{0,1\}$/  \1/p; s/.*"remedy": "\(.*\)",\{0,1\}$/  \1/p' "$file"
  row "$what" "${6:-FAILED}" "exit $code: $(sed -n 's/.*"cause": "\(.*\)",\{0,1\}$/\1/p' "$file" | head -n 1)"
}

say "whole jobs, proved"
encoders=$(grep -o '"encode":\[[^]]*\]' "$room/devices.json" | head -n $((device + 1)) | tail -n 1 || true)
job "ladder, auto" h264-mp4-ladder "$room/clip.mp4" auto "$seconds"
if [ "$encoders" = '"encode":[]' ] || [ -z "$encoders" ]; then
  # To demand what the card does not have must fail, with a remedy.
  job "ladder, gpu demanded of a card without an encoder" h264-mp4-ladder "$room/clip.mp4" gpu "$seconds" refused
  [ -n "$late" ] || [ "$code" -ne 0 ] || row "refusal" FAILED "a demanded encoder that is not there did not fail the job"
else
  job "ladder, gpu" h264-mp4-ladder "$room/clip.mp4" gpu "$seconds"
  job "HEVC set, gpu" hevc-hls-ladder "$room/clip.mp4" gpu "$seconds"
fi
job "ladder, software" h264-mp4-ladder "$room/clip.mp4" software "$seconds"
# Alone it is soonest done in software; demanded, its pictures are decoded, scaled and made RGB on the device.
job "sprite of $long s, auto" sprite-webvtt "$room/long.mp4" auto "$long"
[ -z "$name" ] || job "sprite of $long s, gpu" sprite-webvtt "$room/long.mp4" gpu "$long"
job "ladder, sprite, stills in one pass, auto" web-ladder "$room/clip.mp4" auto "$seconds"

if [ -n "$name" ]; then
  say "rates of decoder and kernels together"
  timed "$room/rates" "$binary" worker --device-trial rates --ordinal "$device" --picture "$size" \
    --clip "$room/clip.mp4" --scratch "$room/scratch"
  # The kernels alone were measured above.
  grep '^{"name":"decode' "$room/rates" >"$room/rates.decode" || true
  trial_rows rate "$room/rates.decode"
  was_late rates || [ "$code" -eq 0 ] || row rates FAILED "ended with $code: $(tail -n 1 "$room/rates.err")"
fi
