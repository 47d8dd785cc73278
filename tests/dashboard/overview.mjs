// The overview says in one line whether all is well, and shows what came of the last task.
import { renameSync } from "node:fs";
import { join } from "node:path";

export default async function ({ page, base, api, check, drop, until, shot, folder }) {
  const ladder = (await api("workflows?limit=500")).items.find((one) => one.name === "ingest-ladder");
  if (ladder.status !== "enabled") await api(`workflows/${ladder.id}/enable`, { method: "POST", json: {} });
  await page.goto(`${base}/overview`);
  const verdict = page.getByRole("region", { name: "State of the appliance" });
  await verdict.waitFor();
  drop("overview-page/film.mp4");
  // The card of last results is told by the stream: nobody loads the page again.
  const card = page.locator(".card").filter({ has: page.getByRole("heading", { name: "Last results" }) });
  await card.getByText("film.mp4").first().waitFor({ timeout: 90_000 });
  await shot("overview");
  check("the gauges have the processors", await page.getByText("Processors").isVisible());

  // The renditions vanish: that is said, with what to do, and it is over when they are back.
  renameSync(join(folder, "renditions"), join(folder, "away"));
  try {
    await verdict.getByText(/need.? a look/).waitFor({ timeout: 60_000 });
    await until("the alert", async () => (await api("alerts")).items.some((alert) => alert.subject === "renditions"));
    await verdict.getByText("Storage renditions is frozen").waitFor({ timeout: 30_000 });
    await shot("overview-trouble");
    await verdict.getByRole("article", { name: "Storage renditions is frozen" }).getByRole("button", { name: "Acknowledge" }).click();
    await verdict.getByText("Storage renditions is frozen").waitFor({ state: "detached", timeout: 20_000 });
    await page.goto(`${base}/alerts`);
    await page.getByText("olive knows").or(page.getByText(/knows$/)).first().waitFor();
  } finally {
    renameSync(join(folder, "away"), join(folder, "renditions"));
  }
  await until("the alert to be over", async () => !(await api("alerts")).items.some((alert) => alert.subject === "renditions"));
}
