#!/bin/bash
# The tests of the client for buckets (tests/s3/) against services of other makers, whatever of them is here:
#   moto       the errors and conditional requests of Amazon's own (python3 -m pip install 'moto[server]')
#   Ceph RGW   tests/tools/ceph_rgw.sh says what it needs
# A service that is not installed is said and passed over; a failed test fails the script. Results go into tests/README.md.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # it is: by the trap
clean() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  tests/tools/ceph_rgw.sh stop "$work/rgw" 2>/dev/null
  rm -rf "$work"
}
trap clean EXIT

failed=0
ran=0
# Name, then ENDPOINT ACCESS_KEY SECRET_KEY.
against() {
  local name=$1 endpoint=$2 access=$3 secret=$4
  echo "== $name at $endpoint"
  python3 tests/tools/make_bucket.py "$endpoint" "$access" "$secret" reelmill-media || { failed=1; return; }
  REELMILL_S3_PEER="$endpoint $access $secret reelmill-media" \
    cargo test --locked --test s3 -- --test-threads 4 || failed=1
  ran=$((ran + 1))
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

if command -v moto_server >/dev/null; then
  port=$(free_port)
  moto_server -H 127.0.0.1 -p "$port" >"$work/moto.log" 2>&1 &
  pids+=($!)
  for _ in $(seq 120); do (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.5; done
  against "moto $(python3 -c 'import moto; print(moto.__version__)')" "http://127.0.0.1:$port" AKMOTO secret-of-moto
else
  echo "moto is not installed: passed over"
fi

if command -v radosgw >/dev/null; then
  if said=$(tests/tools/ceph_rgw.sh start "$work/rgw" "$(free_port)"); then
    # shellcheck disable=SC2086 # three words
    against "$(radosgw --version | cut -d' ' -f1-3)" $said
  else
    failed=1
  fi
else
  echo "radosgw is not installed: passed over"
fi

[ "$ran" -gt 0 ] || { echo "no service was there to be asked" >&2; failed=1; }
exit "$failed"
