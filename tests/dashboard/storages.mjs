// A storage is made in its form, tried, looked into, explained, changed and removed.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export default async function ({ page, base, api, check, until, shot, folder }) {
  await page.goto(`${base}/storages`);
  await page.getByRole("link", { name: "ingest" }).waitFor();
  await shot("storages");
  await page.getByRole("link", { name: "New storage" }).click();
  await page.getByLabel("Name", { exact: false }).first().fill("rushes");
  await page.getByLabel("Folder in it").fill("rushes");
  await shot("storage-form");
  await page.getByRole("button", { name: "Save and test" }).click();
  await page.getByRole("dialog").getByText("Everything went well").waitFor();
  await page.getByRole("dialog").locator(".dialog-buttons").getByRole("button", { name: "Close" }).click();
  check("it is on its page", page.url().endsWith("/storages/rushes"));
  const made = await api("storages/rushes");
  check("it was made through the API", made.origin === "api" && made.settings.path === join(folder, "places/rushes"));

  mkdirSync(join(folder, "places/rushes/day-1"), { recursive: true });
  writeFileSync(join(folder, "places/rushes/day-1/clip.txt"), "not a film");
  await until("the file to be known", async () => (await api("storages/rushes")).objects > 0);
  await page.getByRole("tab", { name: "Objects" }).click();
  await page.getByRole("button", { name: "day-1" }).click();
  await page.getByTitle("day-1/clip.txt").waitFor();
  await shot("storage-objects");
  await page.getByRole("button", { name: "Explain clip.txt" }).click();
  await page.locator(".st-answer").waitFor();
  check("the explanation says something", (await page.locator(".st-answer").innerText()).length > 10);
  await shot("storage-explain");

  await page.getByRole("link", { name: "Edit" }).first().click();
  await page.getByLabel("Watched").selectOption("poll");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(/\/storages\/rushes$/);
  check("the change is kept", (await api("storages/rushes")).settings.watch === "poll");

  await page.goto(`${base}/storages/+`);
  await page.getByLabel("Name", { exact: false }).first().fill("ingest");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("alert").waitFor();
  check("a name of the configuration is refused with a remedy", /configuration/.test(await page.getByRole("alert").innerText()));

  await page.goto(`${base}/storages/rushes`);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: /Remove/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove storage" }).click();
  await page.waitForURL(/\/storages$/);
  check("it is gone", !(await api("storages")).items.some((one) => one.name === "rushes"));
}
