# How distributions with rpm start and stop units.
# shellcheck shell=sh

unit_enable() { if command -v systemctl >/dev/null; then systemctl --no-reload --quiet enable "$1" || true; fi; }
# What a person disabled stays disabled.
unit_enable_again() { :; }
unit_start() { systemctl start "$1"; }
unit_restart() { systemctl try-restart "$1"; }
unit_stop() { systemctl --no-reload stop "$1"; }
units_reload() { systemctl daemon-reload || true; }
