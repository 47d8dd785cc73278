# What both packages do to a host. Not run by itself: packaging/build.sh puts it between deb.sh or rpm.sh, which know
# how this distribution starts and stops units, and the few lines of each scriptlet.
# shellcheck shell=sh

configuration=/etc/reelmill/reelmill.toml
state=/var/lib/reelmill
# Enabled and started by the installation; and what a person may have enabled besides.
units="reelmill.service"
all_units="reelmill.service reelmill-backup.timer"

# The value of a key of [server] as it stands in the configuration, else $2.
setting() {
  value=$(sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*\"\([^\"]*\)\".*/\1/p" "$configuration" 2>/dev/null | head -n 1)
  echo "${value:-$2}"
}

systemd_runs() {
  [ -d /run/systemd/system ]
}

# The user, its groups and the folders. Does nothing where all are there.
set_up() {
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers reelmill.conf
    # Where the host has them: whoever reads devices is in these, and a host without them has no device.
    for group in video render; do
      if getent group "$group" >/dev/null; then echo "m reelmill $group" | systemd-sysusers -; fi
    done
  fi
  if command -v systemd-tmpfiles >/dev/null; then systemd-tmpfiles --create reelmill.conf; fi
}

# Before an upgrade replaces files: no new attempts, and time for those that run. The daemon goes on with its own old
# program until it is restarted; what does not end in time is stopped then, and runs again from its beginning.
drain() {
  systemd_runs || return 0
  patience_s=${REELMILL_UPGRADE_DRAIN_S:-120}
  # No daemon, or one that does not answer: nothing to wait for.
  running=$(drain_begins)
  if [ "${running:-0}" -eq 0 ]; then return 0; fi
  echo "reelmill: waiting up to $patience_s s for $running attempt(s) to end"
  timeout "$((patience_s + 60))" reelmill drain on --wait "$patience_s" >/dev/null 2>&1 || true
  running=$(drain_begins)
  if [ "${running:-0}" -ne 0 ]; then
    echo "reelmill: $running attempt(s) still run after $patience_s s; they are stopped and run again after the upgrade"
  fi
}

# Nothing new from now on; prints how many attempts run.
drain_begins() {
  timeout 20 reelmill drain on --json 2>/dev/null | sed -n 's/.*"running_attempts": *\([0-9]*\).*/\1/p' | head -n 1
}

# An upgrade that was called off: on with the work.
drain_no_more() {
  if systemd_runs; then timeout 20 reelmill drain off >/dev/null 2>&1 || true; fi
}

# After the first installation.
begin() {
  set_up
  for unit in $units; do unit_enable "$unit"; done
  if systemd_runs; then
    units_reload
    for unit in $units; do
      unit_start "$unit" || echo "reelmill: $unit did not start; 'journalctl -u $unit' says why"
    done
  fi
  welcome
}

# After an upgrade: what ran runs again, what a person stopped or disabled stays so.
go_on() {
  set_up
  for unit in $units; do unit_enable_again "$unit"; done
  systemd_runs || return 0
  units_reload
  for unit in $all_units; do
    unit_restart "$unit" || {
      echo "reelmill: $unit did not start again; 'journalctl -u $unit' says why"
      # shellcheck disable=SC2012  # names of our own making
      backup=$(ls -t "$state"/*.before-upgrade-* 2>/dev/null | head -n 1)
      if [ -n "$backup" ]; then echo "reelmill: the database as it was before the last upgrade is $backup"; fi
    }
  done
}

welcome() {
  address=$(setting public_url http://127.0.0.1:8080)
  token=$(setting state_dir "$state")/admin.token
  echo "reelmill: the dashboard is at ${address%/}/"
  echo "reelmill: the admin token to log in with: sudo cat $token"
  echo "reelmill: films put into /srv/reelmill/ingest come out in /srv/reelmill/renditions; $configuration says so"
}

# Before the files go.
end() {
  if systemd_runs; then for unit in $all_units; do unit_stop "$unit" || true; done; fi
}

# What stays after a removal, in words.
farewell() {
  if [ -e "$state" ]; then
    echo "reelmill: tasks, users and keys are kept in $state, scratch in /var/cache/reelmill; delete both if you want no more of them"
  fi
}
