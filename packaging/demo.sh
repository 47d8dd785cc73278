#!/usr/bin/env bash
# The main job on a clip made here: a daemon with two folder storages and the shipped workflow, a file moved into the
# watched folder, its outputs and its signed callback. `make demo` ends when all is shown, `make run` (--stay) at Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/target/demo
reelmill=$PWD/target/release/reelmill
stay=${1:-}

free_port() { # the first free one from $1 on
  local port=$1
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}

rm -rf "$root"
mkdir -p "$root"/{state,scratch,workflows,hooks,ingest,renditions}
port=$(free_port 8080)
hook=$(free_port $((port + 1)))
cp config/workflows/ingest-ladder.toml "$root/workflows/"
head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$root/signing.key"
# The cloud-style key: at most 32 characters of upper case, lower case and digits.
auth_key="Demo$(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n')"
printf '%s' "$auth_key" >"$root/auth.key"
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
kind = "folder"
path = "$root/ingest"

[[storage]]
name = "renditions"
kind = "folder"
path = "$root/renditions"
watch = "off"

[[destination]]
name = "demo"
kind = "http"
url = "http://127.0.0.1:$hook/hook"
profile = "ims"
auth_key_file = "$root/auth.key"
signing_key_file = "$root/signing.key"

[callback]
destination = "demo"
TOML

pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
}
trap cleanup EXIT

"$reelmill" callback listen --listen "127.0.0.1:$hook" --url "http://127.0.0.1:$hook/hook" --auth-key "$auth_key" \
  --signing-key-file "$root/signing.key" --until WorkflowTaskComplete >"$root/callbacks.log" 2>&1 &
listener=$!
pids+=("$listener")
"$reelmill" serve --config "$root/reelmill.toml" >"$root/daemon.log" 2>&1 &
daemon=$!
pids+=("$daemon")

for _ in $(seq 100); do
  curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break
  kill -0 "$daemon" 2>/dev/null || { cat "$root/daemon.log" >&2; exit 1; }
  sleep 0.1
done
REELMILL_TOKEN=$(cat "$root/state/admin.token")
export REELMILL_TOKEN REELMILL_SERVER="http://127.0.0.1:$port"

echo "== a clip of 20 s"
"$reelmill" sample "$root/clip.mp4" --seconds 20
echo "== moved into $root/ingest"
mv "$root/clip.mp4" "$root/ingest/clip.mp4"

task=
for _ in $(seq 200); do
  task=$("$reelmill" task list --json | sed -n 's/.*"id": *"\([0-9a-f]\{32\}\)".*/\1/p' | head -n 1)
  [ -n "$task" ] && break
  sleep 0.1
done
[ -n "$task" ] || { echo "no task began; the daemon said:" >&2; cat "$root/daemon.log" >&2; exit 1; }
echo "== task $task"
"$reelmill" task watch "$task"

echo "== callbacks, signatures checked"
wait "$listener" || { cat "$root/callbacks.log" >&2; exit 1; }
cat "$root/callbacks.log"

echo "== outputs in $root/renditions"
(cd "$root/renditions" && find . -type f -printf '%9s  %P\n' | sort -k2 |
  awk '/\/seg-[0-9]+\.m4s$/ { sub(/seg-[0-9]+\.m4s$/, "seg-*.m4s"); bytes[$2] += $1; count[$2]++; next } { print }
       END { for (name in bytes) printf "%9d  %s (%d files)\n", bytes[name], name, count[name] }' | sort -k2)
echo "== API and page: http://127.0.0.1:$port/ (token in $root/state/admin.token)"
if [ "$stay" = --stay ]; then
  echo "== running; move files into $root/ingest; Ctrl-C ends it"
  wait "$daemon"
fi
