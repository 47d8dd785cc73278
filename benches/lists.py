#!/usr/bin/env python3
"""Times lists and searches of a daemon that remembers a million tasks, and its stream with a hundred listeners.

usage: benches/lists.py [--tasks N] [--turns N] [--listeners N] [BINARY] [lists] [stream]

BINARY is target/release/reelmill unless given. State lies in target/bench-daemon/lists and is left behind for a look; it
is made anew unless it holds as many tasks already.
  lists   one real task of a noop workflow is run; then its rows (media, task, job, two events) are repeated in the
          database while the daemon is down, with ids and times of their own, until there are --tasks of them, over
          --tasks / 4 media. After the start the daemon enters them into its search, which is waited for; then every kind
          of page of 50 is asked for --turns times over one connection; the clock runs from sending the request to the
          last byte of the answer.
  stream  --listeners connections follow /api/v1/events/stream; a task is started, and the time runs from the answer of
          that call until the last listener has read the event that ends it. Twenty times.
A machine that others use makes all of these worse. Needs python3 only.
"""
import json, os, secrets, selectors, shutil, sqlite3, statistics, sys, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from daemon import Daemon, NOOP, WORK, say


def uuid7(ms, number):
    """Ids in the order of time, as the daemon makes them."""
    return f"{ms:012x}7{number & 0xfff:03x}8{secrets.token_hex(8)[:15]}"


def columns(db, table):
    return [row[1] for row in db.execute(f"pragma table_info({table})")]


def fill(place, tasks):
    """Repeats the rows of the one task that is there until there are `tasks` of them."""
    db = sqlite3.connect(place / "state" / "reelmill.db", isolation_level=None)
    db.execute("pragma synchronous = off")
    db.execute("pragma cache_size = -400000")
    named = {table: columns(db, table) for table in ("media", "tasks", "jobs", "events")}
    one = {table: dict(zip(named[table], db.execute(f"select * from {table} limit 1").fetchone())) for table in named}
    events = [dict(zip(named["events"], row)) for row in db.execute("select * from events order by seq")]
    put = {table: f"insert into {table} ({', '.join(named[table])}) values ({', '.join('?' * len(named[table]))})"
           for table in named}
    seq = max(event["seq"] for event in events)
    begin = int(time.time() * 1000) - tasks * 60
    words = ("harbour", "interview", "goal", "studio", "night", "match", "drone", "archive", "trailer", "dub")
    db.execute("begin")
    for number in range(tasks):
        at = begin + number * 60
        if number % 4 == 0:
            name = f"{words[number % 10]}-{words[number // 10 % 10]}-{number:07}.mp4"
            media = dict(one["media"], id=uuid7(at, number), key=f"many/{number // 5000:04}/{name}", size_bytes=number + 10,
                         created_ms=at, modified_ms=at, title=name, search_row=None)
            db.execute(put["media"], list(media.values()))
        status = ("Succeed", "Succeed", "Succeed", "Failed")[number % 4] if number % 997 else "Canceled"
        task = dict(one["tasks"], id=uuid7(at, number), media_id=media["id"], status=status, created_ms=at, started_ms=at,
                    ended_ms=at + 50, idempotency_key=None, arrival_seq=None, search_row=None,
                    user_data=json.dumps({"asset": number}))
        db.execute(put["tasks"], list(task.values()))
        job = dict(one["jobs"], id=uuid7(at, number), task_id=task["id"], created_ms=at)
        db.execute(put["jobs"], list(job.values()))
        for event in events:
            seq += 1
            body = json.loads(event["body"])
            copy = dict(event, seq=seq, id=uuid7(at, seq), task_id=task["id"], media_id=media["id"],
                        job_id=event["job_id"] and job["id"], at_ms=at)
            body["id"], body["task"]["id"], body["media"]["id"] = copy["id"], task["id"], media["id"]
            copy["body"] = json.dumps(body)
            db.execute(put["events"], list(copy.values()))
        if number % 20000 == 19999:
            db.execute("commit")
            db.execute("begin")
    db.execute("commit")
    db.execute("analyze")
    db.execute("pragma wal_checkpoint(truncate)")
    db.close()


def ready(binary, tasks):
    daemon = Daemon.__new__(Daemon)
    place = WORK / "lists"
    mark = place / "filled"
    if not (mark.exists() and mark.read_text() == str(tasks)):
        daemon.__init__(binary, "lists")
        (place / "workflows" / "nothing.toml").write_text(NOOP)
        daemon.start()
        link = daemon.connection()
        (place / "aside" / "one.bin").write_bytes(b"1")
        os.rename(place / "aside" / "one.bin", place / "many" / "one.bin")
        while not json.loads(daemon.ask(link, "GET", "/api/v1/tasks?status=Succeed"))["items"]:
            time.sleep(0.2)
        daemon.stop()
        began = time.monotonic()
        fill(place, tasks)
        size = (place / "state" / "reelmill.db").stat().st_size
        say("rows made", f"{time.monotonic() - began:8.0f} s, database {size / 1e6:.0f} MB, {size / tasks:.0f} B a task")
        mark.write_text(str(tasks))
    else:
        daemon.binary, daemon.place, daemon.child = binary, place, None
        daemon.port = int((place / "reelmill.toml").read_text().split("127.0.0.1:")[1].split('"')[0])
    say("start to READY", f"{daemon.start():8.1f} ms")
    # The newest are found before they are entered; this one is old enough to say that all are.
    began, late = time.monotonic(), (tasks - 10_000 - tasks % 4) // 4 * 4
    if late > 0:
        while not json.loads(daemon.ask(daemon.connection(), "GET", f"/api/v1/tasks?text={late:07}.mp4"))["items"]:
            time.sleep(1)
    say("all entered into the search", f"{time.monotonic() - began:8.0f} s after READY")
    time.sleep(3)
    return daemon


def lists(daemon, turns):
    link = daemon.connection()
    first = json.loads(daemon.ask(link, "GET", "/api/v1/tasks?limit=50"))
    cursor = first["next"]
    for _ in range(40):
        cursor = json.loads(daemon.ask(link, "GET", f"/api/v1/tasks?limit=500&cursor={cursor}"))["next"] or first["next"]
    workflow, media = first["items"][0]["workflow"]["id"], first["items"][0]["media"]["id"]
    pages = [
        ("tasks, newest", "/api/v1/tasks?limit=50"),
        ("tasks, 20,000 deep", f"/api/v1/tasks?limit=50&cursor={cursor}"),
        ("tasks, failed", "/api/v1/tasks?limit=50&status=Failed"),
        ("tasks, canceled (one in a thousand)", "/api/v1/tasks?limit=50&status=Canceled"),
        ("tasks of a workflow", f"/api/v1/tasks?limit=50&workflow={workflow}"),
        ("tasks of a workflow, failed", f"/api/v1/tasks?limit=50&workflow={workflow}&status=Failed"),
        ("tasks of a media", f"/api/v1/tasks?limit=50&media={media}"),
        ("tasks, search, many hits", "/api/v1/tasks?limit=50&text=harbour"),
        ("tasks, search, one hit", "/api/v1/tasks?limit=50&text=0000040.mp4"),
        ("tasks, search, no hit", "/api/v1/tasks?limit=50&text=nothing-like-it"),
        ("one task", f"/api/v1/tasks/{first['items'][0]['id']}"),
        ("media, newest", "/api/v1/media?limit=50"),
        ("media, search, many hits", "/api/v1/media?limit=50&search=interview"),
        ("media, search, one hit", "/api/v1/media?limit=50&search=0000040"),
        ("media, search, no hit", "/api/v1/media?limit=50&search=nothing-like-it"),
        ("one media", f"/api/v1/media/{media}"),
        ("events, newest", "/api/v1/events?limit=50"),
        ("deliveries, newest", "/api/v1/deliveries?limit=50"),
        ("workflows", "/api/v1/workflows"),
    ]
    for title, path in pages:
        took = []
        for _ in range(turns):
            began = time.monotonic()
            daemon.ask(link, "GET", path)
            took.append((time.monotonic() - began) * 1000)
        cuts = statistics.quantiles(took, n=100)
        say(title, f"{cuts[49]:8.2f} ms p50, {cuts[98]:.2f} ms p99, {max(took):.1f} ms worst", "p99 <= 5 ms")


def stream(daemon, listeners):
    # One thread with many sockets: a thread for each would measure how python shares its processor among them.
    following = selectors.DefaultSelector()
    for _ in range(listeners):
        connection, headers = daemon.connection()
        connection.request("GET", "/api/v1/events/stream", headers=headers)
        reply = connection.getresponse()
        reply.readline()
        link = connection.sock or reply.fp.raw._sock
        link.setblocking(False)
        following.register(link, selectors.EVENT_READ, [reply, b""])
    time.sleep(1)
    link, took = daemon.connection(), []
    for _ in range(20):
        body = {"workflow": "nothing", "object": "many:one.bin"}
        task = json.loads(daemon.ask(link, "POST", "/api/v1/tasks", body))["id"].encode()
        began, told = time.monotonic(), set()
        while len(told) < listeners:
            if time.monotonic() - began > 30:
                sys.exit(f"only {len(told)} of {listeners} heard of {task.decode()}")
            for key, _ in following.select(1):
                text = key.data[1] + key.fileobj.recv(1 << 20)
                # Whole lines only; what is left is the begin of the next one.
                lines, _, key.data[1] = text.rpartition(b"\n")
                if any(b"WorkflowTaskComplete" in line and task in line for line in lines.split(b"\n")):
                    told.add(key.fd)
        took.append((time.monotonic() - began) * 1000)
    say(f"a task's end told to {listeners} listeners",
        f"{statistics.median(took):8.1f} ms median, {max(took):.1f} ms worst of {len(took)}")


def main():
    words, options = [], {"--tasks": 1_000_000, "--turns": 500, "--listeners": 100}
    given = iter(sys.argv[1:])
    for word in given:
        if word in options:
            options[word] = int(next(given))
        else:
            words.append(word)
    kinds = [word for word in words if word in ("lists", "stream")] or ["lists", "stream"]
    binary = next((word for word in words if word not in ("lists", "stream")), "target/release/reelmill")
    daemon = ready(str(Path(binary).resolve()), options["--tasks"])
    try:
        if "lists" in kinds:
            lists(daemon, options["--turns"])
        if "stream" in kinds:
            stream(daemon, options["--listeners"])
    finally:
        daemon.stop()


if __name__ == "__main__":
    main()
