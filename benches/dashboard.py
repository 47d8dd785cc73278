#!/usr/bin/env python3
"""Times the dashboard over long lists in a real Chromium: frames while scrolling, and the time until a page can be used.

usage: benches/dashboard.py [--rows N] [BINARY]

BINARY is target/release/reelmill unless given. State lies in target/bench-daemon/dashboard and is left behind for a look.
One clip goes through a workflow with a cover; then the rows of its media, task and job are repeated in the database while
the daemon is down, until there are --rows of each (10,000), with 400 posters among them. What is measured stands at the
top of benches/dashboard.mjs. A binary of a debug build reads the dashboard from src/web/dashboard/dist: make it there
first (make dashboard). Needs node, chromium, and the modules of tests/dashboard (npm ci there). A machine that others use
makes all of it worse.
"""
import json, os, shutil, sqlite3, subprocess, sys, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from daemon import Daemon, COVER, ROOT, say
from lists import columns, uuid7

POSTERS = 400


def fill(place, rows):
    """Repeats the media, task and job that are there until there are `rows` of them."""
    db = sqlite3.connect(place / "state" / "reelmill.db", isolation_level=None)
    named = {table: columns(db, table) for table in ("media", "tasks", "jobs")}
    one = {table: dict(zip(named[table], db.execute(f"select * from {table} limit 1").fetchone())) for table in named}
    put = {table: f"insert into {table} ({', '.join(named[table])}) values ({', '.join('?' * len(named[table]))})"
           for table in named}
    storage, key = one["media"]["cover"].split(":", 1)
    (place / storage / "posters").mkdir(exist_ok=True)
    for number in range(POSTERS):
        shutil.copyfile(place / storage / key, place / storage / "posters" / f"{number}.jpg")
    words = ("harbour", "interview", "goal", "studio", "night", "match", "drone", "archive", "trailer", "dub")
    begin = int(time.time() * 1000) - rows * 60_000
    db.execute("begin")
    for number in range(rows):
        at = begin + number * 60_000
        name = f"{words[number % 10]}-{words[number // 10 % 10]}-{number:07}.mp4"
        media = dict(one["media"], id=uuid7(at, number), key=f"clips/{number // 500:04}/{name}", title=name, created_ms=at,
                     modified_ms=at, search_row=None, size_bytes=number + 10, cover=f"{storage}:posters/{number % POSTERS}.jpg")
        status = ("Succeed", "Succeed", "Succeed", "Failed")[number % 4]
        task = dict(one["tasks"], id=uuid7(at, number), media_id=media["id"], status=status, created_ms=at, started_ms=at,
                    ended_ms=at + 5000, idempotency_key=None, arrival_seq=None, search_row=None)
        job = dict(one["jobs"], id=uuid7(at, number), task_id=task["id"], created_ms=at)
        for table, row in (("media", media), ("tasks", task), ("jobs", job)):
            db.execute(put[table], list(row.values()))
    db.execute("commit")
    db.execute("analyze")
    db.close()


def main():
    words, rows = sys.argv[1:], 10_000
    if words[:1] == ["--rows"]:
        rows, words = int(words[1]), words[2:]
    binary = words[0] if words else str(ROOT / "target" / "release" / "reelmill")
    daemon = Daemon(binary, "dashboard")
    place = daemon.place
    (place / "workflows" / "poster.toml").write_text(COVER)
    daemon.start()
    subprocess.run([binary, "sample", str(place / "aside" / "one.mp4"), "--seconds", "4", "--size", "640x360"], check=True,
                   stdout=subprocess.DEVNULL)
    os.rename(place / "aside" / "one.mp4", place / "clips" / "one.mp4")
    link = daemon.connection()
    while not json.loads(daemon.ask(link, "GET", "/api/v1/tasks?status=Succeed"))["items"]:
        time.sleep(0.2)
    daemon.stop()
    fill(place, rows)
    say("start to READY", f"{daemon.start():8.1f} ms with {rows} tasks and media")
    try:
        token = (place / "state" / "admin.token").read_text().strip()
        script = ROOT / "benches" / "dashboard.mjs"
        subprocess.run(["node", script, f"http://127.0.0.1:{daemon.port}", token, str(rows)], check=True)
    finally:
        daemon.stop()


if __name__ == "__main__":
    main()
