#!/usr/bin/env python3
"""Times the trigger of a large folder: first scan, scan without news, and many files moved in at once, with a kill -9.

usage: benches/scan.py [--files N] [--folders N] [--arrivals N] [--runs N] [BINARY] [first] [again] [cancel] [arrive] [kill]

BINARY is target/release/reelmill unless given. State lies in target/bench-scan; the tree of files is made once (minutes) and
kept. What is measured, and how:
  first   a daemon that has never seen the tree: from READY to the end of its first scan, which writes a row of the ledger
          for every file. Peak memory is VmHWM; commits are counted as calls of fsync and fdatasync (strace, where there is
          one, in a run of its own, because it slows the daemon down); bytes a file are those of the closed database less
          an empty one's.
  again   scans of the unchanged tree, each followed by `find -printf '%s %T@'` over it, in turns; the ratio is the figure.
          The daemon says itself how long its scan took; with it goes the processor time of all of its threads.
  cancel  SIGTERM in the middle of a first scan: how long until the process is gone; a second start finds all files.
  arrive  so many files are moved in at once, by renaming one folder full of them. The clock runs from when the last of them
          can have settled until every one of them is a committed task (drained, so that none is carried out meanwhile).
          The processor time of the daemon goes with it: on a machine that others use it says more than the clock.
  kill    the same with kill -9 when about a third, and again when about two thirds are there: none is lost, none doubled.
The page cache is warm unless said otherwise. A machine that others use makes all of these worse: trust the ratios.
"""
import argparse, http.client, json, os, re, shutil, signal, socket, sqlite3, statistics, subprocess, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench-scan"
LOOKS, INTERVAL_S = 2, 1.0
WORKFLOW = ('name = "all"\n[source]\nstorage = "tree"\nprefix = "new/"\ntrigger = "automatic"\nextensions = ["*"]\n'
            '[[activity]]\nid = "n"\ntype = "noop"\n')


class Daemon:
    """One daemon on directories of its own over a tree."""

    def __init__(self, binary, name, tree):
        self.binary, self.place, self.child = binary, WORK / name, None
        shutil.rmtree(self.place, ignore_errors=True)
        for folder in ("state", "scratch", "workflows", "hooks"):
            (self.place / folder).mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        text = f'[server]\nlisten = "127.0.0.1:{self.port}"\npublic_url = "http://127.0.0.1:{self.port}"\n'
        text += "".join(f'{key} = "{self.place / folder}"\n' for key, folder in (
            ("state_dir", "state"), ("scratch_dir", "scratch"), ("workflows_dir", "workflows"), ("hooks_dir", "hooks")))
        text += (f'[[storage]]\nname = "tree"\nkind = "folder"\npath = "{tree}"\nwatch = "poll"\npoll_interval_s = 3600\n'
                 f"settle_looks = {LOOKS}\nsettle_interval_s = {INTERVAL_S}\n")
        (self.place / "reelmill.toml").write_text(text)
        (self.place / "workflows" / "all.toml").write_text(WORKFLOW)

    def start(self, wrapper=()):
        address = self.place / "notify"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told, open(self.place / "log", "ab") as log:
            told.bind(str(address))
            told.settimeout(120)
            command = [*wrapper, self.binary, "serve", "--config", str(self.place / "reelmill.toml")]
            self.child = subprocess.Popen(command, stdout=log, stderr=log,
                                          env={"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": str(address)})
            while b"READY=1" not in told.recv(4096):
                pass
        self.ready = time.monotonic()

    def stop(self, how=signal.SIGTERM):
        begin = time.monotonic()
        self.child.send_signal(how)
        self.child.wait(timeout=120)
        return time.monotonic() - begin

    def log(self):
        return (self.place / "log").read_text(errors="replace")

    def ask(self, method, path, body=None):
        token = (self.place / "state" / "admin.token").read_text().strip()
        headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, body and json.dumps(body), headers)
        reply = connection.getresponse()
        text = reply.read()
        if reply.status >= 300:
            sys.exit(f"{method} {path}: {reply.status} {text[:500]}")
        return json.loads(text) if text else None

    def storage(self):
        return next(item for item in self.ask("GET", "/api/v1/storages")["items"] if item["name"] == "tree")

    def first_scan(self):
        """Waits for the end of the first scan; answers seconds since READY and the progress that was shown."""
        shown = []
        while "the first scan ended" not in self.log():
            if self.child.poll() is not None:
                sys.exit(f"the daemon ended: {self.log()[-2000:]}")
            shown.append((self.storage().get("scan") or {}).get("found"))
            time.sleep(0.2)
        return time.monotonic() - self.ready, [found for found in shown if found]

    def peak_mib(self):
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.child.pid}/status").read_text())[1]) / 1024

    def cpu_s(self):
        tasks = Path(f"/proc/{self.child.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def rows(self, sql):
        with sqlite3.connect(f"file:{self.place}/state/reelmill.db?mode=ro", uri=True, timeout=60) as database:
            return database.execute(sql).fetchone()[0]


def say(what, text, target=""):
    print(f"{what:46}{text}{'   target ' + target if target else ''}", flush=True)


def tree(files, folders):
    """The tree of files, made when it is not there."""
    place = WORK / f"tree-{files}-{folders}"
    if (place / ".whole").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    begin, each = time.monotonic(), files // folders
    for at in range(folders):
        folder = place / f"production-{at // 100:04}" / f"day-{at % 100:04}"
        folder.mkdir(parents=True)
        handle = os.open(folder, os.O_PATH)
        for number in range(each):
            name = f"A{at % 1000:03}C{number:04}_2026_clip.mxf"
            made = os.open(name, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=handle)
            os.close(made)
            os.truncate(f"{folder}/{name}", 1 + (at * each + number) % 100_000)
        os.close(handle)
    (place / ".whole").touch()
    say("tree made", f"{time.monotonic() - begin:8.1f} s")
    return place


def find_s(place):
    begin = time.monotonic()
    subprocess.run(["find", str(place), "-type", "f", "-printf", "%s %T@\n"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def empty_bytes(binary):
    empty = WORK / "nothing"
    empty.mkdir(parents=True, exist_ok=True)
    daemon = Daemon(binary, "empty", empty)
    daemon.start()
    daemon.stop()
    return (daemon.place / "state" / "reelmill.db").stat().st_size


def bench_first(binary, place, files, _):
    find_s(place)
    daemon = Daemon(binary, "first", place)
    daemon.start()
    took, shown = daemon.first_scan()
    say(f"first scan of {files} files, with its rows", f"{took:8.1f} s", "<= 60 s at 1,000,000")
    say("  progress that was shown", f"{len(set(shown)):8} different numbers, rising: {shown == sorted(shown)}")
    say("  peak memory", f"{daemon.peak_mib():8.1f} MiB", "<= 256 MiB")
    written = int(re.search(r"^write_bytes: (\d+)", Path(f"/proc/{daemon.child.pid}/io").read_text(), re.M)[1])
    say("  written to disk", f"{written / files:8.0f} bytes a file")
    rows = daemon.rows("select count(*) from arrivals")
    daemon.stop()
    if rows != files:
        sys.exit(f"{rows} rows for {files} files")
    size = (daemon.place / "state" / "reelmill.db").stat().st_size - empty_bytes(binary)
    say("  database", f"{size / files:8.1f} bytes a file", "<= 260")
    if shutil.which("strace"):
        daemon = Daemon(binary, "synced", place)
        counted = daemon.place / "calls"
        daemon.start(("strace", "-f", "--seccomp-bpf", "-c", "-o", str(counted), "-e", "trace=fsync,fdatasync"))
        daemon.first_scan()
        strace = daemon.child.pid
        for child in Path(f"/proc/{strace}/task/{strace}/children").read_text().split():
            os.kill(int(child), signal.SIGTERM)
        daemon.child.wait(timeout=120)
        calls = sum(int(line.split()[3]) for line in counted.read_text().splitlines() if line.endswith("sync"))
        say("  fsyncs of the whole run", f"{calls:8}")


def bench_again(binary, place, files, runs):
    daemon = Daemon(binary, "first", place)
    daemon.start()
    daemon.first_scan()
    ours, cpu, theirs, their_cpu = [], [], [], []
    for turn in range(runs + 1):
        # Let what follows a scan end: checkpoints, the sweep through the ledger.
        time.sleep(2)
        before, cpu_before = daemon.storage()["last_scan_at"], daemon.cpu_s()
        time.sleep(1.1)
        daemon.ask("POST", "/api/v1/storages/tree/scan", {})
        while (state := daemon.storage())["last_scan_at"] == before:
            time.sleep(0.05)
        begin = os.times()
        found = find_s(place)
        if turn:
            ours.append(state["last_scan_took_ms"] / 1000)
            cpu.append(daemon.cpu_s() - cpu_before)
            theirs.append(found)
            their_cpu.append(os.times().children_user + os.times().children_system - begin.children_user - begin.children_system)
    pick = statistics.median
    say("scan without news", f"{pick(ours):8.2f} s, {pick(cpu):.2f} s CPU   ({', '.join(f'{took:.2f}' for took in ours)})")
    say("  find -printf '%s %T@'", f"{pick(theirs):8.2f} s, {pick(their_cpu):.2f} s CPU   ({', '.join(f'{took:.2f}' for took in theirs)})")
    say("  ratio", f"{pick(ours) / pick(theirs):8.2f}", "<= 1.5")
    say("  peak memory", f"{daemon.peak_mib():8.1f} MiB", "<= 256 MiB")
    daemon.stop()
    daemon.start()
    while not daemon.storage()["last_scan_at"]:
        time.sleep(0.1)
    say("start over a known tree, until scanned", f"{time.monotonic() - daemon.ready:8.1f} s, peak {daemon.peak_mib():.1f} MiB")
    daemon.stop()


def bench_cancel(binary, place, files, _):
    daemon = Daemon(binary, "cancel", place)
    daemon.start()
    while daemon.rows("select count(*) from arrivals") < files // 10:
        time.sleep(0.1)
    say("SIGTERM in the middle of a first scan", f"{daemon.stop():8.2f} s until it was gone, "
        f"{daemon.rows('select count(*) from arrivals')} rows were there")
    daemon.start()
    daemon.first_scan()
    rows = daemon.rows("select count(*) from arrivals")
    daemon.stop()
    if rows != files:
        sys.exit(f"{rows} rows for {files} files after a second start")


def move_in(daemon, watched, count):
    """Moves so many files in at once; answers the moment when the last of them can have settled."""
    aside = WORK / "aside"
    shutil.rmtree(aside, ignore_errors=True)
    for at in range(count):
        if at % 1000 == 0:
            folder = aside / f"reel-{at // 1000:04}"
            folder.mkdir(parents=True)
        (folder / f"clip-{at:07}.mov").write_bytes(b"x")
    os.sync()
    daemon.ask("POST", "/api/v1/system/drain", {"on": True})
    aside.rename(watched / "new")
    daemon.ask("POST", "/api/v1/storages/tree/scan", {})
    return time.monotonic() + LOOKS * INTERVAL_S


def wait_for(daemon, count, until):
    while (tasks := daemon.rows("select count(*) from tasks")) < count:
        if time.monotonic() > until:
            sys.exit(f"only {tasks} of {count} tasks: {daemon.log()[-2000:]}")
        time.sleep(0.1)


def check_each_once(daemon, count):
    tasks = daemon.rows("select count(*) from tasks")
    keys = daemon.rows("select count(distinct m.key) from tasks t join media m on m.id = t.media_id")
    if (tasks, keys) != (count, count):
        sys.exit(f"{tasks} tasks over {keys} files instead of {count}")


def watched_folder():
    watched = WORK / "watched"
    shutil.rmtree(watched, ignore_errors=True)
    watched.mkdir(parents=True)
    return watched


def bench_arrive(binary, count):
    watched = watched_folder()
    daemon = Daemon(binary, "arrive", watched)
    daemon.start()
    daemon.first_scan()
    cpu_before = daemon.cpu_s()
    settled = move_in(daemon, watched, count)
    known = None
    while True:
        now = time.monotonic()
        if known is None and daemon.rows("select count(*) from arrivals where state in (1, 2)") >= count:
            known = now
        if daemon.rows("select count(*) from tasks") >= count:
            break
        if now > settled + 900:
            sys.exit(f"not all came: {daemon.log()[-2000:]}")
        time.sleep(0.1)
    cpu = daemon.cpu_s() - cpu_before
    say(f"{count} files at once, settled in the ledger", f"{(known or now) - settled:8.1f} s after they could have")
    say("  and each a committed task", f"{now - settled:8.1f} s", "<= 30 s at 100,000")
    say("  processor time of the daemon", f"{cpu:8.1f} s")
    say("  peak memory", f"{daemon.peak_mib():8.1f} MiB")
    check_each_once(daemon, count)
    daemon.stop()


def bench_kill(binary, count):
    watched = watched_folder()
    daemon = Daemon(binary, "kill", watched)
    daemon.start()
    daemon.first_scan()
    move_in(daemon, watched, count)
    for part in (1, 2):
        wait_for(daemon, count * part // 3, time.monotonic() + 900)
        daemon.stop(signal.SIGKILL)
        at = daemon.rows("select count(*) from tasks")
        say(f"kill -9 with {at} tasks", "")
        daemon.start()
        daemon.ask("POST", "/api/v1/system/drain", {"on": True})
    begin = time.monotonic()
    wait_for(daemon, count, begin + 900)
    # Nothing may follow.
    daemon.ask("POST", "/api/v1/storages/tree/scan", {})
    time.sleep(3 * LOOKS * INTERVAL_S)
    check_each_once(daemon, count)
    say(f"after both, each of {count} exactly once", f"{time.monotonic() - begin:8.1f} s after the last start")
    daemon.stop()


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--files", type=int, default=1_000_000)
    options.add_argument("--folders", type=int, default=10_000)
    options.add_argument("--arrivals", type=int, default=100_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("what", nargs="*")
    asked = options.parse_args()
    known = ("first", "again", "cancel", "arrive", "kill")
    names = [word for word in asked.what if word in known] or list(known)
    binaries = [word for word in asked.what if word not in known]
    binary = str(Path(binaries[0] if binaries else ROOT / "target" / "release" / "reelmill").resolve())
    print(f"# {subprocess.run([binary, '--version'], capture_output=True, text=True).stdout.strip()}, "
          f"{time.strftime('%Y-%m-%d %H:%M')}, load {os.getloadavg()[0]:.1f}", flush=True)
    for name in names:
        if name in ("arrive", "kill"):
            globals()[f"bench_{name}"](binary, asked.arrivals)
        else:
            place = tree(asked.files, asked.folders)
            globals()[f"bench_{name}"](binary, place, asked.files, asked.runs)
    print(f"# load {os.getloadavg()[0]:.1f}")


main()
