# How Debian starts and stops units: through its helpers, which keep to policy-rc.d and to what a person disabled.
# shellcheck shell=sh

unit_enable() {
  deb-systemd-helper unmask "$1" >/dev/null || true
  if deb-systemd-helper --quiet was-enabled "$1"; then
    deb-systemd-helper enable "$1" >/dev/null || true
  else
    deb-systemd-helper update-state "$1" >/dev/null || true
  fi
}
# The same question decides in both cases: the helper remembers what was enabled by whom.
unit_enable_again() { unit_enable "$1"; }
unit_start() { deb-systemd-invoke start "$1" >/dev/null; }
unit_restart() { deb-systemd-invoke try-restart "$1" >/dev/null; }
unit_stop() { deb-systemd-invoke stop "$1" >/dev/null; }
units_reload() { systemctl --system daemon-reload >/dev/null || true; }
# Runs a command, at most $1 seconds.
ask_daemon() { timeout "$@"; }
