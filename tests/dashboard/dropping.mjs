// Files and a folder are dragged in from outside and dropped: the browser's own drag, not one that a script pretends.
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export default async function ({ page, context, base, check, until, shot, folder, clip }) {
  const outside = join(folder, "outside");
  mkdirSync(join(outside, "reel/scene"), { recursive: true });
  copyFileSync(clip, join(outside, "dropped.mp4"));
  writeFileSync(join(outside, "reel/a.txt"), "a");
  writeFileSync(join(outside, "reel/scene/b.txt"), "b");
  writeFileSync(join(outside, "reel/.hidden"), "no");
  await page.goto(`${base}/uploads?storage=renditions&folder=by-drop`);
  await page.getByRole("heading", { name: "Drop files or folders here" }).waitFor();
  const wire = await context.newCDPSession(page);
  const data = { items: [], files: [join(outside, "dropped.mp4"), join(outside, "reel")], dragOperationsMask: 1 };
  const drag = (type, x, y) => wire.send("Input.dispatchDragEvent", { type, x, y, data });
  await drag("dragEnter", 700, 300);
  await drag("dragOver", 700, 310);
  await page.locator(".uploads-over").waitFor();
  await shot("uploads-dragged-over");
  await drag("dragCancel", 700, 310);
  await page.locator(".uploads-over").waitFor({ state: "detached" });
  check("a drag that goes on its way sends nothing", (await page.locator(".uploads-line").count()) === 0);
  await drag("dragEnter", 700, 300);
  await drag("dragOver", 700, 310);
  await drag("drop", 700, 310);
  for (const name of ["dropped.mp4", "a.txt", "b.txt"]) await page.locator('.uploads-line[data-state="done"]', { hasText: name }).waitFor({ timeout: 60_000 });
  check("a folder keeps its form, and its hidden files stay away", (await page.locator(".uploads-line").count()) === 3);
  const landed = (name) => existsSync(join(folder, "renditions/by-drop", name));
  await until("all to lie there", () => landed("dropped.mp4") && landed("reel/a.txt") && landed("reel/scene/b.txt"));
  check("nothing else came", !landed("reel/.hidden"));
  await wire.detach();
}
