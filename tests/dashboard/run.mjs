// Starts a daemon of its own, signs in, and runs every script of this folder against it, one after the other.
//
// usage: node run.mjs [SCRIPT...]     REELMILL: the binary; OUT: where pictures and logs go
//
// A script is a module whose default export is called with {page, base, api, check, clip, drop, until, shot, folder}:
//   page   a page of a signed-in browser (administrator "olive")
//   base   address of the daemon       api(path, {method, json})   the REST API with an admin token
//   clip   a clip made by `reelmill sample` (12 s, frame times burnt in)
//   drop(name, file?) puts a copy of it into the watched inbox, whole at once
//   until(what, ask)  waits for a true answer    check(what, is)  counts, and fails the run when it is false
//   shot(name)        a picture of the page in OUT
// `export const last = true` on a script that leaves the daemon changed for others: it runs after all others.
import { chromium } from "playwright-core";
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const { REELMILL: reelmill, OUT: out } = process.env;
const browserFlags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close((error) => (error ? reject(error) : resolve(port)));
  });
});

const folder = mkdtempSync(join(tmpdir(), "reelmill-dashboard-"));
for (const name of ["state", "scratch", "workflows", "hooks", "ingest", "renditions", "places"]) mkdirSync(join(folder, name));
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const config = join(folder, "reelmill.toml");
writeFileSync(config, `[server]
listen = "127.0.0.1:${port}"
public_url = "${base}"
state_dir = "${folder}/state"
scratch_dir = "${folder}/scratch"
workflows_dir = "${folder}/workflows"
hooks_dir = "${folder}/hooks"

[security]
storage_roots = ["${folder}/places"]

[[storage]]
name = "ingest"
kind = "folder"
path = "${folder}/ingest"
settle_looks = 2
settle_interval_s = 0.2

[[storage]]
name = "renditions"
kind = "folder"
path = "${folder}/renditions"
watch = "off"
`);
copyFileSync(join(here, "../../config/workflows/ingest-ladder.toml"), join(folder, "workflows/ingest-ladder.toml"));
const clip = join(folder, "clip.mp4");
execFileSync(reelmill, ["sample", clip, "--seconds", "12", "--size", "640x360"]);

const log = openSync(join(out, "daemon.log"), "a");
const daemon = spawn(reelmill, ["--config", config, "serve"], { stdio: ["ignore", log, log] });
let browser;
let failed = 0;
let passed = 0;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(what, ask, seconds = 90) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(200);
  }
}
function check(what, is) {
  if (!is) throw new Error(`not so: ${what}`);
  passed += 1;
}
const token = () => readFileSync(join(folder, "state/admin.token"), "utf8").trim();
async function api(path, { method = "GET", json } = {}) {
  const response = await fetch(`${base}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token()}`, ...(json === undefined ? {} : { "content-type": "application/json" }) },
    body: json === undefined ? undefined : JSON.stringify(json),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}
function drop(name, file = clip) {
  const beside = join(folder, `${name.replaceAll("/", "_")}.part`);
  copyFileSync(file, beside);
  mkdirSync(dirname(join(folder, "ingest", name)), { recursive: true });
  renameSync(beside, join(folder, "ingest", name));
}

try {
  await until("the daemon", () => fetch(`${base}/readyz`).then((answer) => answer.ok, () => false), 30);
  await api("users", { method: "POST", json: { name: "olive", password: "a long enough one", role: "admin" } });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: browserFlags });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB" });
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && /Content Security Policy/.test(message.text()) && faults.push(message.text()));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== base) faults.push(`asked ${request.url()}`);
  });
  const shot = (name) => page.screenshot({ path: join(out, `${name}.png`) });
  const asked = process.argv.slice(2).map((name) => basename(name, ".mjs"));
  const names = readdirSync(here).filter((name) => name.endsWith(".mjs") && name !== "run.mjs").map((name) => basename(name, ".mjs"));
  const scripts = [];
  for (const name of names.sort()) {
    if (asked.length > 0 && !asked.includes(name) && name !== "sign_in") continue;
    scripts.push({ name, module: await import(pathToFileURL(join(here, `${name}.mjs`)).href) });
  }
  // Signing in comes first: everything else needs it.
  const rank = ({ name, module }) => (name === "sign_in" ? 0 : module.last ? 2 : 1);
  scripts.sort((a, b) => rank(a) - rank(b));
  for (const { name, module } of scripts) {
    const begun = Date.now();
    faults.length = 0;
    try {
      await module.default({ page, context, base, api, check, clip, drop, until, shot, folder, token });
      if (faults.length > 0) throw new Error(`the page said: ${faults.join("; ")}`);
      console.log(`ok    ${name}  ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL  ${name}: ${error.stack ?? error}`);
      await page.screenshot({ path: join(out, `failed-${name}.png`) }).catch(() => null);
      if (name === "sign_in") break;
    }
  }
} finally {
  await browser?.close();
  daemon.kill("SIGTERM");
  await new Promise((resolve) => {
    daemon.once("exit", resolve);
    setTimeout(() => daemon.kill("SIGKILL"), 10_000).unref();
  });
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} checks, ${failed} scripts failed; pictures in ${out}`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
