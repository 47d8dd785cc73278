// Every page: no serious finding of axe in light and dark, a picture at three widths, nothing sideways; the same in Chinese,
// with the views of each page, and no word left in English; and for a viewer that no page asks for what is refused, and
// nothing on it changes anything.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

export const last = true;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = ["overview", "tasks", "media", "reviews", "uploads", "alerts", "workflows", "workflows/new", "templates", "templates/new", "storages", "destinations", "deliveries", "events", "access", "audit", "settings", "about", "first-run"];
/// The views of a page that it opens with only when its address says so.
const VIEWS = { tasks: ["attempts", "events", "deliveries", "about"], media: ["facts", "pictures", "files", "tasks"], workflows: ["tasks", "test", "versions", "toml"], storages: ["objects", "explain", "settings"] };
const LISTS = ["uploads?tab=all", "uploads?tab=pulls", "access?tab=tokens", "access?tab=keys", "media?view=list"];
/// What is the same in Chinese: names, codes and units.
const SAME = /^(reelmill|[A-Z]{2,}[A-Z0-9 ]*|ID|TOML|MD5|Cache-Control|Access Key|Secret Key|NVIDIA.*|Prometheus.*|WebVTT|olive|v?[\d.,:%×+–-]+.*)$/;
/// What is pressed on one page at most; lists have the same buttons in every row.
const PRESSED = 30;

export default async function ({ page, base, check, shot, api }) {
  const found = [];
  const first = async (list) => (await api(`${list}?limit=1`)).items[0]?.id;
  const one = async (list) => {
    const id = await first(list);
    return id && `${list}/${encodeURIComponent(id)}`;
  };
  const paths = [...PAGES, ...(await Promise.all(["tasks", "media", "workflows", "templates", "storages", "destinations", "deliveries"].map(one)))].filter(Boolean);
  for (const path of paths) {
    const name = path.replace(/\/new$/, "-new").replace(/\/.*/, "-one");
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto(`${base}/${path}`);
      await page.locator("#content h1").first().waitFor();
      await page.waitForTimeout(400);
      await shot(`${name}-${theme}-1440`);
      // The page allows no script from outside; the tool is put in behind its policy.
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      for (const violation of violations.filter((one) => ["serious", "critical"].includes(one.impact))) {
        found.push(`${path} ${theme}: ${violation.id} (${violation.nodes.length}): ${violation.nodes[0].html.slice(0, 160)}`);
      }
      if (theme === "dark") continue;
      for (const width of [820, 390]) {
        await page.setViewportSize({ width, height: 844 });
        await page.waitForTimeout(150);
        await shot(`${name}-${theme}-${width}`);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (sideways > 0) found.push(`${path} is ${sideways} px too wide at ${width}`);
      }
    }
  }
  await page.emulateMedia({ colorScheme: null });

  // Headings, names of fields, columns, views and deeds are the pages' own words.
  const ours = () => [...document.querySelectorAll("h2, dt, label, [role=tab], [role=columnheader], th[scope=col], thead th, .page-note, .help, .nav a, .page-deeds .button, .empty p, .empty h2, button, option")]
    .filter((one) => one.checkVisibility?.() !== false && !one.closest("code, pre, .mono, [lang=en], .json, .media-player select, .tp-type li, .wfe-form select, .sf-row"))
    .map((one) => [...one.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data).join("").trim());
  const named = new Set();
  for (const list of ["workflows", "templates", "storages", "destinations", "tasks", "media", "users", "tokens", "categories"]) {
    for (const one of (await api(`${list}?limit=500`)).items) for (const text of [one.id, one.name, one.title, one.description, one.media?.object, ...Object.keys(one.facts?.tags ?? {})]) named.add(text);
  }
  await page.evaluate(() => localStorage.setItem("reelmill-language", "zh"));
  try {
    const views = paths.flatMap((path) => (path.includes("/") && !path.endsWith("/new") ? (VIEWS[path.split("/")[0]] ?? []).map((view) => `${path}?tab=${view}`) : []));
    for (const path of [...paths, ...LISTS, ...views]) {
      const name = path.replace(/\/new$/, "-new").replace(/\/[^?]*/, "-one").replace(/\?.*=/, "-");
      await page.setViewportSize({ width: 1600, height: 900 });
      await page.goto(`${base}/${path}`);
      await page.locator("#content h1").first().waitFor();
      await page.waitForTimeout(300);
      for (const width of [1600, 1024, 390]) {
        await page.setViewportSize({ width, height: 900 });
        await page.waitForTimeout(120);
        await shot(`zh-${name}-${width}`);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (sideways > 0) found.push(`${path} in Chinese is ${sideways} px too wide at ${width}`);
      }
      for (const text of new Set(await page.evaluate(ours))) {
        const bare = text.replace(/ \(?\d+\)?$/, "");
        if (/[A-Za-z]/.test(bare) && !/\p{Script=Han}/u.test(bare) && !SAME.test(bare) && !named.has(bare) && /^[a-z]+(_[a-z]+)+$|[A-Za-z]+ [A-Za-z]+|^[A-Z][a-z]+$/.test(bare)) found.push(`${path} in Chinese says ${bare.slice(0, 80)}`);
      }
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      for (const violation of violations.filter((one) => ["serious", "critical"].includes(one.impact))) found.push(`${path} in Chinese on a phone: ${violation.id}: ${violation.nodes[0].html.slice(0, 160)}`);
    }
  } finally {
    await page.evaluate(() => localStorage.removeItem("reelmill-language"));
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  if (found.length > 0) throw new Error(`\n${found.join("\n")}`);
  check(`${paths.length} pages have no serious finding`, true);

  for (const role of ["viewer", "operator"]) {
    await api("users", { method: "POST", json: { name: `every-${role}`, password: "a long enough one", role } });
    const context = await page.context().browser().newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB" });
    try {
      const theirs = await context.newPage();
      theirs.on("dialog", (dialog) => void dialog.accept().catch(() => null));
      let at = "";
      const asked = (path) => path.replace(/[0-9a-f]{32}/g, "ID");
      theirs.on("response", (answer) => {
        const { pathname } = new URL(answer.url());
        if (pathname.startsWith("/api/") && [401, 403].includes(answer.status()) && at) found.push(`a ${role} on ${at}: ${answer.request().method()} ${asked(pathname)} is refused`);
      });
      await theirs.goto(`${base}/overview`);
      await theirs.getByLabel("Name").fill(`every-${role}`);
      await theirs.locator('input[name="password"]').fill("a long enough one");
      await theirs.getByRole("button", { name: "Sign in" }).click();
      await theirs.locator("#content h1").first().waitFor();
      if (role === "viewer") {
        // Only reading, and having a definition checked, is a viewer's; anything else is caught before it is sent.
        await theirs.route("**/api/v1/**", (route) => {
          const request = route.request();
          if (request.method() === "GET" || request.url().includes("/checks/")) return route.continue();
          found.push(`a viewer on ${at} can press ${request.method()} ${asked(new URL(request.url()).pathname)}`);
          return route.abort();
        });
      }
      for (const path of paths) {
        at = path;
        await theirs.goto(`${base}/${path}`);
        await theirs.locator("#content h1").first().waitFor();
        await theirs.waitForTimeout(300);
        if (role !== "viewer") continue;
        await theirs.screenshot({ path: `${process.env.OUT}/viewer-${path.replace(/\/.*/, path.endsWith("/new") ? "-new" : "-one")}.png` });
        for (let number = 0; number < PRESSED; number += 1) {
          const buttons = theirs.locator("#content button:visible:enabled");
          if (number >= (await buttons.count())) break;
          await buttons.nth(number).click({ timeout: 2000, force: true }).catch(() => null);
          await theirs.keyboard.press("Escape");
          const open = theirs.locator("dialog[open]");
          if (await open.count()) {
            // What a dialog would do at the end counts, too.
            await open.last().locator('button[type="submit"], .dialog-buttons button').last().click({ timeout: 1000 }).catch(() => null);
            await theirs.goto(`${base}/${path}`);
            await theirs.locator("#content h1").first().waitFor();
          } else if (new URL(theirs.url()).pathname !== `/${path}`) {
            await theirs.goto(`${base}/${path}`);
            await theirs.locator("#content h1").first().waitFor();
          }
        }
      }
      at = "";
    } finally {
      await context.close();
    }
  }
  if (found.length > 0) throw new Error(`\n${[...new Set(found)].join("\n")}`);
  check("a viewer and an operator are offered nothing that is refused", true);
}
