#!/usr/bin/env python3
"""What is inside the binary: a bill of materials (SPDX 2.3, JSON) and the licence texts of everything in it.

usage: packaging/bill.py BINARY VERSION BILL LICENCES [FFMPEG]

BINARY is what is packed. FFMPEG is the folder of packaging/ffmpeg/build.sh; without it the binary is one that takes
libav from the host, and the bill names none of it. SOURCE_DATE_EPOCH gives the time; the same input gives the same bytes.
Standard library only.
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-gnu"

# Built from source by packaging/ffmpeg/build.sh: licence as SPDX says it, and the files of the source that hold it.
BUILT = {
    "ffmpeg": ("GPL-3.0-or-later", ["LICENSE.md", "COPYING.GPLv3", "COPYING.GPLv2", "COPYING.LGPLv2.1"]),
    "dav1d": ("BSD-2-Clause", ["COPYING"]),
    "svt-av1": ("BSD-3-Clause-Clear", ["LICENSE.md", "PATENTS.md"]),
    "harfbuzz": ("MIT-Modern-Variant", ["COPYING"]),
}
# Taken from the distribution as .a files: package, licence.
TAKEN = {
    "x264": ("libx264-dev", "GPL-2.0-or-later"),
    "x265": ("libx265-dev", "GPL-2.0-or-later"),
    "opus": ("libopus-dev", "BSD-3-Clause"),
    "libvpx": ("libvpx-dev", "BSD-3-Clause"),
    "lame": ("libmp3lame-dev", "LGPL-2.0-or-later"),
    "zimg": ("libzimg-dev", "WTFPL"),
    "libnuma": ("libnuma-dev", "LGPL-2.1-only"),
    "zlib": ("zlib1g-dev", "Zlib"),
    "libass": ("libass-dev", "ISC"),
    "freetype": ("libfreetype-dev", "FTL OR GPL-2.0-or-later"),
    "fribidi": ("libfribidi-dev", "LGPL-2.1-or-later"),
    "fontconfig": ("libfontconfig-dev", "HPND-sell-variant"),
    "libwebp": ("libwebp-dev", "BSD-3-Clause"),
    "expat": ("libexpat1-dev", "MIT"),
    "libpng": ("libpng-dev", "libpng-2.0"),
    "brotli": ("libbrotli-dev", "MIT"),
    "libuuid": ("uuid-dev", "BSD-3-Clause"),
    "bzip2": ("libbz2-dev", "bzip2-1.0.6"),
    "libstdc++": ("libstdc++-12-dev", "GPL-3.0-or-later WITH GCC-exception-3.1"),
}
LICENCE_FILE = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense|authors)([-._].*)?$", re.IGNORECASE)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=TOP).stdout


def texts_of(folder, names=None):
    """The licence files of a folder, by name."""
    folder = pathlib.Path(folder)
    files = [folder / name for name in names] if names else sorted(f for f in folder.iterdir() if LICENCE_FILE.match(f.name))
    return [(f.name, f.read_text(errors="replace").strip()) for f in files if f.is_file()]


def crates():
    """What is linked into the program: what it needs at run time, macros and build scripts left out."""
    meta = json.loads(output("cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={TARGET}"))
    packages = {p["id"]: p for p in meta["packages"]}
    nodes = {n["id"]: n for n in meta["resolve"]["nodes"]}
    is_macro = {i for i, p in packages.items() if any("proc-macro" in t["kind"] for t in p["targets"])}
    root, seen = meta["resolve"]["root"], set()
    waiting, edges = [root], []
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        for dep in nodes[at]["deps"]:
            normal = any(kind["kind"] is None for kind in dep["dep_kinds"])
            if normal and dep["pkg"] not in is_macro:
                edges.append((at, dep["pkg"]))
                waiting.append(dep["pkg"])
    found = {}
    for ident in seen - {root}:
        package = packages[ident]
        # "A/B" is how the registry spelt "A OR B" once.
        licence = (package["license"] or "NOASSERTION").replace("/", " OR ")
        folder = pathlib.Path(package["manifest_path"]).parent
        found[ident] = {
            "name": package["name"], "version": package["version"], "licence": licence, "texts": texts_of(folder),
            "purl": f"pkg:cargo/{package['name']}@{package['version']}", "source": package["repository"] or "",
        }
        if package["name"] == "libsqlite3-sys":
            header = (folder / "sqlite3" / "sqlite3.h").read_text()
            version = re.search(r'#define SQLITE_VERSION\s+"([^"]+)"', header).group(1)
            found["sqlite"] = {"name": "sqlite", "version": version, "licence": "blessing", "texts": [],
                               "purl": f"pkg:generic/sqlite@{version}", "source": "https://www.sqlite.org"}
            edges.append((ident, "sqlite"))
    return root, found, edges


def rust():
    """The standard library, which every Rust program holds."""
    version = output("rustc", "--version").split()[1]
    folder = pathlib.Path(output("rustc", "--print", "sysroot").strip()) / "share/doc/rust/licenses"
    texts = texts_of(folder, ["MIT.txt", "Apache-2.0.txt"]) if folder.is_dir() else []
    return {"name": "rust-std", "version": version, "licence": "MIT OR Apache-2.0", "texts": texts,
            "purl": f"pkg:generic/rust-std@{version}", "source": "https://github.com/rust-lang/rust"}


def libraries(ffmpeg):
    """What packaging/ffmpeg put into the binary."""
    found = {}
    for name, (licence, files) in BUILT.items():
        tarballs = sorted((ffmpeg / "src").glob(f"{name}_*.orig.tar.*"))
        version = tarballs[-1].name.split("_", 1)[1].split(".orig.tar")[0]
        digest = hashlib.sha256(tarballs[-1].read_bytes()).hexdigest()
        found[name] = {"name": name, "version": version, "licence": licence, "texts": texts_of(ffmpeg / "src" / name, files),
                       "purl": f"pkg:generic/{name}@{version}", "source": "", "sha256": digest}
    for name, (package, licence) in TAKEN.items():
        version = output("dpkg-query", "-W", "-f=${Version}", package)
        doc = pathlib.Path("/usr/share/doc") / package / "copyright"
        texts = [("copyright", doc.read_text(errors="replace").strip())] if doc.is_file() else []
        found[name] = {"name": name, "version": version, "licence": licence, "texts": texts,
                       "purl": f"pkg:deb/debian/{package}@{version}", "source": ""}
    return found


def scripts_of_the_dashboard():
    """What the dashboard's bundle is made of."""
    folder = TOP / "src/web/dashboard"
    lock = folder / "package-lock.json"
    found = {}
    if not lock.is_file():
        return found
    for path, entry in json.loads(lock.read_text())["packages"].items():
        if not path or entry.get("dev") or entry.get("optional"):
            continue
        name = path.split("node_modules/")[-1]
        licence = entry.get("license", "NOASSERTION")
        at = folder / path
        found[f"npm:{name}"] = {"name": name, "version": entry["version"], "licence": licence,
                                "texts": texts_of(at) if at.is_dir() else [],
                                "purl": f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}", "source": ""}
    return found


def spdx(binary, version, parts, edges, root):
    names = {}
    for key in sorted(parts, key=lambda k: (parts[k]["name"], parts[k]["version"], k)):
        names[key] = "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", f"{parts[key]['name']}-{parts[key]['version']}-{parts[key]['purl'].split(':')[1].split('/')[0]}")
    names[root] = "SPDXRef-reelmill"
    digest = hashlib.sha256(pathlib.Path(binary).read_bytes()).hexdigest()
    packages = [{
        "SPDXID": names[root], "name": "reelmill", "versionInfo": version, "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False, "licenseConcluded": "GPL-3.0-or-later", "licenseDeclared": "GPL-3.0-or-later",
        "copyrightText": "NOASSERTION", "primaryPackagePurpose": "APPLICATION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
    }]
    for key, name in names.items():
        if key == root:
            continue
        part = parts[key]
        entry = {
            "SPDXID": name, "name": part["name"], "versionInfo": part["version"],
            "downloadLocation": part["source"] or "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": part["licence"], "licenseDeclared": part["licence"], "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": part["purl"]}],
        }
        if "sha256" in part:
            entry["checksums"] = [{"algorithm": "SHA256", "checksumValue": part["sha256"]}]
        packages.append(entry)
    packages.sort(key=lambda p: p["SPDXID"])
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": names[root]}]
    for source, needed in sorted({(names[a], names[b]) for a, b in edges}):
        relations.append({"spdxElementId": source, "relationshipType": "STATIC_LINK", "relatedSpdxElement": needed})
    when = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"reelmill-{version}",
        "documentNamespace": f"urn:reelmill:bill:{version}:{digest}",
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when)), "creators": ["Tool: packaging/bill.py"]},
        "packages": packages, "relationships": relations,
    }


def licences(parts):
    """Who is inside under which licence, then each text once with those it is of."""
    rows = sorted((p["name"], p["version"], p["licence"]) for p in parts.values())
    width = max(len(f"{name} {version}") for name, version, _ in rows)
    lines = ["What the program reelmill holds besides its own code, and under which licences.", ""]
    lines += [f"{name + ' ' + version:<{width}}  {licence}" for name, version, licence in rows]
    bare = sorted(f"{p['name']} {p['version']} ({p['licence']})" for p in parts.values() if not p["texts"])
    if bare:
        lines += ["", "These came without a licence text of their own; the text of the licence named stands below with others:", ""]
        lines += [f"  {name}" for name in bare]
    texts = {}
    for part in parts.values():
        for file, text in part["texts"]:
            texts.setdefault(text, []).append((part["name"], part["version"], file))
    for text, owners in sorted(texts.items(), key=lambda item: sorted(item[1])[0]):
        lines += ["", "=" * 100]
        lines += [f"{name} {version}: {file}" for name, version, file in sorted(owners)]
        lines += ["-" * 100, "", text]
    return "\n".join(lines) + "\n"


def main():
    binary, version, bill, texts = sys.argv[1:5]
    root, parts, edges = crates()
    others = {"rust-std": rust(), **scripts_of_the_dashboard()}
    if len(sys.argv) > 5:
        others |= libraries(pathlib.Path(sys.argv[5]))
    edges += [(root, key) for key in others]
    parts |= others
    unknown = sorted(p["name"] for p in parts.values() if p["licence"] == "NOASSERTION")
    if unknown:
        sys.exit(f"no licence is known of {', '.join(unknown)}")
    pathlib.Path(bill).write_text(json.dumps(spdx(binary, version, parts, edges, root), indent=1) + "\n")
    pathlib.Path(texts).write_text(licences(parts))


if __name__ == "__main__":
    main()
