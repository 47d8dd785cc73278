// Numbered pictures with some missing are one media: its page and its task's page say of how many files, and which are missing;
// when its files had come to rest stands beside, and leads to why it was triggered.
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

export default async function ({ page, base, api, check, clip, until, shot, folder }) {
  const reel = join(folder, "outside-reel");
  mkdirSync(reel);
  execFileSync("ffmpeg", ["-v", "error", "-i", clip, "-t", "1", "-vf", "fps=12,scale=160:-2", join(reel, "scan_%05d.jpg")]);
  for (const missing of ["00004", "00007", "00008"]) rmSync(join(reel, `scan_${missing}.jpg`));
  await api("storages?make_folder=true", { method: "POST", json: { name: "scans", kind: "folder", path: join(folder, "places/scans"), groups: ["sequences"], settle_looks: 2, settle_interval_s: 0.2 } });
  await until("the storage", async () => (await api("storages/scans")).status === "available");
  await api("workflows", { method: "POST", json: { name: "of-scans", source: { storage: "scans", prefix: "", extensions: ["jpg"] }, output: { storage: "renditions" }, activity: [{ id: "facts", type: "analysis" }] } });
  renameSync(reel, join(folder, "places/scans/reel"));
  const task = await until("its task", async () => (await api("tasks?workflow=of-scans&status=Succeed")).items[0]);

  await page.goto(`${base}/tasks/${task.id}?tab=about`);
  await page.getByText("9 files, numbered pictures · 25 fps").waitFor();
  check("the task says which pictures are missing", /3 pictures of it are missing, numbers 4, 7 to 8/.test(await page.locator(".members-gaps").innerText()));
  check("each picture is listed", (await page.locator(".members-table tbody tr").count()) === 9);
  await shot("several-files-task");

  await page.goto(`${base}/media/${task.media.id}`);
  await page.locator(".members-gaps").waitFor();
  await shot("several-files-media");
  await page.locator(".facts > div", { hasText: "File settled" }).getByRole("link").click();
  await page.waitForURL(/\/storages\/scans\?tab=explain&key=reel/);
  await page.locator(".facts dt", { hasText: "Settled" }).waitFor();
  check("why it was triggered is one press away", /taken/i.test(await page.locator(".st-answer").innerText()));
  await page.getByRole("tab", { name: "Settings" }).click();
  await page.getByText("numbered pictures").waitFor();
  await api("workflows/of-scans/disable", { method: "POST", json: {} }).catch(() => null);
}
