#!/usr/bin/env bash
# Sends requests made from the OpenAPI document to the real daemon, good and bad ones for every operation, and checks that
# every answer is one the document names: status, content type, shape, headers; no server error; authentication asked for;
# what was deleted gone. Needs python3 with venv, and a package index that pip can reach.
#
#   tests/schemathesis.sh [OPTION...]      options are handed to `schemathesis run`
#
# REELMILL_BINARY: the program (target/debug/reelmill, else target/release/reelmill).
# REELMILL_EXAMPLES: requests made for an operation in the fuzzing phase (12).
set -euo pipefail
cd "$(dirname "$0")/.."

version=4.32.5
binary=${REELMILL_BINARY:-target/debug/reelmill}
[[ -x $binary ]] || binary=target/release/reelmill
[[ -x $binary ]] || { echo "build the program first: cargo build" >&2; exit 2; }

environment=target/schemathesis-$version
if [[ ! -x $environment/bin/schemathesis ]]; then
  rm -rf "$environment"
  if ! { python3 -m venv "$environment" \
    && "$environment/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"; }; then
    rm -rf "$environment"
    echo "schemathesis $version could not be installed" >&2
    [[ ${REELMILL_REQUIRE_SCHEMATHESIS:-0} == 1 ]] && exit 1
    echo "SKIPPED: the API was not compared with its document" >&2
    exit 0
  fi
fi

root=$(mktemp -d)
daemon=
# shellcheck disable=SC2317 # called by the trap
stop() {
  if [[ -n $daemon ]]; then
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
  fi
  rm -rf "$root"
}
trap stop EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir "$root"/{state,scratch,workflows,hooks,ingest,renditions}
cat >"$root/reelmill.toml" <<TOML
[server]
listen = "127.0.0.1:$port"
public_url = "http://127.0.0.1:$port"
state_dir = "$root/state"
scratch_dir = "$root/scratch"
workflows_dir = "$root/workflows"
hooks_dir = "$root/hooks"
[[storage]]
name = "ingest"
path = "$root/ingest"
settle_interval_s = 0.2
[[storage]]
name = "renditions"
path = "$root/renditions"
watch = "off"
TOML
cat >"$root/workflows/nothing.toml" <<TOML
name = "nothing"
[source]
storage = "ingest"
extensions = ["bin"]
[[activity]]
id = "n"
type = "noop"
TOML
env -i PATH="$PATH" "$binary" serve --config "$root/reelmill.toml" >"$root/log" 2>&1 &
daemon=$!

url=http://127.0.0.1:$port
for _ in $(seq 200); do
  curl -fs -o /dev/null "$url/readyz" && break
  kill -0 "$daemon" 2>/dev/null || { cat "$root/log" >&2; exit 1; }
  sleep 0.1
done
token=$(cat "$root/state/admin.token")

# Something to be found: a task that ran.
sleep 1
echo one >"$root/ingest/one.bin"
ask() {
  curl -fs -H "Authorization: Bearer $token" "$url/api/v1/$1"
}
first() {
  python3 -c 'import json, sys; tree = json.load(sys.stdin); print(eval(sys.argv[1], {"tree": tree}))' "$1"
}
for _ in $(seq 100); do
  ask "tasks?status=Succeed" | grep -q '"id"' && break
  sleep 0.1
done
SCHEMATHESIS_TASK=$(ask tasks | first 'tree["items"][0]["id"]')
SCHEMATHESIS_MEDIA=$(ask media | first 'tree["items"][0]["id"]')
SCHEMATHESIS_JOB=$(ask "tasks/$SCHEMATHESIS_TASK" | first 'tree["jobs"][0]["id"]')
export SCHEMATHESIS_TASK SCHEMATHESIS_MEDIA SCHEMATHESIS_JOB

# Left out: the stream of events, whose answer has no end, and copying the database, which writes where it is told to.
status=0
PYTHONPATH=tests SCHEMATHESIS_HOOKS=schemathesis_hooks "$environment/bin/schemathesis" --config-file tests/schemathesis.toml run "$url/openapi.json" \
  --header "Authorization: Bearer $token" \
  --exclude-path /api/v1/events/stream --exclude-path /api/v1/system/backup \
  --max-examples "${REELMILL_EXAMPLES:-12}" --workers 1 --request-timeout 60 --seed 1 --continue-on-failure \
  "$@" || status=$?
kill -0 "$daemon" 2>/dev/null || { echo "the daemon died:" >&2; tail -50 "$root/log" >&2; exit 1; }
if grep -n 'panicked\|"level":"ERROR"\| ERROR ' "$root/log" >&2; then
  echo "the daemon's log has errors" >&2
  status=1
fi
exit "$status"
