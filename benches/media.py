#!/usr/bin/env python3
"""Times the media engine against ffmpeg on the same clip with the same encoder settings, in one run.

usage: benches/media.py [--runs N] [--clip FILE] [ladder] [sprite] [still]      REELMILL_BIN names another binary

Commands are run in turn (A B C, A B C, ...) after one warm-up, so that a machine that drifts drifts for all; medians are
printed, with the ratio of each to ours. CPU seconds and peak memory are the kernel's own account of the process tree.
The picture quality of each rung is compared with PSNR against the source scaled bicubic to the rung's size.
Needs ffmpeg and python3; works in target/bench, which it leaves behind for a look.
"""
import json, os, re, shutil, statistics, subprocess, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench"
REELMILL = Path(os.environ.get("REELMILL_BIN", ROOT / "target" / "release" / "reelmill"))
RUNGS = [(1080, 1920, 5000), (720, 1280, 2800), (480, 854, 1400), (360, 640, 800)]
QUIET = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]


def rate(kbps):
    return kbps, int(kbps * 1.5), kbps * 2


def make_clips(given):
    """30 s of 1080p30 (a natural clip when one is given or found), and ten minutes of it with a key frame every 2 s."""
    WORK.mkdir(parents=True, exist_ok=True)
    clip, tall = WORK / "clip.mp4", WORK / "ten_minutes.mp4"
    if not clip.exists():
        natural = Path(given) if given else ROOT.parent / "shared" / "media" / "bbb_480p_30s.mp4"
        if natural.exists():
            source = ["-i", str(natural), "-map", "0:v:0", "-map", "0:a:0"]
            shape = "scale=1920:1080:flags=lanczos,setsar=1,fps=30,noise=alls=4:allf=t"
        else:
            source = ["-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000"]
            shape = "noise=alls=12:allf=t"
        subprocess.run(QUIET + source + ["-t", "30", "-vf", shape, "-c:v", "libx264", "-preset", "medium", "-crf", "20",
                       "-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac",
                       "-ac", "2", "-b:a", "192k", "-movflags", "+faststart", str(clip)], check=True)
    if not tall.exists():
        subprocess.run(QUIET + ["-stream_loop", "19", "-i", str(clip), "-c", "copy", "-movflags", "+faststart", str(tall)], check=True)
    return clip, tall


def x264(kbps):
    bitrate, cap, buffer = rate(kbps)
    return ["-c:v", "libx264", "-preset", "veryfast", "-b:v", f"{bitrate}k", "-maxrate", f"{cap}k", "-bufsize", f"{buffer}k",
            "-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-bf", "3", "-pix_fmt", "yuv420p",
            "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-movflags", "+faststart"]


def ffmpeg_split(clip, out):
    graph = f"[0:v]split={len(RUNGS)}" + "".join(f"[s{h}]" for h, _, _ in RUNGS)
    graph += "".join(f";[s{h}]scale={w}:{h}:flags=bicubic[v{h}]" for h, w, _ in RUNGS)
    command = QUIET + ["-i", str(clip), "-filter_complex", graph]
    for height, _, kbps in RUNGS:
        command += ["-map", f"[v{height}]", "-map", "0:a:0"] + x264(kbps) + [str(out / f"{height}p.mp4")]
    return [command]


def ffmpeg_each(clip, out):
    return [QUIET + ["-i", str(clip), "-vf", f"scale={w}:{h}:flags=bicubic"] + x264(kbps) + [str(out / f"{h}p.mp4")]
            for h, w, kbps in RUNGS]


def our_ladder(clip, out):
    lines = ['name = "bench"', "[[activity]]", 'id = "ladder"', 'type = "transcode"', "[[activity.group]]", 'kind = "file"',
             'container = "mp4"']
    for height, _, kbps in RUNGS:
        bitrate, cap, buffer = rate(kbps)
        lines += ["[[activity.group.output]]", f'name = "{height}p"',
                  f'video = {{ codec = "h264", height = {height}, preset = "veryfast", rate = "vbr", bitrate_kbps = {bitrate}, '
                  f"max_bitrate_kbps = {cap}, bufsize_kbps = {buffer}, gop_s = 2.0, bframes = 3 }}",
                  'audio = { codec = "aac", bitrate_kbps = 128, channels = 2 }']
    lines += ["[[activity]]", 'id = "sprite"', 'type = "snapshot"', 'mode = "sprite"', "interval_s = 10", "cell_width = 160",
              "[[activity]]", 'id = "poster"', 'type = "cover"']
    definition = WORK / "bench-ladder.toml"
    definition.write_text("\n".join(lines) + "\n")
    return [[str(REELMILL), "run", str(definition), str(clip), "--output", str(out)]]


def our_pictures(name, body, clip, out):
    definition = WORK / f"bench-{name}.toml"
    definition.write_text(f'name = "bench"\n[[activity]]\nid = "{name}"\ntype = "snapshot"\n{body}')
    return [[str(REELMILL), "run", str(definition), str(clip), "--output", str(out), "--json"]]


def run(commands, out):
    """Wall, CPU seconds and peak memory (MB) of a list of commands run one after the other."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    begin, cpu, peak = time.monotonic(), 0.0, 0
    for command in commands:
        child = subprocess.Popen(command, stdout=open(out.with_suffix(".out"), "wb"), stderr=open(out.with_suffix(".err"), "wb"))
        _, status, usage = os.wait4(child.pid, 0)
        if status != 0:
            sys.exit(f"{command[0]} failed: {out.with_suffix('.err').read_text()[-2000:]}")
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss // 1024)
    return time.monotonic() - begin, cpu, peak


def compare(title, contenders, runs):
    print(f"\n{title}, median of {runs} after one warm-up", flush=True)
    taken = {name: [] for name, _, _ in contenders}
    for turn in range(runs + 1):
        for name, commands, out in contenders:
            figures = run(commands, out)
            if turn:
                taken[name].append(figures)
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in taken.items()}
    ours = medians[contenders[0][0]]
    print(f"{'':34}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}{'ours/this wall':>16}")
    for name, (wall, cpu, peak) in medians.items():
        print(f"{name:34}{wall:9.2f}{cpu:9.2f}{peak:9.0f}{ours[0] / wall:16.3f}", flush=True)
    return medians


def psnr(clip, rendition, width, height):
    graph = f"[1:v]scale={width}:{height}:flags=bicubic[r];[0:v][r]psnr"
    text = subprocess.run(["ffmpeg", "-hide_banner", "-nostdin", "-i", str(rendition), "-i", str(clip), "-lavfi", graph, "-f", "null", "-"],
                          capture_output=True, text=True, check=True).stderr
    return float(re.search(r"average:([0-9.]+)", text).group(1))


def main():
    arguments = sys.argv[1:]
    runs, given = 3, None
    if "--runs" in arguments:
        at = arguments.index("--runs"); runs = int(arguments[at + 1]); del arguments[at:at + 2]
    if "--clip" in arguments:
        at = arguments.index("--clip"); given = arguments[at + 1]; del arguments[at:at + 2]
    wanted = arguments or ["ladder", "sprite", "still"]
    clip, tall = make_clips(given)
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    print(f"{model.group(1) if model else 'unknown processor'}, {os.cpu_count()} cores; "
          + subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True).stdout.splitlines()[0])
    if "ladder" in wanted:
        ours, split = WORK / "ladder-ours", WORK / "ladder-split"
        compare("ladder 1080/720/480/360 (ours with sprite and poster)", [
            ("reelmill run", our_ladder(clip, ours), ours),
            ("ffmpeg, one process, split", ffmpeg_split(clip, split), split),
            ("ffmpeg, one process an output", ffmpeg_each(clip, WORK / "ladder-each"), WORK / "ladder-each"),
        ], runs)
        print(f"\n{'PSNR dB':34}{'ours':>9}{'split':>9}{'difference':>12}{'ours kB':>10}{'split kB':>10}")
        for height, width, _ in RUNGS:
            a, b = psnr(clip, ours / f"{height}p.mp4", width, height), psnr(clip, split / f"{height}p.mp4", width, height)
            sizes = [(folder / f"{height}p.mp4").stat().st_size // 1000 for folder in (ours, split)]
            print(f"{height}p{'':30}{a:9.2f}{b:9.2f}{a - b:12.2f}{sizes[0]:10}{sizes[1]:10}")
    if "sprite" in wanted:
        ours = WORK / "sprite-ours"
        body = 'mode = "sprite"\ninterval_s = 10\ncolumns = 10\nlines = 10\ncell_width = 160\n'
        tile = "scale=160:-2,tile=10x6"
        compare("sprite sheet, 10 s interval, ten minutes of 1080p", [
            ("reelmill run", our_pictures("sprite", body, tall, ours), ours),
            ("ffmpeg -skip_frame nokey", [QUIET + ["-skip_frame", "nokey", "-i", str(tall), "-vf", f"fps=1/10,{tile}", "-frames:v", "1", str(WORK / "sprite-nokey/s.jpg")]], WORK / "sprite-nokey"),
            ("ffmpeg, full decode", [QUIET + ["-i", str(tall), "-vf", f"fps=1/10,{tile}", "-frames:v", "1", str(WORK / "sprite-full/s.jpg")]], WORK / "sprite-full"),
        ], runs)
        result = json.loads(ours.with_suffix(".out").read_text())
        read = result.get("cost", {}).get("read_bytes")
        if read is not None:
            print(f"bytes read: {read} of {tall.stat().st_size} ({100 * read / tall.stat().st_size:.1f} %)")
    if "still" in wanted:
        compare("one still at 5 min 0.5 s", [
            ("reelmill run", our_pictures("still", 'mode = "normal"\ntimes = ["300.5"]\nframe_type = "normal"\n', tall, WORK / "still-ours"), WORK / "still-ours"),
            ("ffmpeg -ss", [QUIET + ["-ss", "300.5", "-i", str(tall), "-frames:v", "1", str(WORK / "still-ffmpeg/s.jpg")]], WORK / "still-ffmpeg"),
        ], max(runs, 9))


if __name__ == "__main__":
    main()
