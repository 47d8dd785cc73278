#!/usr/bin/env bash
# A folder with a Debian in it, booted with its own systemd in systemd-nspawn, for tests of packages and units.
# usage: boot_root.sh make SUITE ROOT [PACKAGE...]   a root of that suite; what was fetched once is kept in target/roots
#        boot_root.sh start ROOT [nspawn option...]  boots it; returns when its units have started
#        boot_root.sh run ROOT COMMAND [ARG...]      runs a command inside, as root, with the caller's standard streams
#        boot_root.sh stop ROOT                      powers it off
# Needs root, mmdebstrap and systemd-container. The root has a network of its own with nothing but the loopback address;
# limits of memory and processor time have no effect inside.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)

fail() { echo "boot_root.sh: $*" >&2; exit 1; }

# The process that is PID 1 inside, seen from here.
init_of() { cat "$1.init" 2>/dev/null || fail "$1 is not booted"; }

inside() {
  local root=$1
  shift
  nsenter --target "$(init_of "$root")" --mount --uts --ipc --net --pid --cgroup -- "$@"
}

make_root() {
  local suite=$1 root=$2 name kept
  shift 2
  name=$(printf '%s\n' "$suite" "$@" | tr '\n' ' ' | sha256sum | cut -c 1-12)
  kept=${REELMILL_ROOTS:-$top/target/roots}/$suite-$name.tar
  mkdir -p "$(dirname "$kept")"
  if [ ! -s "$kept" ]; then
    # The ending tells mmdebstrap what to make; of any other it makes a folder.
    mmdebstrap --quiet --variant=minbase --include="systemd-sysv,dbus,$(IFS=,; echo "$*")" "$suite" "${kept%.tar}.new.tar" >&2
    mv "${kept%.tar}.new.tar" "$kept"
  fi
  # Mounts of one that was not stopped must not be emptied with it.
  ! grep -qs " $(realpath -m "$root")[/ ]" /proc/mounts || fail "$root has something mounted in it"
  rm -rf "$root"
  mkdir -p "$root"
  tar -xf "$kept" -C "$root" --exclude='./dev/*'
}

# A control group of its own for each root: two that share one take each other's groups away.
apart() {
  local hierarchy
  for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    if [ -e "$hierarchy/cgroup.procs" ] && mkdir -p "$hierarchy/reelmill-root-$BASHPID" 2>/dev/null; then
      echo "$BASHPID" >"$hierarchy/reelmill-root-$BASHPID/cgroup.procs" || true
    fi
  done
}

start() {
  local root=$1 nspawn init state
  shift
  (apart && exec systemd-nspawn --quiet --register=no --keep-unit --boot --directory "$root" --console=pipe --private-network \
    --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self bpf" "$@" \
    </dev/null >"$root.console" 2>&1) &
  nspawn=$!
  for _ in $(seq 300); do
    kill -0 "$nspawn" 2>/dev/null || fail "it ended while booting; $root.console has its words"
    init=$(pgrep --parent "$nspawn" | head -n 1) || init=
    echo "$init" >"$root.init"
    if [ -n "$init" ] && inside "$root" test -S /run/dbus/system_bus_socket 2>/dev/null; then break; fi
    sleep 0.1
  done
  # "degraded" is as good: units for hardware that is not there.
  state=$(inside "$root" timeout 120 systemctl is-system-running --wait || true)
  case $state in
    running | degraded) ;;
    *) fail "it is ${state:-silent} after booting; $root.console has its words" ;;
  esac
}

stop() {
  local root=$1 init
  init=$(init_of "$root")
  # What systemd takes for "power off".
  kill -s RTMIN+4 "$init"
  for _ in $(seq 300); do
    kill -0 "$init" 2>/dev/null || break
    sleep 0.1
  done
  if kill -0 "$init" 2>/dev/null; then kill -s KILL "$init"; fi
  rm -f "$root.init"
}

case ${1:-} in
  make) make_root "${@:2}" ;;
  start) start "${@:2}" ;;
  run) inside "${@:2}" ;;
  stop) stop "${@:2}" ;;
  *) sed -n 's/^# //p' "$0" | sed -n 2,5p >&2; exit 2 ;;
esac
