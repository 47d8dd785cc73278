#!/usr/bin/env bash
# Builds the packages: target/packages/reelmill_VERSION-REVISION_ARCH.deb and reelmill-VERSION-REVISION.ARCH.rpm.
# usage: packaging/build.sh [--binary FILE] [--revision N] [--out DIRECTORY]
#
# Without --binary the release program is built first, with its own FFmpeg inside (packaging/ffmpeg/cargo.sh; about half
# an hour on two cores from nothing). With it a program that exists is packed, to test the packaging: one that needs
# libraries of the distribution gets them as dependencies of the .deb.
# --revision is what a package of the same version is counted with (1).
# SOURCE_DATE_EPOCH (by default the time of the last commit) is the only time in the packages: the same program and
# revision give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD

binary=''
revision=1
out=$top/target/packages
while [ $# -gt 0 ]; do
  case $1 in
    --binary) binary=$(realpath "$2") ;;
    --revision) revision=$2 ;;
    --out) mkdir -p "$2" && out=$(realpath "$2") ;;
    *) echo "usage: packaging/build.sh [--binary FILE] [--revision N] [--out DIRECTORY]" >&2; exit 2 ;;
  esac
  shift 2
done
say() { echo "== $*" >&2; }

packaging/prerequisites.sh packages
for tool in cargo-deb cargo-generate-rpm; do
  command -v "$tool" >/dev/null || { say "installing $tool"; cargo install --quiet --locked "$tool"; }
done
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.toml)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022

given=$binary
if [ -z "$binary" ]; then
  make --no-print-directory dashboard
  packaging/ffmpeg/cargo.sh build --release --locked
  binary=$top/target/static/release/reelmill
fi

# --- what is not in the repository -----------------------------------------------------------------------------------------
stage=$top/target/packages/stage
rm -rf "$stage"
mkdir -p "$stage"/{man,completions,deb,rpm} "$out"
strip --strip-unneeded --remove-section=.comment -o "$stage/reelmill" "$binary"

# The program writes its own pages. It is asked with an empty environment, so that nothing of this machine gets in.
program() { env -i HOME=/nonexistent PATH=/usr/bin:/bin LC_ALL=C "$stage/reelmill" "$@"; }
program manual "$stage/man" --date "$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)"
gzip -9n "$stage"/man/*
program completions bash > "$stage/completions/reelmill"
program completions zsh > "$stage/completions/_reelmill"
program completions fish > "$stage/completions/reelmill.fish"

cat config/reelmill.toml packaging/installed/storages.toml > "$stage/reelmill.toml"
gzip -9nc packaging/CHANGELOG.md > "$stage/changelog.gz"
cat > "$stage/changelog.Debian" <<TEXT
reelmill ($version-$revision) stable; urgency=medium

  * This release; changelog.gz says what is new in it.

 -- $(sed -n 's/^maintainer = "\(.*\)"/\1/p' Cargo.toml)  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
TEXT

# Scriptlets: how this distribution does it, what both do, and when.
for script in packaging/scripts/deb/*; do
  { printf '#!/bin/sh\nset -e\n'; cat packaging/scripts/{deb,body}.sh "$script"; echo 'exit 0'; } \
    | grep -v '^ *# shellcheck ' > "$stage/deb/$(basename "$script")"
done
for script in packaging/scripts/rpm/*; do
  # Without `set -e`: a scriptlet that fails leaves a host between two versions.
  { cat packaging/scripts/{rpm,body}.sh "$script"; echo 'exit 0'; } | grep -v '^ *# shellcheck ' > "$stage/rpm/$(basename "$script")"
done

# Which libraries it needs, and of which versions.
needed=$(readelf -d "$stage/reelmill" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort)
is_static=yes
if grep -q '^libav' <<< "$needed"; then is_static=no; fi
say "libraries: $(tr '\n' ' ' <<< "$needed")"
newest=$(readelf -V "$stage/reelmill" | grep -oE 'GLIBC_[0-9.]+' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
if [ "$is_static" = yes ]; then
  if grep -vxE 'lib[cm]\.so\.6|libgcc_s\.so\.1|ld-linux-(x86-64|aarch64)\.so\.[12]' <<< "$needed" >&2; then
    echo "the program needs the libraries above, which a host may not have" >&2
    exit 1
  fi
  if [ "$(printf '%s\n2.36\n' "$newest" | sort -V | tail -n 1)" != 2.36 ]; then
    echo "the program needs glibc $newest; build it where glibc is 2.36 or older" >&2
    exit 1
  fi
fi
say "newest glibc symbol: $newest"
ffmpeg=()
if [ "$is_static" = yes ]; then ffmpeg=("$top/target/ffmpeg"); fi
packaging/bill.py "$stage/reelmill" "$version" "$stage/reelmill.spdx.json" "$stage/THIRD-PARTY-LICENSES" "${ffmpeg[@]}"
gzip -9n "$stage/reelmill.spdx.json" "$stage/THIRD-PARTY-LICENSES"

# What an rpm requires: each library, and each version of its symbols, in rpm's spelling.
{
  echo "release = \"$revision\""
  echo '[requires]'
  echo '"/bin/sh" = "*"'
  # The units speak the language of this version; the .deb says the same.
  echo '"systemd" = ">= 252"'
  for library in $needed; do echo "\"$library()(64bit)\" = \"*\""; done
  readelf -V "$stage/reelmill" | awk '/File: / { file = $5 } /Name: / { sub(/.*Name: /, ""); print file, $1 }' | sort -u \
    | while read -r library symbols; do echo "\"$library($symbols)(64bit)\" = \"*\""; done
} > "$stage/rpm.toml"

# --- the packages ----------------------------------------------------------------------------------------------------------
# Times of files become times in packages.
find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
# What is only packed for a test need not be small.
fast=()
compression=zstd
if [ -n "$given" ]; then
  fast=(--fast --compress-type gz)
  compression=gzip
fi
# The system's compressor: the one inside takes minutes for what this one does in seconds.
cargo deb --quiet --compress-system "${fast[@]}" --no-build --no-strip --deb-revision "$revision" --output "$out/"
cargo generate-rpm --metadata-overwrite "$stage/rpm.toml" --payload-compress "$compression" \
  --source-date "$SOURCE_DATE_EPOCH" --output "$out/"
find "$out" -maxdepth 1 -name "reelmill?${version}-${revision}[._]*" -printf '%s bytes  %p\n' | sort -k3
