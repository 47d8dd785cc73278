#!/usr/bin/env python3
"""Times the daemon: start to READY, idle memory and CPU, settled file to attempt, durable tasks a second, list pages.

usage: benches/daemon.py [--runs N] [--tasks N] [--many N] [--idle-s N] [BINARY] [start] [idle] [begin] [tasks] [pages]

BINARY is target/release/reelmill unless given. State lies in target/bench-daemon, made anew each time and left behind
for a look. What is measured, and how:
  start   from just before exec to the datagram READY=1 on NOTIFY_SOCKET: the first start makes the database, the others
          find it. The dynamic loader's share is told apart: the whole wall time of `reelmill --version`.
  idle    two folders watched with inotify, 15 s after READY: memory from smaps_rollup; processor time is the sum of
          every thread's schedstat over --idle-s seconds. Resident is what top shows; anonymous is the
          program's own data with the relocated tables of its libraries; the rest are pages of files, which the kernel can
          drop and workers share. Private counts pages of files too while nobody else has mapped them.
  begin   a 1 s clip is renamed into the watched folder at T. It must look the same for 2 looks 0.25 s apart, so it has
          settled at T + 0.5 s at the earliest; the figure is the log's time of "attempt begins" less that moment. It
          therefore includes the time inotify took and the wake-up of both looks: an upper bound.
  tasks   so many one-byte files are renamed into the folder of a workflow with one noop, at once. The clock runs from the
          moment the last of them can have settled (as above) until /metrics counts all of them as ended. Each is two
          durable steps (arrival, task) and its events. Also the same for tasks posted one by one over one connection.
  pages   GET /api/v1/tasks?limit=50 over one connection, 1,000 times while nothing runs, first page and pages deep in
          the list, once --many tasks are there; then memory again, as it is after work.
A machine that others use makes all of these worse; run it twice. Needs python3 only; the file system decides the rate.
"""
import http.client, json, os, re, shutil, signal, socket, statistics, subprocess, sys, time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench-daemon"
LOOKS, INTERVAL_S = 2, 0.25
SETTLE_S = LOOKS * INTERVAL_S
NOOP = 'name = "nothing"\n[source]\nstorage = "many"\ntrigger = "automatic"\nextensions = ["bin"]\n[[activity]]\nid = "n"\ntype = "noop"\n'
COVER = ('name = "poster"\n[source]\nstorage = "clips"\ntrigger = "automatic"\n[output]\nstorage = "out"\n'
         'on_conflict = "version"\n[[activity]]\nid = "c"\ntype = "cover"\n')


class Daemon:
    """One daemon on directories of its own."""

    def __init__(self, binary, name):
        self.binary, self.place, self.child = binary, WORK / name, None
        shutil.rmtree(self.place, ignore_errors=True)
        for folder in ("state", "scratch", "workflows", "hooks", "clips", "many", "out", "aside"):
            (self.place / folder).mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        text = f'[server]\nlisten = "127.0.0.1:{self.port}"\npublic_url = "http://127.0.0.1:{self.port}"\n'
        text += "".join(f'{key} = "{self.place / folder}"\n' for key, folder in (
            ("state_dir", "state"), ("scratch_dir", "scratch"), ("workflows_dir", "workflows"), ("hooks_dir", "hooks")))
        for name, watch in (("clips", "inotify"), ("many", "inotify"), ("out", "off")):
            text += (f'[[storage]]\nname = "{name}"\nkind = "folder"\npath = "{self.place / name}"\nwatch = "{watch}"\n'
                     f"settle_looks = {LOOKS}\nsettle_interval_s = {INTERVAL_S}\n")
        (self.place / "reelmill.toml").write_text(text)

    def start(self):
        """Milliseconds from just before exec to READY=1."""
        address = self.place / "notify"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told, open(self.place / "log", "ab") as log:
            told.bind(str(address))
            told.settimeout(60)
            begin = time.monotonic()
            self.child = subprocess.Popen([self.binary, "serve", "--config", str(self.place / "reelmill.toml")], stdout=log,
                                          stderr=log, env={"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": str(address)})
            try:
                while b"READY=1" not in told.recv(4096):
                    pass
            except TimeoutError:
                sys.exit(f"not ready after 60 s: {self.log()[-2000:]}")
            return (time.monotonic() - begin) * 1000

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        if self.child.wait(timeout=90) != 0:
            sys.exit(f"the daemon did not end well: {self.log()[-2000:]}")

    def log(self):
        return (self.place / "log").read_text(errors="replace")

    def connection(self):
        headers = {"Authorization": "Bearer " + (self.place / "state" / "admin.token").read_text().strip()}
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), headers

    def ask(self, link, method, path, body=None):
        connection, headers = link
        if body is not None:
            headers = headers | {"Content-Type": "application/json"}
        connection.request(method, path, body and json.dumps(body), headers)
        reply = connection.getresponse()
        text = reply.read()
        if reply.status >= 300:
            sys.exit(f"{method} {path}: {reply.status} {text[:500]}")
        return text

    def ended(self, link):
        text = self.ask(link, "GET", "/metrics").decode()
        return sum(float(value) for value in re.findall(r"^reelmill_tasks_ended_total\{[^}]*\} (\S+)", text, re.M))

    def memory(self):
        """MiB: resident, proportional, private, of which not backed by a file."""
        kib = dict(re.findall(r"^(\w+):\s+(\d+) kB", Path(f"/proc/{self.child.pid}/smaps_rollup").read_text(), re.M))
        private = int(kib["Private_Clean"]) + int(kib["Private_Dirty"])
        return [n / 1024 for n in (int(kib["Rss"]), int(kib["Pss"]), private, int(kib["Anonymous"]))]

    def cpu_s(self):
        tasks = Path(f"/proc/{self.child.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def spread(values, unit):
    return f"{statistics.median(values):8.1f} {unit}   ({min(values):.1f} to {max(values):.1f}, {len(values)} runs)"


def say(what, text, target=""):
    print(f"{what:52}{text}{'   target ' + target if target else ''}", flush=True)


def show_memory(what, daemon):
    resident, proportional, private, anonymous = daemon.memory()
    threads = len(os.listdir(f"/proc/{daemon.child.pid}/task"))
    say(what, f"{resident:8.1f} MiB resident, {proportional:.1f} proportional, {private:.1f} private, {anonymous:.1f} "
        f"anonymous; {threads} threads", "<= 40 MiB")


def bench_start(binary, runs):
    loading, first, again = [], [], []
    for turn in range(runs + 1):
        begin = time.monotonic()
        subprocess.run([binary, "--version"], check=True, stdout=subprocess.DEVNULL)
        loader = (time.monotonic() - begin) * 1000
        daemon = Daemon(binary, "start")
        fresh = daemon.start()
        daemon.stop()
        known = daemon.start()
        daemon.stop()
        if turn:
            loading.append(loader), first.append(fresh), again.append(known)
    say("start to READY, the database exists", spread(again, "ms"), "<= 300 ms")
    say("start to READY, first start", spread(first, "ms"))
    say("of it, loading the program (--version)", spread(loading, "ms"))


def bench_idle(binary, seconds):
    daemon = Daemon(binary, "idle")
    daemon.start()
    time.sleep(15)
    show_memory("idle memory", daemon)
    begin, cpu = time.monotonic(), daemon.cpu_s()
    time.sleep(seconds)
    say(f"idle processor time over {seconds} s", f"{(daemon.cpu_s() - cpu) / (time.monotonic() - begin) * 100:8.3f} % of a core", "< 0.5 %")
    daemon.stop()


def bench_begin(binary, runs):
    daemon = Daemon(binary, "begin")
    (daemon.place / "workflows" / "poster.toml").write_text(COVER)
    clip = daemon.place / "clip.mp4"
    subprocess.run([binary, "sample", "--seconds", "1", "--size", "320x180", str(clip)], check=True, stdout=subprocess.DEVNULL)
    daemon.start()
    time.sleep(3)
    late = []
    for turn in range(runs * 4 + 1):
        name = f"clip-{turn:03}.mp4"
        shutil.copy(clip, daemon.place / "aside" / name)
        dropped = time.time()
        (daemon.place / "aside" / name).rename(daemon.place / "clips" / name)
        line, patience = None, time.monotonic() + 60
        while line is None and time.monotonic() < patience:
            time.sleep(0.02)
            line = re.search(rf"^(\S+?)Z .*{re.escape(name)}.*attempt begins", daemon.log(), re.M)
        if line is None:
            sys.exit(f"no attempt for {name}: {daemon.log()[-2000:]}")
        began = datetime.fromisoformat(line.group(1)).replace(tzinfo=timezone.utc).timestamp()
        if turn:
            late.append((began - dropped - SETTLE_S) * 1000)
        # The attempt itself, a process of its own, must be over before the next is timed.
        while daemon.log().count("task ended") <= turn:
            time.sleep(0.05)
    say("settled to attempt begun", spread(late, "ms"), "<= 250 ms")
    daemon.stop()


def drop_and_wait(daemon, link, label, count):
    """Seconds from when the last of so many files can have settled to the end of the last task."""
    for at in range(count):
        (daemon.place / "aside" / f"{label}-a-file-with-a-usual-name-{at:06}.bin").write_bytes(b"x")
    os.sync()
    before = daemon.ended(link)
    for file in sorted((daemon.place / "aside").iterdir()):
        file.rename(daemon.place / "many" / file.name)
    settled, patience = time.monotonic() + SETTLE_S, time.monotonic() + 600
    while daemon.ended(link) - before < count:
        if time.monotonic() > patience:
            sys.exit(f"only {daemon.ended(link) - before} of {count} tasks ended: {daemon.log()[-2000:]}")
        time.sleep(0.02)
    return time.monotonic() - settled


def bench_tasks(daemon, link, runs, count):
    dropped, posted = [], []
    for turn in range(runs):
        dropped.append(count / drop_and_wait(daemon, link, f"run{turn}", count))
        before, begin = daemon.ended(link), time.monotonic()
        for _ in range(count // 4):
            daemon.ask(link, "POST", "/api/v1/tasks", {"workflow": "nothing", "object": "many:run0-a-file-with-a-usual-name-000000.bin"})
        while daemon.ended(link) - before < count // 4:
            time.sleep(0.02)
        posted.append(count // 4 / (time.monotonic() - begin))
    say(f"noop tasks, {count} files at once", spread(dropped, "tasks/s"), ">= 200 tasks/s")
    say(f"noop tasks, {count // 4} posted one after the other", spread(posted, "tasks/s"))


def bench_pages(daemon, link, many):
    have = int(daemon.ended(link))
    if have < many:
        drop_and_wait(daemon, link, "many", many - have)
        time.sleep(3)
    have, cursor, taken = int(daemon.ended(link)), None, {"first page": [], "pages 1 to 200": []}
    for title, deep in (("first page", False), ("pages 1 to 200", True)):
        for turn in range(1_000):
            path = "/api/v1/tasks?limit=50" + (f"&cursor={cursor}" if deep and turn % 200 and cursor else "")
            begin = time.monotonic()
            text = daemon.ask(link, "GET", path)
            taken[title].append((time.monotonic() - begin) * 1000)
            cursor = json.loads(text).get("next")
    for title, times in taken.items():
        cuts = statistics.quantiles(times, n=100)
        say(f"list of {have} tasks, {title}", f"{cuts[49]:8.2f} ms p50, {cuts[98]:.2f} ms p99", "p99 <= 5 ms")


def main():
    arguments, given = sys.argv[1:], {"--runs": 5, "--tasks": 2_000, "--many": 30_000, "--idle-s": 30}
    for flag in given:
        if flag in arguments:
            at = arguments.index(flag); given[flag] = int(arguments[at + 1]); del arguments[at:at + 2]
    every = ["start", "idle", "begin", "tasks", "pages"]
    binaries = [argument for argument in arguments if argument not in every]
    binary = str(Path(binaries[0] if binaries else ROOT / "target" / "release" / "reelmill").resolve())
    wanted = [argument for argument in arguments if argument in every] or every
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    say(f"{model.group(1) if model else 'unknown processor'}, {os.cpu_count()} cores", f"load {os.getloadavg()[0]:.1f}")
    WORK.mkdir(parents=True, exist_ok=True)
    runs = given["--runs"]
    if "start" in wanted:
        bench_start(binary, runs)
    if "idle" in wanted:
        bench_idle(binary, given["--idle-s"])
    if "begin" in wanted:
        bench_begin(binary, runs)
    if "tasks" in wanted or "pages" in wanted:
        daemon = Daemon(binary, "tasks")
        (daemon.place / "workflows" / "nothing.toml").write_text(NOOP)
        daemon.start()
        time.sleep(3)
        link = daemon.connection()
        if "tasks" in wanted:
            bench_tasks(daemon, link, runs, given["--tasks"])
        if "pages" in wanted:
            bench_pages(daemon, link, given["--many"])
            time.sleep(20)
            show_memory("memory after work, 20 s idle", daemon)
        daemon.stop()
    say("load at the end", f"{os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
