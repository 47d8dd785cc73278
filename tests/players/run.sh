#!/usr/bin/env bash
# Makes a clip, runs the workflows of tests/players/*.toml over it, and plays everything in Chromium.
# usage: tests/players/run.sh      (REELMILL: the binary, target/release/reelmill by default; CLIP: another source)
# Needs node, npm and chromium; installs the two test-only packages of package.json into target/players.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
reelmill=${REELMILL:-$top/target/release/reelmill}
work=$top/target/players
rm -rf "$work/out"
mkdir -p "$work/out"
cp "$here/package.json" "$here/play.mjs" "$work/"
[ -d "$work/node_modules/dashjs" ] || (cd "$work" && npm install --no-package-lock --no-audit --no-fund --silent)
clip=${CLIP:-$work/clip.mp4}
[ -e "$clip" ] || "$reelmill" sample "$clip" --seconds 8 --size 640x360
for workflow in "$here"/*.toml; do
  name=$(basename "$workflow" .toml)
  "$reelmill" run "$workflow" "$clip" --output "$work/out/$name" --json > "$work/$name.json" ||
    { echo "FAIL $name: $(tail -c 600 "$work/$name.json")"; exit 1; }
done
node "$work/play.mjs" "$work/out"
