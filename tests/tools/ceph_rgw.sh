#!/bin/bash
# One Ceph Object Gateway on loopback, with everything it needs, in a folder: signatures, conditional requests, lists of
# uploads, versions and notifications as on a large installation. Objects live in memory.
#
#   tests/tools/ceph_rgw.sh start FOLDER [PORT]    prints `ENDPOINT ACCESS_KEY SECRET_KEY` when it answers
#   tests/tools/ceph_rgw.sh stop FOLDER
#
# Needs ceph-mon, ceph-osd, ceph-mgr, radosgw and ceph-common (Debian's packages, --no-install-recommends; about 730 MB).
set -euo pipefail

verb=${1:?usage: ceph_rgw.sh start|stop FOLDER [PORT]}
folder=$(realpath -m "${2:?usage: ceph_rgw.sh start|stop FOLDER [PORT]}")
port=${3:-5570}
monitor_port=$((port + 1000))
access=AKRGWREELMILL
secret='secret-of-the-gateway'

stop() {
  for pid_file in "$folder"/run/*.pid; do
    if [ -f "$pid_file" ]; then kill "$(cat "$pid_file")" 2>/dev/null || true; fi
  done
}

# Waits until a command succeeds.
until_it_does() {
  for _ in $(seq 240); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.5
  done
  echo "gave up waiting for: $*" >&2
  return 1
}

listens() { (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
osd_is_up() { ceph -c "$folder/ceph.conf" osd stat | grep -q '1 up'; }

start() {
  mkdir -p "$folder"/{run,log,mon,osd,mgr,rgw}
  cluster=$(uuidgen)
  cat >"$folder/ceph.conf" <<CONF
[global]
fsid = $cluster
mon_initial_members = a
mon_host = [v1:127.0.0.1:$monitor_port]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
ms_bind_msgr2 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
keyring = /dev/null
run_dir = $folder/run
log_file = $folder/log/\$name.log
admin_socket = $folder/run/\$name.asok
pid_file = $folder/run/\$name.pid
mon_data = $folder/mon
mgr_data = $folder/mgr
osd_data = $folder/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
mon_data_avail_crit = 1
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off

[client.rgw.a]
rgw_data = $folder/rgw
rgw_frontends = beast endpoint=127.0.0.1:$port
rgw_enable_apis = s3, notifications, admin
rgw_dynamic_resharding = false
CONF
  conf=(-c "$folder/ceph.conf")
  {
    monmaptool --create --clobber --fsid "$cluster" --addv a "[v1:127.0.0.1:$monitor_port]" "$folder/monmap"
    ceph-mon "${conf[@]}" -i a --mkfs --monmap "$folder/monmap"
    ceph-mon "${conf[@]}" -i a
    until_it_does ceph "${conf[@]}" --connect-timeout 5 -s
    disk=$(uuidgen)
    ceph "${conf[@]}" osd new "$disk"
    ceph-osd "${conf[@]}" -i 0 --mkfs --osd-uuid "$disk"
    ceph-osd "${conf[@]}" -i 0
    ceph-mgr "${conf[@]}" -i a
    until_it_does osd_is_up
    radosgw "${conf[@]}" -n client.rgw.a
    until_it_does listens
    radosgw-admin "${conf[@]}" user create --uid=reelmill --display-name=reelmill \
      --access-key="$access" --secret-key="$secret"
  } >"$folder/log/start.log" 2>&1 || {
    tail -20 "$folder/log/start.log" >&2
    stop
    exit 1
  }
  echo "http://127.0.0.1:$port $access $secret"
}

case $verb in
  start) start ;;
  stop) stop ;;
  *) echo "usage: ceph_rgw.sh start|stop FOLDER [PORT]" >&2; exit 2 ;;
esac
