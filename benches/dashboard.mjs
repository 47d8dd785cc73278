// How the dashboard does with long lists, in a real Chromium: frames while a list is scrolled through, and the time until a
// page can be used. Started by benches/dashboard.py; by hand: node benches/dashboard.mjs BASE TOKEN ROWS
//
// Frames: the page is scrolled by 3 rows every frame until the end of the list; the time from frame to frame is noted, and
// whether rows were in view then; and the processor time that the page's own thread took for a frame, which is what can be
// trusted on a machine that others use. Usable: from the beginning of the navigation until the first row stands there, with what
// the browser keeps of an earlier visit; and the same for a click on a link within the dashboard.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const { chromium } = createRequire(fileURLToPath(new URL("../tests/dashboard/", import.meta.url)))("playwright-core");
const [base, token, rowsText] = process.argv.slice(2);
const rows = Number(rowsText);
const turns = 15;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB" })).newPage();
const of = (list, share) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? 0;
const ms = (value) => value.toFixed(value < 10 ? 1 : 0);
const say = (what, text) => console.log(`${what.padEnd(44)} ${text}`);

await page.goto(`${base}/overview`);
await page.getByRole("radio", { name: /token/i }).or(page.getByRole("button", { name: /token/i })).first().click();
await page.locator("input[type=password]").first().fill(token);
await page.keyboard.press("Enter");
await page.locator("#content h1").first().waitFor();

const LISTS = [["tasks", "/tasks", ".table-row"], ["media, posters", "/media", ".media-place"], ["media, list", "/media?view=list", ".table-row"]];
for (const [name, path, row] of LISTS) {
  const times = [];
  for (let turn = 0; turn <= turns; turn += 1) {
    await page.goto("about:blank");
    await page.goto(`${base}${path}`, { waitUntil: "commit" });
    const took = await page.evaluate((row) => new Promise((done) => {
      const look = () => (document.querySelector(row) ? done(performance.now()) : requestAnimationFrame(look));
      look();
    }), row);
    // The first visit fills the cache.
    if (turn > 0) times.push(took);
  }
  say(`${name}: navigation to first row`, `p50 ${ms(of(times, 0.5))} ms, worst ${ms(Math.max(...times))} ms of ${turns}`);
  const clicks = [];
  for (let turn = 0; turn < turns; turn += 1) {
    await page.locator('.nav a[href="/about"]').click();
    await page.locator("#content h1").first().waitFor();
    await page.waitForTimeout(100);
    clicks.push(await page.evaluate(({ path, row }) => new Promise((done) => {
      const began = performance.now();
      const look = () => (document.querySelector(row) ? done(performance.now() - began) : requestAnimationFrame(look));
      history.pushState(null, "", path);
      dispatchEvent(new PopStateEvent("popstate"));
      look();
    }), { path, row }));
  }
  say(`${name}: link to first row`, `p50 ${ms(of(clicks, 0.5))} ms, worst ${ms(Math.max(...clicks))} ms of ${turns}`);
}

const wire = await page.context().newCDPSession(page);
await wire.send("Performance.enable", { timeDomain: "threadTicks" });
const busy_s = async () => (await wire.send("Performance.getMetrics")).metrics.find((one) => one.name === "TaskDuration").value;
for (const [name, path, row] of LISTS) {
  await page.goto(`${base}${path}`);
  await page.locator(row).first().waitFor();
  const before_s = await busy_s();
  const found = await page.evaluate(({ row, until }) => new Promise((done) => {
    const frames = [];
    let [empty, last, stuck, drawn] = [0, performance.now(), 0, 0];
    const first = document.querySelector(row).getBoundingClientRect();
    const step = first.height * 3;
    const next = (now) => {
      frames.push(now - last);
      last = now;
      // Two heights: one may fall between two posters.
      const shown = [450, 500].some((height) => document.elementFromPoint(first.left + first.width / 2, height)?.closest(row));
      if (!shown) empty += 1;
      drawn = Math.max(drawn, document.querySelectorAll(row).length);
      const before = scrollY;
      scrollBy(0, step);
      stuck = scrollY === before ? stuck + 1 : 0;
      if (stuck > 120 || frames.length > until) done({ frames: frames.slice(1), empty, drawn, height: document.documentElement.scrollHeight });
      else requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }), { row, until: rows * 2 });
  const thread_ms = ((await busy_s()) - before_s) * 1000 / found.frames.length;
  const moving = found.frames.slice(0, -120);
  const late = moving.filter((one) => one > 33.4).length;
  say(`${name}: ${moving.length} frames`, `p50 ${ms(of(moving, 0.5))}, p95 ${ms(of(moving, 0.95))}, p99 ${ms(of(moving, 0.99))}, worst ${ms(Math.max(...moving))} ms; ${late} over 33 ms; ${ms(thread_ms)} ms of processor time each; ${found.empty} without a row in view; ${found.drawn} rows drawn at once; ${Math.round(found.height)} px`);
}
await browser.close();
