// A destination is added in its form and tested; what it does not take is given up, sent again, and arrives; events are followed.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export default async function ({ page, base, api, check, drop, until, shot, folder }) {
  const program = join(folder, "hooks/told");
  const heard = join(folder, "heard");
  const write = (last) => {
    writeFileSync(program, `#!/bin/sh\ncat >/dev/null\n${last}\n`);
    chmodSync(program, 0o755);
  };
  write("echo the archive is closed >&2; exit 1");

  await page.goto(`${base}/destinations`);
  await page.getByRole("link", { name: "Add a destination" }).first().click();
  await page.getByText("Program", { exact: true }).click();
  await page.getByLabel(/^Name/).fill("told");
  await page.getByLabel(/^Program \*|^Program$/).last().fill("told");
  await page.getByLabel("When it is not accepted").selectOption("ims");
  await page.getByText("Told of the events of every workflow").click();
  await shot("destination-form");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "told" }).waitFor();
  check("it is global", (await api("destinations/told")).global === true);
  await page.getByRole("button", { name: "Send a test event" }).click();
  await page.getByText("not accepted").first().waitFor();
  await page.getByRole("button", { name: "Make a signing key" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Make a signing key" }).click();
  await page.getByText("It is shown here once").waitFor();
  await page.getByRole("button", { name: "I have kept it" }).click();
  check("the key is kept", (await api("destinations/told")).secrets.includes("signing_key"));
  await shot("destination");

  const ladder = (await api("workflows?limit=500")).items.find((one) => one.name === "ingest-ladder");
  if (ladder.status !== "enabled") await api(`workflows/${ladder.id}/enable`, { method: "POST", json: {} });
  const text = join(folder, "no-film-either.mp4");
  writeFileSync(text, "this is no film either");
  drop("deliveries-page/broken.mp4", text);
  await page.goto(`${base}/events?type=WorkflowTaskComplete`);
  await page.getByText("deliveries-page/broken.mp4").first().click({ timeout: 60_000 });
  await page.locator(".json pre").getByText('"task_ended"').waitFor();
  await shot("events");

  const dead = () => api("deliveries?destination=told&status=dead&event_type=WorkflowTaskComplete").then((list) => list.items[0]);
  const letter = await until("the last event to be given up", dead);
  await page.goto(`${base}/deliveries?status=dead&destination=told`);
  await page.getByRole("row").filter({ hasText: "WorkflowTaskComplete" }).first().click();
  await page.getByText("The last try failed").waitFor();
  await page.getByRole("columnheader", { name: "Answer" }).waitFor();
  await page.locator(".json pre").waitFor();
  await shot("delivery-dead");
  write(`echo "$REELMILL_EVENT_ID" >>"${heard}"`);
  await page.goto(`${base}/deliveries/${letter.id}`);
  await page.getByRole("button", { name: "Send again" }).click();
  await until("it to arrive", async () => (await api(`deliveries/${letter.id}`)).status === "done");
  await page.locator(".page-head").getByText("delivered").waitFor();
  check("the program heard the same event", readFileSync(heard, "utf8").includes(letter.event));

  await page.goto(`${base}/destinations/told`);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { level: 1, name: "Destinations" }).waitFor();
  check("it is gone", !(await api("destinations")).items.some((one) => one.id === "told"));
}
