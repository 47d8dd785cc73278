// Every page: no serious finding of axe in light and dark, a picture at three widths, nothing sideways on a phone.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

export const last = true;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = ["overview", "tasks", "media", "reviews", "uploads", "alerts", "workflows", "templates", "storages", "destinations", "deliveries", "events", "access", "audit", "settings", "about", "first-run"];

export default async function ({ page, base, check, shot, api }) {
  const found = [];
  const first = async (list) => (await api(`${list}?limit=1`)).items[0]?.id;
  const [task, media] = [await first("tasks"), await first("media")];
  const workflow = (await api("workflows?limit=1")).items[0]?.id;
  const paths = [...PAGES, task && `tasks/${task}`, media && `media/${media}`, workflow && `workflows/${workflow}`].filter(Boolean);
  for (const path of paths) {
    const name = path.replace(/\/.*/, "-one");
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
  await page.setViewportSize({ width: 1440, height: 900 });
  if (found.length > 0) throw new Error(`\n${found.join("\n")}`);
  check(`${paths.length} pages have no serious finding`, true);
}
