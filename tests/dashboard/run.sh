#!/usr/bin/env bash
# The dashboard in a real Chromium, in front of the real daemon: what people do, and pictures of every page.
# usage: tests/dashboard/run.sh [SCRIPT...]      (REELMILL: the binary, target/debug/reelmill by default)
# Pictures and the daemon's log lie in target/dashboard afterwards. Installs node, npm and chromium where they are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
"$top/packaging/prerequisites.sh" browser
[ -d "$here/node_modules/playwright-core" ] ||
  (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
out=$top/target/dashboard
rm -rf "$out"
mkdir -p "$out"
REELMILL=${REELMILL:-$top/target/debug/reelmill} OUT=$out exec node "$here/run.mjs" "$@"
