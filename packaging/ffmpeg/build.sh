#!/usr/bin/env bash
# Builds the static FFmpeg of release packages: the sources of Debian's trixie suite, the parts that components.txt lists.
# usage: packaging/ffmpeg/build.sh [DIRECTORY]     (default target/ffmpeg)
#
# DIRECTORY/prefix then holds headers, .a files and pkg-config files, and DIRECTORY/archives nothing but .a files: put
# first in the linker's path it keeps shared libraries out. packaging/ffmpeg/cargo.sh builds against it.
# Sources are checked against the suite's signed indexes. A finished build is kept until this script or the list changes.
# Takes about 15 minutes on two cores, a second when nothing changed. Needs Debian 12 or later and, for missing
# packages, root or sudo.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(mkdir -p "${1:-$here/../../target/ffmpeg}" && cd "${1:-$here/../../target/ffmpeg}" && pwd)
prefix=$root/prefix
suite=trixie
jobs=${CARGO_BUILD_JOBS:-$(nproc)}

stamp=$(cat "$here/build.sh" "$here/components.txt" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$root/stamp" 2>/dev/null)" = "$stamp" ]; then
  echo "$prefix is up to date" >&2
  exit 0
fi
rm -f "$root/stamp"

"$here/../prerequisites.sh" static

say() { echo "== $*" >&2; }

# --- sources -----------------------------------------------------------------------------------------------------------
# A private state of apt: the machine's own lists and sources stay as they are.
apt_root=$root/apt
mkdir -p "$apt_root/lists/partial" "$apt_root/cache/archives/partial" "$root/src"
# shellcheck disable=SC2016  # apt's own placeholders
site=$(apt-get indextargets --format '$(SITE) $(COMPONENT)' 'Created-By: Packages' \
  | awk '$2 == "main" && $1 ~ /debian\/?$/ { print $1; exit }')
[ -n "$site" ] || { echo "apt has no Debian mirror to take the sources from" >&2; exit 1; }
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main" > "$apt_root/sources.list"
private_apt() {
  apt-get -qq -o Dir::Etc::SourceList="$apt_root/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$apt_root/lists" -o Dir::Cache="$apt_root/cache" -o Debug::NoLocking=1 "$@"
}
say "reading the source index of $suite"
private_apt update

# Fetches the upstream tarball of a source package and unpacks it into src/NAME.
unpack() {
  local name=$1 uri file sum
  [ -e "$root/src/$name/.whole" ] && return
  # 'URI' FILE SIZE SHA256:SUM, one line a file; the tarball alone is wanted, Debian's changes are not.
  read -r uri file _ sum < <(private_apt source --print-uris "$name" | grep -E '\.orig\.tar\.[a-z0-9]+ ' | head -1)
  [ -n "${uri:-}" ] || { echo "no source of $name in $suite" >&2; return 1; }
  say "fetching $file"
  /usr/lib/apt/apt-helper -qq -o APT::Sandbox::User=root download-file "$(tr -d "'" <<< "$uri")" "$root/src/$file" "$sum"
  rm -rf "${root:?}/src/$name"
  mkdir -p "$root/src/$name"
  tar -xf "$root/src/$file" -C "$root/src/$name" --strip-components=1
  touch "$root/src/$name/.whole"
}
for package in ffmpeg dav1d svt-av1 harfbuzz; do unpack "$package"; done

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
# It reads what strangers made: the flags that Debian hardens such libraries with. And where it was built is nobody's
# business: two folders shall build the same bytes.
export CFLAGS="-O2 -fPIC -fstack-protector-strong -fstack-clash-protection -fcf-protection -D_FORTIFY_SOURCE=2 \
-ffile-prefix-map=$root=/usr/src/ffmpeg"
export CXXFLAGS=$CFLAGS
# SVT-AV1 writes down when it was compiled, which would be another time with every build: the time of its sources instead.
SOURCE_DATE_EPOCH=$(stat -c %Y "$root/src/svt-av1/CMakeLists.txt")
export SOURCE_DATE_EPOCH

# --- libraries that Debian has no .a file of -----------------------------------------------------------------------------
if [ ! -e "$prefix/lib/libdav1d.a" ]; then
  say "dav1d"
  meson setup -Ddefault_library=static -Denable_tools=false -Denable_tests=false --buildtype=release \
    --prefix="$prefix" --libdir=lib --wipe "$root/src/dav1d/build" "$root/src/dav1d" >/dev/null 2>&1 ||
    meson setup -Ddefault_library=static -Denable_tools=false -Denable_tests=false --buildtype=release \
      --prefix="$prefix" --libdir=lib "$root/src/dav1d/build" "$root/src/dav1d" >/dev/null
  ninja -C "$root/src/dav1d/build" -j "$jobs" install >/dev/null
fi
if [ ! -e "$prefix/lib/libSvtAv1Enc.a" ]; then
  say "SVT-AV1"
  # Its own link-time code is in a form that only its own compiler reads.
  cmake -S "$root/src/svt-av1" -B "$root/src/svt-av1/out" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
    -DBUILD_APPS=OFF -DBUILD_TESTING=OFF -DENABLE_AVX512=ON -DSVT_AV1_LTO=OFF -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib \
    >/dev/null
  cmake --build "$root/src/svt-av1/out" -j "$jobs" --target install >/dev/null
  # NASM names each source by its whole path, which no option of it shortens.
  strip --enable-deterministic-archives --strip-unneeded "$prefix/lib/libSvtAv1Enc.a"
fi
if [ ! -e "$prefix/lib/libharfbuzz.a" ]; then
  say "HarfBuzz"
  # libass shapes text with it; FreeType is all it needs for that.
  mkdir -p "$prefix/lib/pkgconfig" "$prefix/include/harfbuzz"
  # shellcheck disable=SC2046,SC2086
  g++ $CXXFLAGS -std=c++11 -DNDEBUG -DHAVE_FREETYPE=1 -DHB_NO_PRAGMA_GCC_DIAGNOSTIC_ERROR -pthread -DHAVE_PTHREAD=1 \
    $(pkg-config --cflags freetype2) -c "$root/src/harfbuzz/src/harfbuzz.cc" -o "$root/src/harfbuzz.o"
  ar rcs "$prefix/lib/libharfbuzz.a" "$root/src/harfbuzz.o"
  cp "$root"/src/harfbuzz/src/hb*.h "$prefix/include/harfbuzz/"
  cat > "$prefix/lib/pkgconfig/harfbuzz.pc" <<PC
Name: harfbuzz
Description: text shaping, static, FreeType only
Version: $(sed -n 's/^#define HB_VERSION_STRING "\(.*\)"/\1/p' "$root/src/harfbuzz/src/hb-version.h")
Requires.private: freetype2
Libs: -L$prefix/lib -lharfbuzz
Libs.private: -lm -pthread -lstdc++
Cflags: -I$prefix/include/harfbuzz
PC
fi

# --- FFmpeg --------------------------------------------------------------------------------------------------------------
enabled=()
while read -r kind name _; do
  case $kind in ''|'#'*) continue ;; esac
  case $name in '~'*) continue ;; esac
  enabled+=("--enable-$kind=$name")
done < "$here/components.txt"

say "FFmpeg: configure"
cd "$root/src/ffmpeg"
if ! ./configure --prefix="$prefix" --pkg-config-flags=--static --extra-cflags="-I$prefix/include" \
    --extra-ldflags="-L$prefix/lib" --extra-libs="-lstdc++ -lpthread -lm" \
    --disable-autodetect --disable-everything --disable-programs --disable-doc --disable-debug --disable-network \
    --disable-avdevice --enable-static --disable-shared --enable-pic --enable-gpl --enable-version3 \
    --enable-zlib --enable-libx264 --enable-libx265 --enable-libsvtav1 --enable-libdav1d --enable-libvpx \
    --enable-libopus --enable-libmp3lame --enable-libwebp --enable-libzimg --enable-libass --enable-libfreetype \
    --enable-libfribidi --enable-libfontconfig --enable-libharfbuzz \
    "${enabled[@]}" > "$root/configure.log" 2>&1; then
  tail -n 20 "$root/configure.log" ffbuild/config.log >&2
  exit 1
fi
# A part that this FFmpeg does not know is only warned of: a list that lies is an error here.
if grep -E "did not match anything" "$root/configure.log" >&2; then exit 1; fi
# What it says of its own configuration is part of the program.
sed -i "s#$root#/usr/src/ffmpeg#g" config.h
say "FFmpeg: make"
make -j "$jobs" install > "$root/make.log" 2>&1 || { tail -n 30 "$root/make.log" >&2; exit 1; }

# --- a folder of nothing but .a files ------------------------------------------------------------------------------------
archives=$root/archives
rm -rf "$archives"
mkdir -p "$archives"
ln -s "$prefix"/lib/*.a "$archives/"
system=/usr/lib/$(gcc -print-multiarch)
for library in x264 x265 opus vpx mp3lame zimg numa z ass freetype fribidi fontconfig webp webpmux webpdemux expat \
    png16 brotlidec brotlicommon uuid bz2; do
  # uuid and bz2 are part of one another's closure only on some releases.
  if [ -e "$system/lib$library.a" ]; then ln -sf "$system/lib$library.a" "$archives/"; fi
done
ln -s "$(gcc -print-file-name=libstdc++.a)" "$archives/"
echo "$stamp" > "$root/stamp"
say "done: $prefix"
