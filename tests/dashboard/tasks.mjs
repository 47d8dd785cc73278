// A film becomes a task whose graph and proofs are seen; a broken one fails, says what to do, and is run again; many at once.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const ended = (task) => ["Succeed", "Failed", "Canceled"].includes(task.status);

export default async function ({ page, base, api, check, drop, until, shot, folder }) {
  const ladder = (await api("workflows?limit=500")).items.find((one) => one.name === "ingest-ladder");
  if (ladder.status !== "enabled") await api(`workflows/${ladder.id}/enable`, { method: "POST", json: {} });
  const text = join(folder, "no-film.mp4");
  writeFileSync(text, "this is no film");
  drop("tasks-page/broken.mp4", text);
  drop("tasks-page/good.mp4");

  await page.goto(`${base}/tasks?text=tasks-page`);
  const row = (name) => page.getByRole("row").filter({ hasText: name });
  await row("good.mp4").waitFor({ timeout: 60_000 });
  const find = async (name) => (await api("tasks?text=tasks-page")).items.find((task) => task.media.object.endsWith(name));
  // What runs shows how far it is, unless it was done between two looks.
  const bar = row("good.mp4").getByRole("progressbar");
  const seen = await until("progress or the end", async () => (await bar.count()) > 0 || (ended(await find("good.mp4")) && "ended"));
  check("a running task shows a bar", seen === true || seen === "ended");
  await until("both to end", async () => ended(await find("good.mp4")) && ended(await find("broken.mp4")));
  await row("good.mp4").getByText("succeeded").waitFor();
  await row("broken.mp4").getByText("failed").waitFor();
  await shot("tasks-list");

  await row("good.mp4").getByText("good.mp4").click();
  await page.getByRole("heading", { level: 1, name: "good.mp4" }).waitFor();
  const graph = page.getByRole("group", { name: "Activities and how they follow one another" });
  await graph.getByRole("button", { name: /ladder/ }).click();
  await page.getByRole("heading", { level: 2, name: "ladder" }).waitFor();
  check("the chosen activity has a link", page.url().includes("activity=ladder"));
  check("what shared a pass is framed", (await graph.getByText("one pass").count()) > 0);
  const proof = page.getByText(/proved: (\d+) of \1 checks/).first();
  await proof.click();
  await page.getByRole("columnheader", { name: "Expected" }).first().waitFor();
  await shot("task-good");
  await page.getByRole("tab", { name: /^Events/ }).click();
  await page.getByText("WorkflowTaskComplete").first().waitFor();

  const broken = await api(`tasks/${(await find("broken.mp4")).id}`);
  const { remedy } = broken.jobs.find((job) => job.fault).fault;
  await page.goto(`${base}/tasks/${broken.id}?tab=attempts`);
  await page.locator(".problem").first().waitFor();
  check("the remedy is the daemon's", (await page.locator(".problem").first().innerText()).includes(remedy));
  await shot("task-failed");
  await page.getByRole("button", { name: "Run again what failed" }).click();
  await until("its second run to fail", async () => {
    const now = await api(`tasks/${broken.id}`);
    return now.runs === 2 && now.status === "Failed" && now.attempts.length === 2;
  });
  await page.getByRole("heading", { level: 3, name: "#2 Attempt 2" }).waitFor();

  await page.goto(`${base}/tasks?text=tasks-page&status=Failed`);
  await page.getByRole("checkbox", { name: "Mark", exact: true }).first().check();
  await page.getByRole("group", { name: "1 marked" }).getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByText("No task is like this").waitFor();
  check("it is gone", (await find("broken.mp4")) === undefined);
}
