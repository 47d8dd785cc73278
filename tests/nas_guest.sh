#!/bin/bash
# What tests/nas.sh does within the virtual machine: see there.
set -u
say() { echo "NAS: $*"; }
log=/var/log/reelmill.log
fail() {
    say "FAILED: $*"
    tail -60 "$log"
    api storages
    api 'tasks?limit=20'
    exit 1
}
api() { curl -sS --max-time 60 -H "Authorization: Bearer $(cat /var/lib/reelmill/admin.token)" "http://127.0.0.1:8080/api/v1/$1"; echo; }
# Waits until a command says yes; emulated time is slow.
until_holds() {
    local what=$1
    shift
    for _ in $(seq 1 240); do
        "$@" && return 0
        sleep 1
    done
    fail "waited for $what"
}
has() { api "$1" | tr -d ' ' | grep -q -- "$2"; }
lacks() { ! has "$@"; }
ran() { [ "$(api 'tasks?limit=500' | grep -o '"status":"Succeed"' | wc -l)" = "$1" ]; }

ip link set lo up
mkdir -p /export /srv/s /mnt/nfs /mnt/smb /var/lib/reelmill /var/cache/reelmill /etc/reelmill/workflows /etc/reelmill/hooks /srv/local
chmod 777 /export /srv/s
echo '/export 127.0.0.1(rw,fsid=0,no_subtree_check,no_root_squash,insecure)' > /etc/exports
printf '[global]\nmap to guest = Bad User\nserver min protocol = SMB3_00\nsmb ports = 445\n[s]\npath = /srv/s\nguest ok = yes\nread only = no\nforce user = root\n' > /etc/samba/smb.conf
say "here, kernel $(uname -r)"
modprobe nfsd || fail "no nfsd"
modprobe cifs || fail "no cifs"
# Tried at the boot, before anything loaded its module.
systemctl reset-failed
systemctl start proc-fs-nfsd.mount
if ! { systemctl start nfs-server && exportfs -ra; }; then
  fail "no NFS server: $(systemctl status --no-pager nfs-server | tail -5)"
fi
# By hand: the unit's time limit is too short for an emulated machine under load.
mkdir -p /run/samba /var/lib/samba/private
smbd -D || fail "no SMB server"
until_holds "NFS" mount -t nfs4 -o vers=4.2,timeo=50,retrans=2 127.0.0.1:/ /mnt/nfs
until_holds "SMB" mount -t cifs //127.0.0.1/s /mnt/smb -o guest,vers=3.0
say "mounted: $(stat -f -c %T /mnt/nfs) $(stat -f -c %T /mnt/smb)"

{
    printf '[server]\nlisten = "127.0.0.1:8080"\nstate_dir = "/var/lib/reelmill"\nscratch_dir = "/var/cache/reelmill"\n'
    printf 'workflows_dir = "/etc/reelmill/workflows"\nhooks_dir = "/etc/reelmill/hooks"\n'
    printf '[[storage]]\nname = "nfs"\nkind = "folder"\npath = "/mnt/nfs"\npoll_interval_s = 3\n'
    printf '[[storage]]\nname = "smb"\nkind = "folder"\npath = "/mnt/smb"\npoll_interval_s = 3\nsettle_interval_s = 5\n'
    printf '[[storage]]\nname = "local"\nkind = "folder"\npath = "/srv/local"\n'
} > /etc/reelmill/reelmill.toml
for storage in nfs smb; do
    printf 'name = "%s"\n[source]\nstorage = "%s"\nextensions = ["*"]\n[[activity]]\nid = "keep"\ntype = "copy"\nstorage = "%s"\nprefix = "kept/"\n' \
        $storage $storage $storage > /etc/reelmill/workflows/$storage.toml
done
printf 'name = "local"\n[source]\nstorage = "local"\nextensions = ["*"]\n[[activity]]\nid = "n"\ntype = "noop"\n' > /etc/reelmill/workflows/local.toml
serve() {
    reelmill serve --config /etc/reelmill/reelmill.toml >> "$log" 2>&1 &
    daemon=$!
    until_holds "READY" curl -sf -o /dev/null http://127.0.0.1:8080/readyz
}
stop() {
    kill -TERM $daemon
    wait $daemon || fail "it did not stop well"
}
serve
for storage in nfs smb; do
    until_holds "the first scan of $storage" has storages/$storage '"last_scan_at":"'
    has storages/$storage '"watch":"poll"' || fail "$storage is not polled"
done
has storages/nfs '"file_system":"nfs"' || fail "nfs is not known as such"
has storages/smb '"file_system":"smb2"' || has storages/smb '"file_system":"cifs"' || fail "smb is not known as such"
say "both are polled"

# Written behind the mounts, as another host would.
echo one > /export/a.bin
echo two > /srv/s/b.bin
until_holds "both files to run" ran 2
[ "$(cat /export/kept/a.bin)" = one ] || fail "the copy on the NFS share is not whole"
[ "$(cat /srv/s/kept/b.bin)" = two ] || fail "the copy on the SMB share is not whole"
say "remote writes arrive, copies are published"
sleep 40
ran 2 || fail "own outputs ran"
has 'storages/nfs/explain?key=kept/a.bin' 'ourselves' || fail "the copy is not known as ours"
say "own outputs start nothing"

systemctl stop nfs-server
until_holds "nfs to be unavailable" lacks storages/nfs '"status":"available"'
say "stopped: $(api storages/nfs | grep -o '"why":"[^"]*"')"
echo three > /srv/local/c.bin
until_holds "the local storage to go on" ran 3
stop
say "stopped while the share hung"
serve
echo four > /srv/local/d.bin
until_holds "the local storage to go on after a start" ran 4
echo five > /export/e.bin
systemctl start nfs-server
exportfs -ra
until_holds "nfs to be back" has storages/nfs '"status":"available"'
until_holds "what came meanwhile to run" ran 5
sleep 40
ran 5 || fail "something ran again"
say "NFS is back, nothing ran twice"

umount -l /mnt/smb
until_holds "smb to be frozen" has storages/smb '"status":"frozen"'
echo six > /srv/s/f.bin
sleep 20
[ -z "$(ls -A /mnt/smb)" ] || fail "something was written into the hole"
until_holds "SMB" mount -t cifs //127.0.0.1/s /mnt/smb -o guest,vers=3.0
until_holds "smb to be back" has storages/smb '"status":"available"'
until_holds "what came meanwhile to run" ran 6
sleep 40
ran 6 || fail "something ran again"
say "SMB is back, nothing ran twice"
stop
say passed
