#!/usr/bin/env python3
"""Times deliveries: events a second to a local receiver, durable on both ends of the daemon.

usage: benches/deliveries.py [--tasks N] [--runs N] [BINARY]

BINARY is target/release/reelmill unless given. State lies in target/bench-deliveries, made anew each time. What is measured:
  backlog   --tasks noop tasks end while the receiver refuses connections; then it comes up, and the clock runs from the
            first callback it accepts to the last. Each delivery is a POST over a kept connection, a signature, an answer, and
            one row that is synced before the next of its task is sent. --tasks different tasks, so order holds nothing up.
The receiver is a process of its own with one thread (asyncio), parses nothing but heads and lengths, and answers 200. It
shares the machine, so its own limit is measured first: posts a second over eight connections from this script.
"""
import asyncio, json, os, re, shutil, signal, socket, statistics, subprocess, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench-deliveries"
sys.path.insert(0, str(ROOT / "benches"))
import daemon as bench  # noqa: E402: the helpers stand beside this file


class Receiver(asyncio.Protocol):
    """Counts callbacks; answers each with 200."""
    times = []

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            length = int(re.search(rb"content-length: *(\d+)", self.buffer[:end], re.I).group(1))
            if len(self.buffer) < end + 4 + length:
                return
            Receiver.times.append(time.time())
            self.buffer = self.buffer[end + 4 + length:]
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def serve(port, pipe):
    """The receiver's process: listens until told, then says when the first and the last came and how many."""
    async def run():
        loop = asyncio.get_running_loop()
        await loop.create_server(Receiver, "127.0.0.1", port)
        while True:
            await asyncio.sleep(0.2)
            seen = Receiver.times
            first, last = (seen[0], seen[-1]) if seen else (0, 0)
            os.write(pipe, f"{len(seen)} {first} {last}\n".encode())
    asyncio.run(run())


class Listening:
    def __init__(self, port):
        self.read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.read)
            try:
                serve(port, write)
            finally:
                os._exit(0)
        os.close(write)
        self.lines = os.fdopen(self.read)

    def until(self, count, within_s=600):
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            seen, first, last = self.lines.readline().split()
            if int(seen) >= count:
                return int(seen), float(first), float(last)
        sys.exit(f"only {seen} of {count} callbacks came within {within_s} s")

    def stop(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


async def flood(port, count):
    body = json.dumps({"a": "x" * 1500}).encode()
    request = b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    async def one(times):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(times):
            writer.write(request)
            await reader.readuntil(b"ok")
        writer.close()
    begin = time.monotonic()
    await asyncio.gather(*(one(count // 8) for _ in range(8)))
    return count / (time.monotonic() - begin)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def backlog(binary, tasks):
    port = free_port()
    bench.WORK = WORK
    daemon = bench.Daemon(binary, "backlog")
    config = daemon.place / "reelmill.toml"
    (daemon.place / "key").write_text("a key\n")
    (daemon.place / "key").chmod(0o600)
    config.write_text(config.read_text() + f'[callback]\nurl = "http://127.0.0.1:{port}/hook"\nprofile = "ims"\n'
                      f'signing_key_file = "{daemon.place / "key"}"\nevents = ["WorkflowTaskComplete"]\n')
    (daemon.place / "workflows" / "nothing.toml").write_text(bench.NOOP)
    daemon.start()
    link = daemon.connection()
    for number in range(tasks):
        (daemon.place / "aside" / f"{number}.bin").write_bytes(b"x")
    for number in range(tasks):
        os.rename(daemon.place / "aside" / f"{number}.bin", daemon.place / "many" / f"{number}.bin")
    while daemon.ended(link) < tasks:
        time.sleep(0.2)
    before = daemon.cpu_s()
    receiver = Listening(port)
    count, first, last = receiver.until(tasks)
    cpu = daemon.cpu_s() - before
    receiver.stop()
    daemon.stop()
    return (tasks - 1) / (last - first), cpu * 1000 / tasks


def main():
    arguments, tasks, runs = sys.argv[1:], 3000, 3
    binary = ROOT / "target" / "release" / "reelmill"
    while arguments:
        word = arguments.pop(0)
        if word == "--tasks":
            tasks = int(arguments.pop(0))
        elif word == "--runs":
            runs = int(arguments.pop(0))
        else:
            binary = Path(word).resolve()
    shutil.rmtree(WORK, ignore_errors=True)
    port = free_port()
    receiver = Listening(port)
    receiver.lines.readline()
    own = asyncio.run(flood(port, 8000))
    receiver.stop()
    bench.say("the receiver alone", f"{own:8.0f} posts/s")
    rates, costs = zip(*(backlog(binary, tasks) for _ in range(runs)))
    bench.say(f"{tasks} deliveries to one receiver", bench.spread(rates, "a second"), ">= 500")
    bench.say("processor time of the daemon", f"{statistics.median(costs):8.2f} ms a delivery")


if __name__ == "__main__":
    main()
