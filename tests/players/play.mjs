// Plays what the engine made in a real browser, and says what the browser saw.
// usage: node play.mjs FOLDER     where FOLDER holds the outputs of tests/players/run.sh
// Every .mp4, .webm, .m3u8 (that no other one names) and .mpd beneath it is played from beginning to end, muted, at up
// to 4 times its speed; each must reach its end, show pictures of the size it says, decode sound, and report no error.
// Ends with 1 when one does not.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const TYPES = {
  ".html": "text/html", ".js": "text/javascript", ".mp4": "video/mp4", ".webm": "video/webm", ".m4s": "video/iso.segment",
  ".ts": "video/mp2t", ".m3u8": "application/vnd.apple.mpegurl", ".mpd": "application/dash+xml", ".vtt": "text/vtt",
  ".key": "application/octet-stream", ".aac": "audio/aac",
};
const LONGEST_MS = 60_000;
const folder = path.resolve(process.argv[2] ?? ".");
const require = createRequire(import.meta.url);
const dash = fs.readFileSync(require.resolve("dashjs/dist/dash.all.min.js"));

const page = (url) => `<!doctype html><meta charset="utf-8"><video id="v" muted playsinline></video>
<script src="/~dash.js"></script><script>
const video = document.getElementById("v"), url = ${JSON.stringify(url)}, errors = [];
window.seen = { errors, widths: [] };
video.addEventListener("error", () => errors.push("video: " + video.error.code + " " + video.error.message));
video.addEventListener("resize", () => window.seen.widths.push(video.videoWidth));
video.addEventListener("ended", () => { window.seen.ended = true; });
if (url.endsWith(".mpd")) {
  const player = dashjs.MediaPlayer().create();
  player.on("error", (event) => errors.push("dash: " + JSON.stringify(event.error)));
  player.initialize(video, url, false);
  player.on("playbackEnded", () => { window.seen.ended = true; });
  player.on("canPlay", () => { video.playbackRate = 2; video.play(); });
  window.tracks = () => ["video", "audio", "text"].map((kind) => player.getTracksFor(kind).length);
} else {
  video.src = url;
  video.addEventListener("canplay", () => { video.playbackRate = 2; video.play().catch((error) => errors.push(String(error))); }, { once: true });
}
window.look = () => ({ ...window.seen, at_s: video.currentTime, duration_s: video.duration, width: video.videoWidth,
  height: video.videoHeight, frames: video.getVideoPlaybackQuality().totalVideoFrames,
  dropped: video.getVideoPlaybackQuality().droppedVideoFrames, sound_bytes: video.webkitAudioDecodedByteCount,
  tracks: window.tracks ? window.tracks() : null });
</script>`;

const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/~dash.js") return response.writeHead(200, { "content-type": TYPES[".js"] }).end(dash);
  if (url.pathname === "/~page") return response.writeHead(200, { "content-type": TYPES[".html"] }).end(page(url.searchParams.get("url")));
  const file = path.join(folder, decodeURIComponent(url.pathname));
  if (!file.startsWith(folder) || !fs.existsSync(file)) return response.writeHead(404).end();
  const size = fs.statSync(file).size;
  const type = TYPES[path.extname(file)] ?? "application/octet-stream";
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  if (!range) {
    response.writeHead(200, { "content-type": type, "content-length": size, "accept-ranges": "bytes" });
    return fs.createReadStream(file).pipe(response);
  }
  const from = Number(range[1]), to = Math.min(range[2] === "" ? size - 1 : Number(range[2]), size - 1);
  response.writeHead(206, { "content-type": type, "content-length": to - from + 1, "accept-ranges": "bytes",
    "content-range": `bytes ${from}-${to}/${size}` });
  fs.createReadStream(file, { start: from, end: to }).pipe(response);
});

function playable() {
  const all = fs.readdirSync(folder, { recursive: true }).map(String);
  const isSegmentFolder = (name) => path.basename(name) === "init.mp4" || fs.existsSync(path.join(folder, path.dirname(name), "index.m3u8"));
  return all.filter((name) => [".mp4", ".webm", ".mpd", ".m3u8"].includes(path.extname(name)) && !isSegmentFolder(name)).sort();
}

await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"],
});
let failed = 0;
const names = playable();
for (const name of names) {
  const tab = await browser.newPage();
  const url = `${base}/${name.split(path.sep).map(encodeURIComponent).join("/")}`;
  await tab.goto(`${base}/~page?url=${encodeURIComponent(url)}`);
  const until = Date.now() + LONGEST_MS;
  let look;
  do {
    await tab.waitForTimeout(250);
    look = await tab.evaluate(() => window.look());
  } while (!look.ended && look.errors.length === 0 && Date.now() < until);
  const problems = [...look.errors];
  if (!look.ended) problems.push(`stopped at ${look.at_s} of ${look.duration_s} s`);
  if (!(look.width > 0) || look.frames === 0) problems.push("no pictures");
  if (!name.includes("silent") && !(look.sound_bytes > 0)) problems.push("no sound");
  failed += problems.length > 0 ? 1 : 0;
  const words = `${look.width}x${look.height}, ${look.at_s.toFixed(2)} of ${look.duration_s.toFixed(2)} s, ${look.frames} pictures`
    + (look.tracks ? `, tracks video/audio/text ${look.tracks.join("/")}` : "");
  console.log(`${problems.length ? "FAIL" : "ok  "} ${name}: ${words}${problems.length ? ": " + problems.join("; ") : ""}`);
  await tab.close();
}
await browser.close();
server.close();
if (names.length === 0) { console.log("FAIL nothing to play"); failed = 1; }
process.exit(failed ? 1 : 0);
