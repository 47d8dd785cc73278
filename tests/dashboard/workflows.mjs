// A workflow is made in the editor: activities after and beside one another, a template with a parameter of its own, the
// same as TOML; a finding stands at its field, what is unsaved is guarded; it is enabled, and a file that lands runs it.
export default async function ({ page, base, api, check, drop, until, shot }) {
  const button = (name, exact = true) => page.getByRole("button", { name, exact });
  const dialog = page.getByRole("dialog");
  const state = page.locator(".sf-state");
  const valid = () => page.locator('.sf-state[data-state="good"]').waitFor();
  const toml = page.getByLabel("The workflow as TOML");

  await page.goto(`${base}/workflows`);
  await page.getByRole("link", { name: "ingest-ladder" }).waitFor();
  check("what ships is shown as such", (await page.locator(".table-row", { hasText: "web-ladder" }).innerText()).includes("preset"));
  await page.getByRole("searchbox").fill("no such");
  await page.getByText("No workflow fits").waitFor();
  await page.getByRole("searchbox").fill("");
  await page.getByRole("link", { name: "New workflow" }).click();

  await page.locator('.wfe-form [data-key="name"] input').fill("by-hand");
  await page.locator('.wfe-form [data-key="storage"] select').selectOption("ingest");
  await page.locator('.wfe-form [data-key="prefix"] input').fill("by-hand");
  
  await page.getByRole("list", { name: "Findings" }).getByText(/slash/).first().waitFor();
  check("the finding stands at its field", /slash/.test(await page.locator('.wfe-form [data-key="prefix"] .field-error').innerText()));
  await page.locator('.wfe-form [data-key="prefix"] input').fill("by-hand/");

  const add = async (deed, type, template) => {
    await button(deed).click();
    const entry = dialog.locator("li", { has: page.locator(`[data-type="${type}"]`) });
    await (template ? entry.getByRole("button", { name: template }) : entry.locator(`[data-type="${type}"]`)).click();
    await dialog.waitFor({ state: "detached" });
  };
  await add("After this", "analysis");
  await add("After this", "snapshot", "sprite-webvtt");
  await page.locator('.wfe-form [data-key="interval_s"] input').fill("3");
  await page.getByText("Overrides the template, which says 10").waitFor();
  await add("Beside this", "noop");
  await valid();
  check("both follow the analysis", /id = "sprite-webvtt"\ntype = "snapshot"\nneeds = \["analysis"\]\ntemplate = "sprite-webvtt"\ninterval_s = 3\n/.test(await toml.inputValue()) && (await toml.inputValue()).includes('id = "noop"\ntype = "noop"\nneeds = ["analysis"]'));
  await shot("workflow-editor");

  // By keyboard: from the activity to the one before it, which takes what follows it along when it goes.
  await page.locator('[data-node="noop"]').focus();
  await page.keyboard.press("ArrowLeft");
  check("arrow keys walk along the ways", (await page.evaluate(() => document.activeElement?.getAttribute("data-node"))) === "analysis");
  await page.keyboard.press("Delete");
  await dialog.getByText(/sprite-webvtt, noop|noop, sprite-webvtt/).waitFor();
  await dialog.getByRole("button", { name: "Delete 3 activities" }).click();
  await page.locator('[data-node="analysis"]').waitFor({ state: "detached" });
  await page.keyboard.press("Control+z");
  await page.locator('[data-node="noop"]').waitFor();
  check("a deletion is undone", (await page.locator("[data-node]").count()) === 5);

  // The text leads, and the graph follows; what cannot be read leaves the graph as it was.
  const text = await toml.inputValue();
  await toml.fill(`${text}\n[[activity]]\nid = "look" oops\n`);
  await page.locator(".toml-edit .field-error").waitFor();
  check("what cannot be read is said with its line", /^Line \d+/.test(await page.locator(".toml-edit .field-error").innerText()) && (await page.locator("[data-node]").count()) === 5);
  await toml.fill(`${text}\n[[activity]]\nid = "last"\ntype = "noop"\nneeds = ["noop"]\nwhen = "heigth > 10"\n`);
  await page.locator('[data-node="last"]').waitFor();
  await page.getByRole("list", { name: "Findings" }).getByText(/heigth/).click();
  await page.locator('.wfe-form [data-key="when"] .field-error').waitFor();
  await page.getByLabel("Expression").fill("height > 10");
  await valid();
  check("the form writes the text", (await toml.inputValue()).includes('when = "height > 10"'));

  await page.getByRole("link", { name: "Tasks" }).first().click();
  await dialog.getByText("What was changed here is lost.").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  check("what is not saved is guarded", page.url().includes("/workflows/new") && /Valid/.test(await state.innerText()));
  await button("Create").click();
  await page.getByRole("heading", { name: "by-hand" }).waitFor();

  const made = await api("workflows/by-hand");
  check("it is made, and disabled", !made.enabled && made.graph.nodes.length === 6 && made.graph.edges.some((edge) => edge.to === "last" && edge.when === "height > 10"));
  await page.getByRole("switch", { name: "Enable by-hand" }).click();
  await until("it to be enabled", async () => (await api("workflows/by-hand")).enabled);
  drop("by-hand/film.mp4");
  const task = await until("its task", async () => (await api("tasks?workflow=by-hand")).items.find((one) => one.status === "Succeed" || one.status === "Failed"));
  check("a file that lands runs it", task.status === "Succeed");
  await page.getByRole("tab", { name: "Tasks" }).click();
  await page.getByRole("link", { name: "ingest:by-hand/film.mp4" }).waitFor();

  await page.getByRole("tab", { name: "Test" }).click();
  await page.locator('input[name="object"]').fill("ingest:by-hand/film.mp4");
  await button("Show what it would do").click();
  await page.getByText("It takes this file").waitFor();
  check("the dry run is drawn on the graph", (await page.locator('[data-node="noop"]').textContent())?.includes("runs"));

  await button("Edit").click();
  await dialog.getByRole("button", { name: "Disable and edit" }).click();
  await page.locator('[data-node="sprite-webvtt"]').click();
  await page.locator('.wfe-form [data-key="columns"] input').fill("5");
  await page.keyboard.press("Control+s");
  await page.getByRole("tab", { name: "Versions" }).click();
  await button("Version 2").waitFor();
  check("saving makes a version", (await api("workflows/by-hand")).version === 2);

  // What answers mask comes back masked, and changes nothing.
  const secret = { name: "with-key", enabled: false, source: { storage: "ingest", prefix: "never/" }, callback: { url: "https://mam.example/hook", auth_key: "hidden" }, activity: [{ id: "n", type: "noop" }] };
  await api("workflows", { method: "POST", json: secret });
  await api("workflows/with-key", { method: "PUT", json: { ...secret, callback: { ...secret.callback, auth_key: "***" } } });
  check("a masked key is the one that is kept", (await api("workflows/with-key")).version === 1);
  await api("workflows/with-key", { method: "DELETE" });

  await button("More").click();
  await page.getByRole("menuitem", { name: "Copy" }).click();
  await dialog.getByLabel("Name of the copy").fill("by-hand-too");
  await dialog.getByRole("button", { name: "Copy" }).click();
  await page.getByRole("heading", { name: "by-hand-too" }).waitFor();
  await button("More").click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.waitForURL(/\/workflows$/);
  check("a copy is made and deleted", !(await api("workflows")).items.some((one) => one.name === "by-hand-too"));
}
