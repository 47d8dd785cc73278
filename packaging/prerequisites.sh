#!/usr/bin/env bash
# Installs the Debian packages that a build needs and this machine lacks; with `test` also those of the test suite, with
# `static` those of the release's own FFmpeg, with `packages` those of packing, with `booted` those of the packages' tests, with `pages` those of the dashboard, with
# `browser` those of its tests.
# usage: packaging/prerequisites.sh [test|static|packages|booted|pages|browser]
# Prints nothing and needs no rights when all are there; else uses apt-get as root or through sudo.
set -euo pipefail

# clang: libav's headers are read by bindgen at build time. The rest is libav itself.
wanted=(gcc make pkg-config curl clang libclang-dev libavcodec-dev libavformat-dev libavfilter-dev libavdevice-dev
        libavutil-dev libswscale-dev libswresample-dev)
# g++: the kernels as functions of the host, for the stand-in driver. ffmpeg: the independent reader of what we made. libheif-examples: pictures as phones take them. bindfs and a loop ext4: storages that misbehave.
# jq and sqlite3: reading what was recorded. The four servers and openssl: tests/queues starts them itself, on loopback.
servers=(rabbitmq-server nats-server mosquitto redis-server)
[ "${1:-}" = test ] && wanted+=(g++ ffmpeg libheif-examples bindfs sshfs openssh-sftp-server fuse3 e2fsprogs jq sqlite3 shellcheck openssl "${servers[@]}")
# What packaging/ffmpeg/build.sh compiles with, and the libraries it takes from the distribution as .a files.
[ "${1:-}" = static ] && wanted+=(g++ nasm cmake meson ninja-build xz-utils libx264-dev libx265-dev libopus-dev libvpx-dev
        libmp3lame-dev libzimg-dev libnuma-dev zlib1g-dev libass-dev libfreetype-dev libfribidi-dev libfontconfig-dev
        libwebp-dev libexpat1-dev libpng-dev libbrotli-dev uuid-dev libbz2-dev)
# Any node from 18 on will do; the distribution's comes only where there is none at all.
if [ "${1:-}" = pages ] || [ "${1:-}" = browser ]; then
  wanted=()
  command -v node >/dev/null || wanted+=(nodejs)
  command -v npm >/dev/null || wanted+=(npm)
  [ "$1" = browser ] && wanted+=(ffmpeg fonts-noto-cjk) && { command -v chromium >/dev/null || wanted+=(chromium); }
fi
# What packaging/build.sh reads and packs with.
[ "${1:-}" = packages ] && wanted+=(binutils python3 dpkg-dev)
# What packaging/test.sh makes roots with, boots them by, and asks what it thinks of the packages.
[ "${1:-}" = booted ] && wanted=(mmdebstrap systemd systemd-container util-linux procps lintian rpmlint rpm dnf apt-utils gpg gpg-agent createrepo-c)

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "missing packages: ${missing[*]}; install them as root, there is no sudo here" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq

# These packages bring services that nobody asked for: they are neither started now nor with the next boot.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
if [ -d /run/systemd/system ]; then
  for server in "${servers[@]}"; do
    if printf '%s\n' "${missing[@]}" | grep -qx "$server"; then
      "${as_root[@]}" systemctl disable -q "$server" || true
    fi
  done
fi
