#!/usr/bin/env bash
# Both packages, from their files to their last trace: installed, used, crashed, hung, upgraded, removed and purged in fresh
# roots of Debian that are booted with their own systemd. Needs root; about ten minutes on two cores that are free.
# usage: packaging/test.sh [--if-changed] [--binary FILE] [--previous FILE.deb] [--suites "bookworm trixie"] [--only WORD] [--keep]
#
# --binary packs that program instead of building the release. One that needs libraries of the distribution is tried only
# in the suite they are of: the roots get its dependencies.
# --previous is the package that upgrades begin with; without it the same program is packed with a lower revision.
# --only files | deb | rpm | dnf | apt does one part. --keep leaves the roots in target/roots/test as they are at the end.
# --if-changed does nothing where what packages are made of is what passed last: a run of everything that ends well writes
# its sum into packaging/tested.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
boot=tests/tools/boot_root.sh

# Everything that shapes a package but the program in it and the words around it.
sum_of_inputs() {
  {
    awk '/^\[/ { wanted = /^\[package\.metadata/ } wanted' Cargo.toml
    find packaging systemd config -type f ! -name '*.md' ! -name '*.pyc' ! -path 'packaging/ffmpeg/*' ! -path packaging/tested \
      ! -path packaging/demo.sh ! -path packaging/prerequisites.sh | LC_ALL=C sort | while read -r file; do
      printf '%s\n' "$file"
      cat "$file"
    done
  } | sha256sum | cut -d' ' -f1
}

binary='' previous='' suites='bookworm trixie' only='' keep=''
while [ $# -gt 0 ]; do
  case $1 in
    --binary) binary=$(realpath "$2"); shift ;;
    --previous) previous=$(realpath "$2"); shift ;;
    --suites) suites=$2; shift ;;
    --only) only=$2; shift ;;
    --keep) keep=yes ;;
    --if-changed)
      if [ "$(sum_of_inputs)" = "$(cut -d' ' -f1 packaging/tested)" ]; then
        echo "packages: nothing of theirs changed since they passed, $(cut -d' ' -f2- packaging/tested)"
        exit 0
      fi ;;
    *) echo "usage: packaging/test.sh [--if-changed] [--binary FILE] [--previous FILE.deb] [--suites LIST] [--only files|deb|rpm|dnf|apt] [--keep]" >&2; exit 2 ;;
  esac
  shift
done
[ "$(id -u)" -eq 0 ] || { echo "packaging/test.sh boots roots, which only root can" >&2; exit 2; }
packaging/prerequisites.sh booted
roots=$top/target/roots/test
out=$top/target/packages/test
mkdir -p "$roots" "$out"
began=$SECONDS

say() { printf '== %s (%d s)\n' "$*" "$((SECONDS - began))"; }
fail() { echo "NOT ok  $*"; exit 1; }
wanted() { [ -z "$only" ] || [ "$only" = "$1" ]; }

booted=''
cleanup() {
  if [ -n "$booted" ]; then $boot stop "$booted" || true; fi
  if [ -z "$keep" ]; then rm -rf "$roots"; fi
}
trap cleanup EXIT

# --- the packages ----------------------------------------------------------------------------------------------------------
pack() { packaging/build.sh ${binary:+--binary "$binary"} --revision "$1" --out "$out/$1" >"$out/build-$1.log" 2>&1 || { cat "$out/build-$1.log"; fail "packing"; }; }
one() { find "$out/$1" -maxdepth 1 -name "*.$2" | head -n 1; }
rm -rf "$out"/[0-9]*
say "packing revision 1 and 2"
pack 1
pack 2
deb=$(one 2 deb) rpm=$(one 2 rpm)
old_deb=${previous:-$(one 1 deb)} old_rpm=$(one 1 rpm)
for file in "$deb" "$rpm"; do printf '  %12d bytes  %s\n' "$(stat -c %s "$file")" "$(basename "$file")"; done
printf '  %12d bytes  the program in it\n' "$(dpkg-deb --fsys-tarfile "$deb" | tar -xOf - ./usr/bin/reelmill | wc -c)"

# A database as the last form but the present one had it, with something in it that can be found again.
older_database() {
  local form
  form=$(find src/store/upgrade -name 'v*_to_v*.sql' | sed 's/.*v\([0-9]*\)_to_.*/\1/' | sort -n | tail -n 1)
  python3 - "src/store/upgrade/v$form.sql" "$form" "$1" <<'PYTHON'
import sqlite3
import sys
schema, form, target = sys.argv[1:]
with sqlite3.connect(target) as database:
    database.executescript(open(schema).read() + f"\n;pragma user_version = {form};")
    database.execute("insert into tokens (id, name, role, sha256, created_ms) values (?, 'from-before', 'viewer', ?, 1)", ("0" * 32, "0" * 64))
PYTHON
}
rm -f "$out/older.db"
older_database "$out/older.db"

# What the .deb depends on beyond what every root has; a static program has nothing of it.
mapfile -t libraries < <(dpkg-deb --field "$deb" Depends | tr ',' '\n' | sed 's/([^)]*)//; s/|.*//; s/[[:space:]]//g' | grep -E '^lib' | grep -vxE 'libc6|libgcc-s1' || true)
if [ ${#libraries[@]} -gt 0 ]; then
  say "the program needs ${#libraries[@]} libraries of this distribution: only its own suite is tried"
  suites=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
fi

# --- what can be said without installing ------------------------------------------------------------------------------------
files() {
  local score required
  say "lintian"
  lintian --fail-on error,warning --tag-display-limit 0 "$deb"
  say "rpmlint"
  rpmlint --config packaging/rpmlint.toml "$rpm"
  say "units"
  score=$(systemd-analyze security --offline=true --threshold=17 systemd/reelmill.service | sed -n 's/.*exposure level[^:]*: \([0-9.]*\).*/\1/p') \
    || fail "the unit is more exposed than 1.7"
  echo "  ok  systemd-analyze security --offline=true: $score"
  required=$(rpm --query --package --requires "$rpm" | grep -vE '^(libc\.so\.6|libm\.so\.6|libgcc_s\.so\.1|ld-linux-(x86-64|aarch64)\.so\.[12])(\(|$)|^/bin/sh$|^systemd >= 252$|^config\(reelmill\) = |^rpmlib\(' || true)
  if [ ${#libraries[@]} -eq 0 ] && [ -n "$required" ]; then echo "$required"; fail "the .rpm requires more than libc, libm, libgcc_s and systemd"; fi
  for required in 'libc.so.6()(64bit)' 'libgcc_s.so.1()(64bit)' 'systemd >= 252'; do
    rpm --query --package --requires "$rpm" | grep -qxF "$required" || fail "the .rpm does not require $required"
  done
  for file in "$deb" "$rpm"; do
    case $(basename "$file") in reelmill_*-2_*.deb | reelmill-*-2.*.rpm) ;; *) fail "$file is not revision 2" ;; esac
  done
  [ "$(rpm --query --package --queryformat '%{RELEASE}' "$rpm")" = 2 ] || fail "the .rpm says it is of another revision"
  echo "  ok  the .rpm requires $(rpm --query --package --requires "$rpm" | sed 's/(.*//' | sort -u | tr '\n' ' ')"
}

# --- in booted roots --------------------------------------------------------------------------------------------------------
root_of() { # SUITE PACKAGE...
  local suite=$1
  shift
  booted=''
  $boot make "$suite" "$roots/$suite" ca-certificates procps "$@" "${libraries[@]}"
  mkdir -p "$roots/$suite/packages"
  # The clip of a step must not be seen by the next one as another.
  cp packaging/test_inside.sh "$out/older.db" "$roots/$suite/packages/"
  $boot start "$roots/$suite"
  booted=$roots/$suite
}
step() {
  say "$*"
  $boot run "$booted" /packages/test_inside.sh "$@" </dev/null || fail "$*"
}
end_root() {
  $boot stop "$booted"
  booted=''
}

deb_in() {
  say "$1: .deb"
  root_of "$1"
  cp "$deb" "$booted/packages/new.deb"
  cp "$old_deb" "$booted/packages/old.deb"
  step install_deb /packages/old.deb
  step job
  step restarts
  step hardening
  step operations
  # Once in time for the attempt to end, once not: it is stopped then and runs again.
  step upgrade deb /packages/new.deb 900
  step upgrade deb /packages/old.deb 1
  step forms
  step upgrade_fails /packages/new.deb
  step stops
  step remove_deb /packages/new.deb
  end_root
}

rpm_in() {
  say "$1: .rpm by rpm's own scriptlets"
  root_of "$1" rpm
  cp "$rpm" "$booted/packages/new.rpm"
  cp "$old_rpm" "$booted/packages/old.rpm"
  step install_rpm /packages/old.rpm
  step job
  step upgrade rpm /packages/new.rpm 900
  step forms
  step remove_rpm
  end_root
}

# --- a signed repository, as apt and dnf read it -------------------------------------------------------------------------------
# Both revisions in one repository that is signed with a key made for it.
signed_repository() {
  local key work=$out/repository
  [ ! -e "$work/rpm/repodata/repomd.xml.asc" ] || return 0
  rm -rf "$work" "$out/gnupg"
  mkdir -m 700 "$out/gnupg"
  export GNUPGHOME=$out/gnupg
  gpg --quiet --batch --passphrase '' --quick-generate-key 'reelmill test' rsa3072 sign 1d 2>/dev/null
  key=$(gpg --list-keys --with-colons 'reelmill test' 2>/dev/null | awk -F: '/^fpr/ { print $10; exit }')
  for revision in 1 2; do
    packaging/repository.sh "$work" "$key" "$out/$revision" >"$out/repository.log" 2>&1 || { cat "$out/repository.log"; fail "repository.sh"; }
  done
  gpgconf --kill gpg-agent
  unset GNUPGHOME
}

apt_reads() {
  local work=$out/apt options
  say "apt from the signed repository"
  signed_repository
  rm -rf "$work"
  mkdir -p "$work"/{parts,lists/partial,cache/archives/partial}
  printf 'Types: deb\nURIs: file:%s\nSuites: stable\nComponents: main\nSigned-By: %s\n' "$out/repository/deb" "$out/repository/reelmill.asc" \
    >"$work/parts/reelmill.sources"
  options=(-qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/parts" -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
    -o APT::Sandbox::User=root)
  apt-get "${options[@]}" -o APT::Update::Error-Mode=any update || fail "apt does not take the repository"
  (cd "$work" && apt-get "${options[@]}" download reelmill) || fail "apt finds no package in it"
  cmp "$work"/reelmill_*.deb "$deb" || fail "apt got another package"
  echo "  ok  apt takes the repository by its key and gets the newer package"
  sed -i 's/^Origin: reelmill/Origin: somebody/' "$out/repository/deb/dists/stable/InRelease"
  rm -rf "$work/lists"
  mkdir -p "$work/lists/partial"
  if apt-get "${options[@]}" -o APT::Update::Error-Mode=any update 2>/dev/null; then fail "apt took a repository that was changed after it was signed"; fi
  echo "  ok  changed afterwards it is refused"
  rm -rf "$out/repository"
}

# dnf finds everything the .rpm requires in a package that provides what a Fedora's glibc, libgcc and systemd do; none of them can be
# reached from here, so what such a host brings is put together from the list of requirements that was looked at above.
dnf_installs() {
  local work=$out/dnf root=$roots/dnf dnf
  say "dnf --installroot from the signed repository"
  signed_repository
  rm -rf "$work" "$root"
  mkdir -p "$work/repos"
  {
    printf 'Name: host\nVersion: 1\nRelease: 1\nSummary: What a host brings\nLicense: none\nAutoReqProv: no\n'
    rpm --query --package --requires "$rpm" | grep -vE '^(rpmlib\(|config\()' | sed 's/^/Provides: /; s/ >= / = /'
    printf '%%description\nWhat a host brings.\n%%files\n'
  } >"$work/host.spec"
  rpmbuild --quiet -bb --define "_rpmdir $work/host" --define "_topdir $work" "$work/host.spec" >"$work/rpmbuild.log" 2>&1 || { cat "$work/rpmbuild.log"; fail "the stand-in of a host"; }
  createrepo_c --quiet "$work/host"
  printf '[reelmill]\nname=reelmill\nbaseurl=file://%s\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://%s\n[host]\nname=host\nbaseurl=file://%s\nenabled=0\ngpgcheck=0\n' \
    "$out/repository/rpm" "$out/repository/reelmill.asc" "$work/host" >"$work/repos/test.repo"
  dnf=(dnf --quiet --assumeyes --installroot="$root" --setopt=reposdir="$work/repos" --setopt=tsflags=noscripts --releasever=0)
  if "${dnf[@]}" install reelmill >"$work/dnf.log" 2>&1; then fail "dnf installed it on a host that has no libc"; fi
  echo "  ok  refused where what it requires is missing"
  "${dnf[@]}" --enablerepo=host install reelmill-0*-1 >"$work/dnf.log" 2>&1 || { cat "$work/dnf.log"; fail "dnf"; }
  "${dnf[@]}" --enablerepo=host upgrade reelmill >"$work/dnf.log" 2>&1 || { cat "$work/dnf.log"; fail "dnf upgrade"; }
  rpm --root "$root" --query --queryformat '  ok  dnf upgraded to %{NAME}-%{VERSION}-%{RELEASE}, signed by %{RSAHEADER:pgpsig}\n' reelmill
  rpm --root "$root" --query reelmill | grep -q -- '-2\.' || fail "dnf did not take the newer one"
  rpm --root "$root" --verify reelmill || fail "files are not as they were packed"
  "$root/usr/bin/reelmill" --version
  "${dnf[@]}" remove reelmill >>"$work/dnf.log" 2>&1 || { cat "$work/dnf.log"; fail "dnf remove"; }
  [ ! -e "$root/usr/bin/reelmill" ] || fail "dnf left the program"
  echo "  ok  verified, and removed by dnf"
}

if wanted files; then files; fi
for suite in $suites; do
  if wanted deb; then deb_in "$suite"; fi
  if wanted rpm; then rpm_in "$suite"; fi
done
if wanted dnf; then dnf_installs; fi
if wanted apt; then apt_reads; fi
if [ -z "$only" ]; then echo "$(sum_of_inputs) $(date -u +%F), $suites" >packaging/tested; fi
say "all well"
