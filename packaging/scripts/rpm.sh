# How distributions with rpm start and stop units.
# shellcheck shell=sh

unit_enable() { if command -v systemctl >/dev/null; then systemctl --no-reload --quiet enable "$1" || true; fi; }
# What a person disabled stays disabled.
unit_enable_again() { :; }
unit_start() { systemctl start "$1"; }
unit_restart() { systemctl try-restart "$1"; }
unit_stop() { systemctl --no-reload stop "$1"; }
units_reload() { systemctl daemon-reload || true; }
# Runs a command, at most $1 seconds. rpm takes the network away from scriptlets (its plugin unshare, since 4.20), and the
# daemon listens there: so systemd runs it.
ask_daemon() {
  limit_s=$1
  shift
  systemd-run --quiet --wait --pipe --collect --property="RuntimeMaxSec=$limit_s" "$@" </dev/null
}
