#!/bin/bash
# The daemon on real NFS 4.2 and SMB 3, in a virtual machine, because the kernel of a build machine seldom has either.
#
# usage: tests/nas.sh [BINARY]         BINARY: target/release/reelmill, else target/debug/reelmill
#
# Needs root, qemu-system-x86_64, mmdebstrap, mke2fs, cpio, dpkg, busybox-static and a Debian mirror (bookworm); 3 GB and a
# few minutes in target/nas, of which the system of the machine is kept for the next time (remove it to have it made anew). No KVM:
# the processor is emulated, so nothing here is a measurement. In the machine, all over loopback:
#   1. a share is mounted, empty, before the daemon starts: it is polled, and its file system has its name;
#   2. a file written on the server's side, which inotify does not hear of, arrives, settles by the rule of that file
#      system, runs once, and its copy is published to the same share;
#   3. the copy, met by later scans, starts nothing;
#   4. (NFS) the server is stopped: the storage becomes unavailable or frozen, a local storage goes on, and the daemon
#      stops and starts again meanwhile; the server is back: it goes on, nothing runs again, what came meanwhile runs;
#      (SMB) the share is unmounted in the middle: frozen, nothing is written into the hole; mounted again: it goes on.
# Says "passed" at its end, or what it waited for in vain with the daemon's log. Not part of `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${1:-target/release/reelmill}
[ -x "$binary" ] || binary=target/debug/reelmill
[ -x "$binary" ] || { echo "build reelmill first" >&2; exit 2; }
for tool in qemu-system-x86_64 mmdebstrap mke2fs cpio dpkg-deb; do
    command -v "$tool" >/dev/null || { echo "$tool is not here" >&2; exit 2; }
done
[ -x /bin/busybox ] || { echo "busybox-static is not here" >&2; exit 2; }
work=target/nas
mkdir -p "$work"

# The system of the machine: servers, clients, and the libraries that the binary wants.
if [ ! -e "$work/root.whole" ]; then
    rm -rf "$work/root"
    wanted=$(ldd "$binary" | awk '$3 ~ /^\// { print $3 }' | while read -r library; do
        # Those of the root's own packages lie where dpkg does not know them (/usr/lib for /lib), and come anyway.
        { dpkg -S "$(readlink -f "$library")" 2>/dev/null || true; } | head -1 | cut -d: -f1
    done | sort -u | paste -sd,)
    mmdebstrap --variant=minbase \
        --include="systemd-sysv,dbus,nfs-kernel-server,nfs-common,samba,cifs-utils,kmod,iproute2,procps,curl${wanted:+,$wanted}" \
        bookworm "$work/root"
    rm -rf "$work/root/var/cache/apt" "$work/root/var/lib/apt/lists"
    touch "$work/root.whole"
fi
if [ ! -e "$work/vmlinuz" ]; then
    (cd "$work" && apt-get download "$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ { print $2; exit }')")
    dpkg-deb -x "$work"/linux-image-*.deb "$work/kernel"
    cp "$work"/kernel/boot/vmlinuz-* "$work/vmlinuz"
    version=$(ls "$work/kernel/lib/modules")
    mkdir -p "$work/root/lib/modules"
    cp -r "$work/kernel/lib/modules/$version" "$work/root/lib/modules/"
    chroot "$work/root" depmod "$version"
    # A first system that finds the disk and hands over.
    rm -rf "$work/first" && mkdir -p "$work/first/bin" "$work/first/dev" "$work/first/proc" "$work/first/mnt"
    cp /bin/busybox "$work/first/bin/"
    modules=
    for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk; do
        file=$(find "$work/kernel/lib/modules" -name "$module.ko*" | head -1)
        [ -n "$file" ] || continue
        cp "$file" "$work/first/"
        modules="$modules $(basename "$file")"
    done
    cat > "$work/first/init" <<INIT
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
for module in$modules; do /bin/busybox insmod /\$module; done
for tick in 1 2 3 4 5 6 7 8 9; do [ -b /dev/vda ] && break; /bin/busybox sleep 1; done
for module in mbcache crc16 jbd2 crc32c_generic libcrc32c ext4; do
    file=\$(/bin/busybox find / -name "\$module.ko*" -not -path "/proc/*" 2>/dev/null | /bin/busybox head -1)
    [ -n "\$file" ] && /bin/busybox insmod "\$file" 2>/dev/null
done
/bin/busybox mount -t ext4 /dev/vda /mnt
/bin/busybox umount /proc
exec /bin/busybox switch_root /mnt /sbin/init
INIT
    chmod +x "$work/first/init"
    for module in mbcache crc16 jbd2 crc32c_generic libcrc32c ext4; do
        file=$(find "$work/kernel/lib/modules" -name "$module.ko*" | head -1)
        [ -z "$file" ] || cp "$file" "$work/first/"
    done
    (cd "$work/first" && find . | cpio -o -H newc --quiet | gzip -1) > "$work/first.gz"
fi

cp "$binary" "$work/root/usr/bin/reelmill"
strip --strip-debug "$work/root/usr/bin/reelmill"
cp tests/nas_guest.sh "$work/root/usr/local/bin/nas-guest"
chmod +x "$work/root/usr/local/bin/nas-guest"
cat > "$work/root/etc/systemd/system/nas-guest.service" <<'UNIT'
[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=/usr/local/bin/nas-guest
ExecStopPost=/usr/bin/systemctl poweroff -f -f
StandardOutput=file:/dev/ttyS0
StandardError=file:/dev/ttyS0
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p "$work/root/etc/systemd/system/multi-user.target.wants"
for unit in nmbd smbd nfs-server; do
    rm -f "$work/root/etc/systemd/system/multi-user.target.wants/$unit.service"
done
ln -sf ../nas-guest.service "$work/root/etc/systemd/system/multi-user.target.wants/nas-guest.service"

rm -f "$work/disk.img"
mke2fs -q -t ext4 -d "$work/root" "$work/disk.img" 3000M
# No card: its boot ROM would look for a server first.
timeout "${NAS_WITHIN_S:-3600}" qemu-system-x86_64 -accel tcg -m 2048 -smp 2 -nographic -no-reboot -nic none \
    -kernel "$work/vmlinuz" -initrd "$work/first.gz" -drive "file=$work/disk.img,if=virtio,format=raw" \
    -append "console=ttyS0 root=/dev/vda rw quiet panic=-1 systemd.mask=serial-getty@ttyS0.service systemd.default_timeout_start_sec=900" \
    < /dev/null | tee "$work/console"
grep -q "^NAS: passed" "$work/console"
