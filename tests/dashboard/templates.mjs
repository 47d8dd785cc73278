// A template is made from one that ships, with a rung more; it becomes the default, is edited, and deleted.
export default async function ({ page, base, api, check, shot }) {
  const dialog = page.getByRole("dialog");
  const valid = () => page.locator('.sf-state[data-state="good"]').waitFor();
  await page.goto(`${base}/templates`);
  await page.getByRole("link", { name: "h264-mp4-ladder" }).click();
  await page.getByRole("heading", { name: "h264-mp4-ladder" }).waitFor();
  check("what ships is not edited", (await page.getByRole("link", { name: "Edit" }).count()) === 0);
  await page.getByRole("link", { name: "New one from this" }).click();
  await page.locator('[data-key="name"] input').first().fill("house-ladder");
  await page.getByRole("button", { name: "Add a rung" }).click();
  await page.getByLabel("Name of 240p").waitFor();
  await page.getByLabel("Height of 240p").fill("7");
  await page.locator(".sf-row-why").waitFor();
  check("what is out of range is said at its row", /height/.test(await page.locator(".sf-row-why").innerText()));
  await page.getByLabel("Height of 240p").fill("240");
  await valid();
  await shot("template-editor");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name: "house-ladder" }).waitFor();
  const made = await api("templates/house-ladder");
  check("it is made with five rungs", made.origin === "custom" && made.parameters.group[0].output.length === 5 && made.parameters.group[0].output[4].video.height === 240);

  await page.getByRole("switch", { name: "Default" }).click();
  await page.getByText("stands in for Transcode").waitFor();
  check("it is the default", (await api("templates/house-ladder")).default);
  await page.getByRole("switch", { name: "Default" }).click();
  await page.getByText("is no default any more").waitFor();

  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Name of 360p").waitFor();
  await page.getByRole("button", { name: "Delete 1080p" }).click();
  await valid();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "house-ladder", exact: true }).waitFor();
  check("it is changed", (await api("templates/house-ladder")).parameters.group[0].output.length === 4);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.waitForURL(/\/templates$/);
  check("it is deleted", !(await api("templates")).items.some((one) => one.name === "house-ladder"));
}
