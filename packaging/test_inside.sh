#!/usr/bin/env bash
# The part of packaging/test.sh that runs inside a booted root, as root. One word says which step; each line it prints is
# one thing that was seen to hold, and the first that does not hold ends it.
set -euo pipefail
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
unit=reelmill.service
ingest=/srv/reelmill/ingest
renditions=/srv/reelmill/renditions

ok() { printf '  ok  %s\n' "$*"; }
fail() {
  printf '  NOT ok  %s\n' "$*"
  journalctl --unit=reelmill --no-pager --output=cat --lines=40 || true
  exit 1
}
# What shall hold, and the command that says whether it does.
holds() {
  local what=$1
  shift
  "$@" >/tmp/last.out 2>&1 || { cat /tmp/last.out; fail "$what"; }
  ok "$what"
}
# The same, within so many seconds.
comes() {
  local what=$1 seconds=$2 until
  shift 2
  until=$((SECONDS + seconds))
  until "$@" >/tmp/last.out 2>&1; do
    if [ "$SECONDS" -ge "$until" ]; then cat /tmp/last.out; fail "$what (within $seconds s)"; fi
    sleep 0.3
  done
  ok "$what"
}
is() { [ "$1" = "$2" ] || { echo "$1 is not $2"; return 1; }; }
has() { grep -q -- "$1" "$2"; }
said() { journalctl --unit=reelmill --no-pager --output=cat | grep -q -- "$1"; }
of_unit() { systemctl show --property="$1" --value "$unit"; }
active() { systemctl is-active --quiet "$unit"; }
main_pid() { of_unit MainPID; }
is_new_pid() { active && [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ]; }
# One field of the first object of a list that is printed as JSON.
first() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | sed 's/.*: *"//; s/"$//'; }
status_of() { reelmill task show "$1" --json | first status; }
ended_well() { is "$(status_of "$1")" Succeed; }
newest_task() { reelmill task list --json | first id; }
# Whether it has a child that is batch work: the 41st field of proc(5), of which the second is a name.
has_batch_child() {
  awk -v parent="$1" '{ sub(/.*\) /, "") } $2 == parent && $39 == 3 { found = 1 } END { exit !found }' /proc/[0-9]*/stat
}
running_attempts() {
  local running
  running=$(reelmill drain off --json | grep -o '"running_attempts": *[0-9]*' | grep -o '[0-9]*$')
  [ "$running" -gt 0 ]
}

# A clip of $2 seconds lands as $1, as somebody in the studio would drop it. Sets `task`.
drop() {
  local name=$1 seconds=$2 size=${3:-320x180} before
  before=$(newest_task || true)
  [ -s "/tmp/clip-$seconds-$size.mp4" ] || reelmill sample "/tmp/clip-$seconds-$size.mp4" --seconds "$seconds" --size "$size" >/dev/null
  install -o reelmill -g reelmill -m 0664 "/tmp/clip-$seconds-$size.mp4" "$ingest/.$name.part"
  mv "$ingest/.$name.part" "$ingest/$name"
  comes "$name was noticed" 60 differs "$before"
  task=$(newest_task)
}
differs() { local now; now=$(newest_task); [ -n "$now" ] && [ "$now" != "$1" ]; }

installed() {
  local group said=$1
  holds "the service is active" active
  holds "it told systemd that it is ready, and what it does" is "$(of_unit StatusText)" watching
  holds "it is enabled" systemctl is-enabled --quiet "$unit"
  holds "copies of the database are a person's choice" bash -c '! systemctl is-enabled --quiet reelmill-backup.timer'
  holds "nothing of it failed" is "$(systemctl list-units --failed --no-legend 'reelmill*')" ""
  holds "it runs as its own user" is "$(stat -c %U "/proc/$(main_pid)")" reelmill
  for group in video render; do
    if getent group "$group" >/dev/null; then holds "its user is in $group" has "\b$group\b" <(id -nG reelmill); fi
  done
  holds "state is its own and closed" is "$(stat -c '%U:%G %a' /var/lib/reelmill)" "reelmill:reelmill 750"
  holds "scratch is its own and closed" is "$(stat -c '%U:%G %a' /var/cache/reelmill)" "reelmill:reelmill 750"
  holds "logs have a folder" is "$(stat -c '%U:%G %a' /var/log/reelmill)" "reelmill:reelmill 750"
  holds "run time files have one" is "$(stat -c '%U:%G %a' /run/reelmill)" "reelmill:reelmill 750"
  holds "the admin token is nobody else's" is "$(stat -c '%U %a' /var/lib/reelmill/admin.token)" "reelmill 600"
  holds "secrets are root's" is "$(stat -c '%U:%G %a' /etc/reelmill/credentials)" "root:root 700"
  holds "hooks are root's" is "$(stat -c '%U:%G %a' /etc/reelmill/hooks)" "root:root 755"
  if [ -n "$said" ]; then
    holds "the installation says where the dashboard is" has "http://127.0.0.1:8080/" "$said"
    holds "and where the token lies" has /var/lib/reelmill/admin.token "$said"
  fi
}

install_deb() {
  apt-get install --yes --no-install-recommends "$1" >/tmp/install.out 2>&1 || { cat /tmp/install.out; fail "the installation"; }
  grep '^reelmill:' /tmp/install.out
  installed /tmp/install.out
  holds "dpkg finds every file as it was packed" is "$(dpkg --verify reelmill)" ""
}

install_rpm() {
  rpm --initdb 2>/dev/null || true
  # Its requirements are names of another distribution; packaging/test.sh compares them one by one.
  rpm --install --nodeps "$1" >/tmp/install.out 2>&1 || { cat /tmp/install.out; fail "the installation"; }
  cat /tmp/install.out
  installed /tmp/install.out
  holds "rpm finds every file as it was packed" is "$(rpm --verify --nodeps reelmill)" ""
}

# A clip through the whole machine, and its story in the journal.
job() {
  local count
  drop clip.mp4 2
  comes "task $task ended well" 300 ended_well "$task"
  for file in 1080p.mp4 hls.m3u8 sprite.vtt poster.jpg; do
    holds "clip/$file was published" test -s "$renditions/clip/$file"
  done
  holds "outputs can be read by the studio" is "$(stat -c %a "$renditions/clip/1080p.mp4")" 644
  journalctl "TASK_ID=$task" --no-pager --output=verbose >/tmp/story
  holds "TASK_ID=$task finds its arrival" has 'MESSAGE=an object arrived and a task was made for it' /tmp/story
  holds "and the attempt with its media" has MEDIA_ID= /tmp/story
  holds "and its outputs" has 'MESSAGE=outputs stand under their names' /tmp/story
  holds "and its end" has 'MESSAGE=task ended status=Succeed' /tmp/story
  count=$(grep -c 'MESSAGE=job succeeded' /tmp/story)
  holds "and a line for each of its $count jobs" test "$count" -ge 3
  holds "JOB_ID finds one job's" has "job succeeded" <(journalctl "JOB_ID=$(sed -n 's/^ *JOB_ID=//p' /tmp/story | tail -n 1)" --no-pager -o cat)
}

# Restarts: a crash, and a hang that only the watchdog sees.
restarts() {
  local pid count began
  pid=$(main_pid)
  # The first ends nothing: the handler of Rust's runtime, which looks for overflown stacks, steps aside and waits for the
  # instruction to fault again; one that somebody sent has none.
  kill -SEGV "$pid"
  sleep 0.5
  kill -SEGV "$pid"
  comes "after SIGSEGV it is back" 60 is_new_pid "$pid"
  holds "systemd saw the crash" has 'status=11/SEGV' <(journalctl --unit=reelmill --no-pager --output=cat)
  holds "and it remembers" ended_well "$(newest_task)"
  mkdir -p /run/systemd/system/reelmill.service.d
  printf '[Service]\nWatchdogSec=10\n' >/run/systemd/system/reelmill.service.d/watchdog.conf
  systemctl daemon-reload
  systemctl restart "$unit"
  pid=$(main_pid)
  # Alive, it is left alone for three times the limit.
  sleep 30
  holds "30 s of a watchdog of 10 s do it no harm" is "$(main_pid)" "$pid"
  count=$(of_unit NRestarts)
  drop hung.mp4 2
  began=$SECONDS
  kill -STOP "$pid"
  comes "a daemon that hangs (SIGSTOP) is ended and started again" 60 is_new_pid "$pid"
  ok "that took $((SECONDS - began)) s"
  holds "the watchdog did it" has 'Watchdog timeout' <(journalctl --unit=reelmill --no-pager --output=cat)
  holds "systemd counted one restart" is "$(of_unit NRestarts)" $((count + 1))
  comes "what it did then is done all the same" 300 ended_well "$task"
  rm -r /run/systemd/system/reelmill.service.d
  systemctl daemon-reload
  systemctl restart "$unit"
  holds "it is active" active
}

# What a program of hooks_dir, which has all that the daemon has, can do; and what a worker can.
hardening() {
  local way pid score
  cat >/etc/reelmill/hooks/look-around.sh <<'HOOK'
#!/bin/bash
cat >/dev/null
exec 3>"${1:-/var/log/reelmill/look-around}"
try() { local what=$1; shift; if "$@" >/dev/null 2>&1; then echo "can $what" >&3; else echo "cannot $what" >&3; fi; }
for place in /usr/bin /etc/reelmill /var/lib /etc/open /usr/open /opt/open /var/open /home/open; do
  try "write $place" touch "$place/.reelmill-was-here"
done
for place in /srv/reelmill/renditions /var/lib/reelmill /var/cache/reelmill /var/log/reelmill /run/reelmill /tmp; do
  try "write $place" touch "$place/.reelmill-was-here"
done
try "read root's secrets" cat /etc/reelmill/credentials/mam.key
try "see other programs' temporary files" test -e /tmp/of-somebody-else
try "see other users' processes" test -e /proc/1/status
try "become root" setpriv --reuid 0 true
try "mount" mount -t tmpfs none /run/reelmill
try "make a namespace" unshare --user true
try "make a socket to the kernel" perl -e 'socket(my $netlink, 16, 3, 0) or exit 1'
try "write and run a page" perl -e '$mmap = `uname -m` =~ /^x86/ ? 9 : 222; exit(syscall($mmap, 0, 4096, 7, 0x22, -1, 0) == -1)'
try "change the kernel" bash -c 'echo 1 >/proc/sys/vm/drop_caches'
try "open a terminal of the host" bash -c ': </dev/console'
for way in socket exec fork file write link kill-parent service work; do
  mkdir -p "/var/cache/reelmill/try"
  /usr/bin/reelmill worker --try "$way" --scratch /var/cache/reelmill/try --target /var/lib/reelmill/admin.token
  echo "worker $way: $?" >&3
done
echo '{"verdict": "pass"}'
HOOK
  chmod 755 /etc/reelmill/hooks/look-around.sh
  cat >/etc/reelmill/workflows/look-around.toml <<'TOML'
name = "look-around"
[source]
storage = "ingest"
prefix = "look/"
extensions = ["*"]
[output]
storage = "renditions"
[[activity]]
id = "look"
type = "hook"
exec = "look-around.sh"
TOML
  echo secret >/etc/reelmill/credentials/mam.key
  chmod 600 /etc/reelmill/credentials/mam.key
  touch /tmp/of-somebody-else
  # Everybody may write there, so that it is the unit which does not let the daemon.
  install -d -m 1777 /etc/open /usr/open /opt/open /var/open /home/open
  setpriv --reuid reelmill --regid reelmill --clear-groups bash /etc/reelmill/hooks/look-around.sh /tmp/outside </dev/null >/dev/null
  for way in "write /opt/open" "write /home/open" "see other users' processes" "see other programs' temporary files" \
    "make a socket to the kernel" "write and run a page"; do
    holds "outside of the unit the same user can $way" has "^can $way\$" /tmp/outside
  done
  systemctl restart "$unit"
  pid=$(main_pid)
  install -d -o reelmill -g reelmill "$ingest/look"
  echo x >"$ingest/look/.x.part"
  chown reelmill "$ingest/look/.x.part"
  mv "$ingest/look/.x.part" "$ingest/look/x"
  comes "the program of hooks_dir has looked around" 60 has 'worker work' /var/log/reelmill/look-around
  for place in /usr/bin /etc/reelmill /var/lib /etc/open /usr/open /opt/open /var/open /home/open; do
    holds "nothing is written in $place" has "^cannot write $place\$" /var/log/reelmill/look-around
  done
  for place in /srv/reelmill/renditions /var/lib/reelmill /var/cache/reelmill /var/log/reelmill /run/reelmill /tmp; do
    holds "$place can be written" has "^can write $place\$" /var/log/reelmill/look-around
  done
  for way in "read root's secrets" "see other programs' temporary files" "see other users' processes" "become root" mount \
    "make a namespace" "make a socket to the kernel" "write and run a page" "change the kernel" "open a terminal of the host"; do
    holds "it cannot $way" has "^cannot $way\$" /var/log/reelmill/look-around
  done
  # 0: it got out. A signal or a refusal otherwise; 159 is SIGSYS.
  for way in socket exec fork file write link kill-parent service; do
    holds "a worker has no way out by $way" has "^worker $way: [1-9]" /var/log/reelmill/look-around
  done
  holds "a worker can work" has '^worker work: 0$' /var/log/reelmill/look-around
  holds "no new privileges" has '^NoNewPrivs:[[:space:]]*1' "/proc/$pid/status"
  holds "no capabilities" has '^CapBnd:[[:space:]]*0000000000000000' "/proc/$pid/status"
  holds "calls are filtered" has '^Seccomp:[[:space:]]*2' "/proc/$pid/status"
  if command -v systemd-analyze >/dev/null; then
    score=$(systemd-analyze security --no-pager "$unit" | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
    ok "systemd-analyze security: $score"
  fi
  rm -f /etc/reelmill/hooks/look-around.sh /etc/reelmill/workflows/look-around.toml /etc/reelmill/credentials/mam.key
  rm -rf "$ingest/look" /var/log/reelmill/look-around /{etc,usr,opt,var,home}/open
}

# Secrets, paths, levels, certificates, drain, backups.
operations() {
  local pid dropins=/etc/systemd/system/reelmill.service.d kept
  cp /etc/reelmill/reelmill.toml /tmp/reelmill.toml
  printf '[[destination]]\nname = "mam"\nkind = "http"\nurl = "http://192.0.2.1/hook"\nauth_key_file = "mam.key"\nevents = ["AlertRaised"]\n' \
    >>/etc/reelmill/reelmill.toml
  holds "without its secret the configuration is refused" bash -c "! systemctl restart $unit"
  comes "and the journal says which is missing" 20 said 'mam.key'
  printf 'Geheim42' >/etc/reelmill/credentials/mam.key
  chmod 600 /etc/reelmill/credentials/mam.key
  holds "a secret that only root can read serves" systemctl restart "$unit"
  holds "it is not in the environment of the daemon" bash -c "! grep -q Geheim42 /proc/$(main_pid)/environ"

  mkdir -p /volume1/media
  chown reelmill /volume1/media
  printf '[[storage]]\nname = "elsewhere"\nkind = "folder"\npath = "/volume1/media"\n' >>/etc/reelmill/reelmill.toml
  systemctl restart "$unit"
  comes "a storage elsewhere cannot be written" 20 said '/volume1/media .*not writable'
  mkdir -p $dropins
  reelmill check --unit-paths >$dropins/paths.conf
  holds "check --unit-paths names it" has '^ReadWritePaths="-/volume1/media"$' $dropins/paths.conf
  systemctl daemon-reload
  systemctl restart "$unit"
  comes "with its drop-in it can" 20 said '/volume1/media on .*, writable'
  holds "examples are accepted by systemd" bash -c "cp /usr/share/doc/reelmill/examples/systemd/*.conf $dropins/ && \
    systemctl daemon-reload && ! journalctl --boot --no-pager -o cat -t systemd | grep -E 'reelmill.*(Unknown|Failed to parse|Invalid)'"
  rm -r $dropins
  cp /tmp/reelmill.toml /etc/reelmill/reelmill.toml
  systemctl daemon-reload
  systemctl restart "$unit"

  pid=$(main_pid)
  holds "the log level is told" has '^info (started with info)' <(reelmill log-level)
  holds "and changed" has '^debug ' <(reelmill log-level debug)
  reelmill task list >/dev/null
  holds "a level that is none is refused" bash -c '! reelmill log-level loudly'
  holds "and back" has '^info ' <(reelmill log-level --reset)
  holds "the change is in the audit log" has system.log_level <(reelmill audit list --json)
  holds "a bundle for support is made" reelmill diagnostics /root/support.tar.gz
  holds "for root's eyes alone" is "$(stat -c %a /root/support.tar.gz)" 600
  rm -rf /root/support
  mkdir /root/support
  tar -xzf /root/support.tar.gz -C /root/support
  holds "it says what runs here" grep -rq '"version"' /root/support
  holds "and what was logged" grep -rqi 'storage' /root/support
  holds "no secret is in it" bash -c "! grep -rqF -e Geheim42 -e '$(cat /var/lib/reelmill/admin.token)' /root/support"
  systemctl stop "$unit"
  holds "also while the service is down" reelmill diagnostics /root/down.tar.gz
  systemctl start "$unit"
  pid=$(main_pid)
  holds "reload is heard" systemctl reload "$unit"
  holds "the same process goes on" is "$(main_pid)" "$pid"

  drop drained.mp4 20 1280x720
  comes "an attempt runs" 60 running_attempts
  comes "its worker is batch work" 30 has_batch_child "$(main_pid)"
  holds "drain on --wait waits for it" reelmill drain on --wait 900
  holds "and then its task is done" ended_well "$task"
  drop later.mp4 2
  sleep 3
  holds "while draining nothing begins" is "$(status_of "$task")" Init
  reelmill drain off >/dev/null
  comes "afterwards it does" 300 ended_well "$task"

  printf '[Service]\nEnvironment=KEEP=2\n' >/tmp/keep.conf
  mkdir -p /run/systemd/system/reelmill-backup.service.d
  mv /tmp/keep.conf /run/systemd/system/reelmill-backup.service.d/
  systemctl daemon-reload
  holds "the backup timer can be enabled" systemctl enable --quiet --now reelmill-backup.timer
  holds "and has a next time" has reelmill-backup <(systemctl list-timers --no-legend --no-pager)
  for _ in 1 2 3; do
    holds "a backup is made" systemctl start reelmill-backup.service
    sleep 1.1
  done
  kept=$(find /var/lib/reelmill/backups -name 'reelmill-*.db' | wc -l)
  holds "so many are kept as was said" is "$kept" 2
  rm -r /run/systemd/system/reelmill-backup.service.d
  systemctl daemon-reload
}

# It is cleared away just after the task has ended.
nothing_in_scratch() { is "$(find /var/cache/reelmill -mindepth 1 -maxdepth 1 -type d -regex '.*/[0-9a-f]+' | wc -l)" 0; }

# An upgrade while a task runs. $1: deb or rpm, $2: the file, $3: the seconds that the upgrade may wait for attempts.
upgrade() {
  local kind=$1 file=$2 began pid tasks=
  export REELMILL_UPGRADE_DRAIN_S=$3
  drop "during-$3.mp4" 20 1280x720
  comes "an attempt runs" 60 running_attempts
  comes "its worker is batch work" 30 has_batch_child "$(main_pid)"
  pid=$(main_pid)
  began=$SECONDS
  case $kind in
    deb) apt-get install --yes --no-install-recommends --allow-downgrades "$file" >/tmp/upgrade.out 2>&1 || { cat /tmp/upgrade.out; fail "the upgrade"; } ;;
    rpm) rpm --upgrade --nodeps "$file" >/tmp/upgrade.out 2>&1 || { cat /tmp/upgrade.out; fail "the upgrade"; } ;;
  esac
  holds "the upgrade waited for what runs" has "^reelmill: waiting up to $3 s for 1 attempt" /tmp/upgrade.out
  ok "it took $((SECONDS - began)) s"
  holds "the service is active again" active
  holds "with the new program" is_new_pid "$pid"
  comes "the task that ran is done" 900 ended_well "$task"
  tasks=$(reelmill task list --json | grep -c "during-$3.mp4")
  holds "once" is "$tasks" 1
  holds "its outputs are there once" test -s "$renditions/during-$3/720p.mp4" -a ! -e "$renditions/during-$3-2"
  comes "nothing is left in scratch" 20 nothing_in_scratch
}

# The form of the database: user_version of its header, big-endian.
form_of() { od -An -tu1 -j60 -N4 "$1" | awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }'; }
# Without the header, in which SQLite counts who opened it.
sum_of() { tail -c +101 "$1" | sha256sum; }

# Databases of other forms. /packages/older.db is one of an older release, with a token that is called from-before.
forms() {
  local database=/var/lib/reelmill/reelmill.db present older
  systemctl stop "$unit"
  present=$(form_of "$database")
  older=$(form_of /packages/older.db)
  holds "form $older is older than $present" test "$older" -lt "$present"
  cp -a "$database" /tmp/present.db
  holds "the file of a stopped daemon is whole: its log is empty" test ! -s "$database-wal"
  install -o reelmill -g reelmill -m 0600 /packages/older.db "$database"
  holds "a database of form $older is taken over" systemctl start "$unit"
  holds "what was in it is known" has from-before <(reelmill token list)
  holds "it was copied before" is "$(form_of "$database.before-upgrade-$older")" "$older"
  holds "the copy is nobody else's" is "$(stat -c '%U %a' "$database.before-upgrade-$older")" "reelmill 600"
  holds "the journal tells of both" has "upgrading the database.*from=$older to=$present" <(journalctl --unit=reelmill --no-pager -o verbose)
  systemctl stop "$unit"
  holds "its form is the present one" is "$(form_of "$database")" "$present"

  # As an older program finds what a newer one left behind.
  cp -a /tmp/present.db "$database"
  printf '\0\0\0\143' | dd of="$database" bs=1 seek=60 conv=notrunc status=none
  present=$(sum_of "$database")
  holds "a database of a newer form is refused" bash -c "! systemctl start $unit"
  holds "and the journal says why" said 'it was written by a newer reelmill (form 99'
  holds "and what to do" said 'Install the newer version again, or restore the backup'
  systemctl stop "$unit"
  holds "nothing was changed in it" is "$(sum_of "$database")" "$present"
  holds "nor its form" is "$(form_of "$database")" 99
  cp -a /tmp/present.db "$database"
  rm -f "$database".before-upgrade-*
  holds "with its own again it starts" systemctl start "$unit"
  holds "and remembers" ended_well "$(newest_task)"
}

# An upgrade that cannot start again leaves a package that is installed, and says so. $1: a .deb.
upgrade_fails() {
  cp -a /etc/reelmill/reelmill.toml /tmp/reelmill.toml
  sed -i 's/^\[server\]/[server]\nnonsense = 1/' /etc/reelmill/reelmill.toml
  apt-get install --yes --no-install-recommends --allow-downgrades "$1" >/tmp/upgrade.out 2>&1 || { cat /tmp/upgrade.out; fail "the upgrade"; }
  holds "an upgrade with a wrong configuration says that the daemon did not start" has '^reelmill: reelmill.service did not start again' /tmp/upgrade.out
  holds "the package is installed" has '^Status: install ok installed' <(dpkg --status reelmill)
  holds "the journal names the line" said 'nonsense'
  cp -a /tmp/reelmill.toml /etc/reelmill/reelmill.toml
  comes "once it is right the service comes back by itself" 60 active
}

stops() {
  local began
  drop stopped.mp4 20 1280x720
  comes "an attempt runs" 60 running_attempts
  comes "its worker is batch work" 30 has_batch_child "$(main_pid)"
  began=$SECONDS
  holds "a stop ends well" systemctl stop "$unit"
  ok "after $((SECONDS - began)) s"
  holds "as a success" is "$(of_unit Result)" success
  holds "nothing of it runs any more" bash -c '! pgrep -u reelmill'
  systemctl start "$unit"
  comes "what was given back is done after the start" 900 ended_well "$task"
}

removed() {
  holds "the service is gone" bash -c "! systemctl is-active --quiet $unit"
  holds "nothing of it runs any more" bash -c '! pgrep -u reelmill'
  holds "the program is gone" test ! -e /usr/bin/reelmill
  holds "state is kept" test -s /var/lib/reelmill/reelmill.db
  holds "what was made is kept" test -s "$renditions/clip/1080p.mp4"
}

remove_deb() {
  apt-get remove --yes reelmill >/tmp/remove.out 2>&1 || { cat /tmp/remove.out; fail "the removal"; }
  removed
  holds "the configuration is kept" test -s /etc/reelmill/reelmill.toml
  apt-get install --yes --no-install-recommends "$1" >/tmp/again.out 2>&1 || { cat /tmp/again.out; fail "installing again"; }
  holds "installed again it is active" active
  holds "and remembers" ended_well "$(newest_task)"
  apt-get purge --yes reelmill >/tmp/purge.out 2>&1 || { cat /tmp/purge.out; fail "the purge"; }
  holds "after a purge state is gone" test ! -e /var/lib/reelmill
  holds "and scratch" test ! -e /var/cache/reelmill
  holds "and the configuration" test ! -e /etc/reelmill/reelmill.toml
  holds "media are kept" test -s "$renditions/clip/1080p.mp4"
  holds "no unit is left behind" is "$(systemctl list-unit-files --no-legend 'reelmill*')" ""
}

remove_rpm() {
  rpm --erase reelmill >/tmp/remove.out 2>&1 || { cat /tmp/remove.out; fail "the removal"; }
  removed
  holds "no unit is enabled any more" bash -c '! ls /etc/systemd/system/*.wants/reelmill* 2>/dev/null'
}

"$@"
