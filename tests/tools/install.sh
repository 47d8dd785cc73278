#!/usr/bin/env bash
# Builds the servers that tests start and no distribution has, into target/tools: s3s-fs, a small S3 service over a folder.
# usage: tests/tools/install.sh
# Does nothing when they are there: in target/tools/bin, in ~/.cargo/bin or on PATH.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=target/tools/bin/s3s-fs
if [ -x "$here" ] || [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/s3s-fs" ] || command -v s3s-fs >/dev/null; then
  exit 0
fi
echo "building s3s-fs for the tests" >&2
# Not the newest: later ones need a newer compiler than this project.
cargo install --quiet s3s-fs --version 0.14.1 --features binary --locked --debug --root target/tools
