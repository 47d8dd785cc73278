#!/usr/bin/env bash
# Makes a signed repository of what packaging/build.sh built: apt's in DIRECTORY/deb, dnf's in DIRECTORY/rpm.
# usage: packaging/repository.sh DIRECTORY KEY [PACKAGES]
#
# KEY is what gpg knows the secret key by (a fingerprint); its public half is written to DIRECTORY/reelmill.asc.
# PACKAGES (target/packages) is the folder of the .deb and .rpm. What DIRECTORY held before stays in it: older versions can be
# installed as long as they lie there. DIRECTORY is then served as it is, by any web server or from a disk.
set -euo pipefail
[ $# -ge 2 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
mkdir -p "$1"
repository=$(cd "$1" && pwd)
key=$2
packages=$(cd "${3:-$(dirname "$0")/../target/packages}" && pwd)
for tool in apt-ftparchive gpg createrepo_c rpmsign; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install apt-utils gpg createrepo-c rpm" >&2; exit 1; }
done
shopt -s nullglob
debs=("$packages"/reelmill_*.deb)
rpms=("$packages"/reelmill-*.rpm)
if [ ${#debs[@]} -eq 0 ] || [ ${#rpms[@]} -eq 0 ]; then echo "no packages in $packages; run packaging/build.sh" >&2; exit 1; fi

gpg --batch --yes --armor --export "$key" > "$repository/reelmill.asc"
[ -s "$repository/reelmill.asc" ] || { echo "gpg knows no key $key" >&2; exit 1; }

# --- apt: pool, indexes, and the Release file that vouches for them -----------------------------------------------------------
mkdir -p "$repository/deb/pool"
cp -n "${debs[@]}" "$repository/deb/pool/"
cd "$repository/deb"
for architecture in amd64 arm64; do
  index=dists/stable/main/binary-$architecture
  mkdir -p "$index"
  apt-ftparchive --arch "$architecture" packages pool > "$index/Packages"
  gzip -9nkf "$index/Packages"
done
apt-ftparchive -o APT::FTPArchive::Release::Origin=reelmill -o APT::FTPArchive::Release::Label=reelmill \
  -o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=stable \
  -o APT::FTPArchive::Release::Components=main -o APT::FTPArchive::Release::Architectures="amd64 arm64" \
  release dists/stable > Release.new
mv Release.new dists/stable/Release
gpg --batch --yes --local-user "$key" --clearsign --output dists/stable/InRelease dists/stable/Release
gpg --batch --yes --local-user "$key" --armor --detach-sign --output dists/stable/Release.gpg dists/stable/Release

# --- dnf: each package signed, then the metadata -----------------------------------------------------------------------------
mkdir -p "$repository/rpm"
for rpm in "${rpms[@]}"; do
  name=$(basename "$rpm")
  [ -e "$repository/rpm/$name" ] && continue
  # It gets its name when it is signed: what a run that broke off leaves behind is never taken for one. rpm of Debian looks for a gpg2.
  cp "$rpm" "$repository/rpm/.$name.new"
  rpmsign --define "_gpg_name $key" --define "__gpg $(command -v gpg)" --addsign "$repository/rpm/.$name.new" >/dev/null
  mv "$repository/rpm/.$name.new" "$repository/rpm/$name"
done
createrepo_c --quiet --update "$repository/rpm"
gpg --batch --yes --local-user "$key" --armor --detach-sign --output "$repository/rpm/repodata/repomd.xml.asc" \
  "$repository/rpm/repodata/repomd.xml"

cat <<TEXT
apt, /etc/apt/sources.list.d/reelmill.sources, with reelmill.asc in /etc/apt/keyrings:
  Types: deb
  URIs: https://YOUR.HOST/deb
  Suites: stable
  Components: main
  Signed-By: /etc/apt/keyrings/reelmill.asc
dnf, /etc/yum.repos.d/reelmill.repo:
  [reelmill]
  name=reelmill
  baseurl=https://YOUR.HOST/rpm
  enabled=1
  gpgcheck=1
  repo_gpgcheck=1
  gpgkey=https://YOUR.HOST/reelmill.asc
TEXT
