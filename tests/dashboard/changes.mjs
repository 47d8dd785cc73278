// What is changed while things run: a task's place in the queue, what is logged; a definition is tried before it is saved,
// notes stand above dialogs, and the navigation counts what waits for a person.
export default async function ({ page, base, api, check, drop, until, shot }) {
  const button = (name) => page.getByRole("button", { name, exact: true });
  const dialog = page.getByRole("dialog");
  await api("workflows", { method: "POST", json: { name: "later", source: { storage: "ingest", prefix: "later/" }, output: { storage: "renditions" }, activity: [{ id: "poster", type: "snapshot" }, { id: "ask", type: "review", needs: ["poster"] }] } });
  await api("system/drain", { method: "POST", json: { on: true } });
  try {
    drop("later/film.mp4");
    const task = await until("its task", async () => (await api("tasks?workflow=later")).items[0]);
    await page.goto(`${base}/tasks/${task.id}`);
    await page.getByText("poster waits for a free place.").waitFor();
    check("it says what it waits for", true);
    await button("Priority 0").click();
    await shot("task-priority");
    await page.getByText("Sooner: 5").click();
    await button("Priority 5").waitFor();
    check("it has its new place", (await api(`tasks/${task.id}`)).priority === 5);
    await button("Priority 5").click();
    await page.getByText("Another number").click();
    await dialog.locator("input").fill("11");
    check("what is no priority cannot be set", await dialog.getByRole("button", { name: "Set" }).isDisabled());
    await dialog.locator("input").fill("-3");
    await dialog.getByRole("button", { name: "Set" }).click();
    await button("Priority -3").waitFor();
    check("who changed it is noted", (await api("audit?verb=task.change")).items[0].detail.priority.new === -3);
  } finally {
    await api("system/drain", { method: "POST", json: { on: false } });
  }
  const task = await until("a person to be asked", async () => (await api("reviews?status=waiting")).items.find((one) => one.workflow === "later"));
  await page.locator('.nav a[href="/reviews"] .nav-count').waitFor();
  await page.goto(`${base}/tasks/${task.task}`);
  await page.getByText("ask waits for a person who decides.").waitFor();
  check("what waits for a person leads to the review", (await page.getByRole("link", { name: "To the review" }).first().getAttribute("href")) === `/reviews/${task.id}`);
  const counted = (await api("system")).queue.reviews_waiting;
  check("the navigation counts reviews", counted > 0 && (await page.locator('.nav a[href="/reviews"] .nav-count').innerText()).startsWith(String(counted)));
  const media = await api(`media/${task.media}`);
  check("the poster is the media's cover", /^renditions:.*\.jpg$/.test(media.cover ?? ""));
  await page.goto(`${base}/media`);
  await page.locator(`.media-card:has(a[href="/media/${task.media}"]) img`).waitFor();
  await api(`reviews/${task.id}/approve`, { method: "POST", json: {} });
  await until("the count to fall", async () => Number((await page.locator('.nav a[href="/reviews"] .nav-count').first().locator("[aria-hidden]").innerText().catch(() => "0"))) === counted - 1);

  await page.goto(`${base}/workflows/new`);
  await page.locator('.wfe-form [data-key="name"] input').fill("never-saved");
  await page.locator('.wfe-form [data-key="storage"] select').selectOption("ingest");
  await page.getByLabel("The workflow as TOML").fill('name = "never-saved"\n[source]\nstorage = "ingest"\nprefix = "later/"\n[output]\nstorage = "renditions"\n[[activity]]\nid = "still"\ntype = "snapshot"\n');
  await page.locator('.sf-state[data-state="good"]').waitFor();
  await button("Try with a file").click();
  await dialog.locator('input[name="object"]').fill("ingest:later/film.mp4");
  await dialog.getByRole("button", { name: "Show what it would do" }).click();
  await dialog.getByText("It takes this file").waitFor();
  check("its output has a name before anything is saved", /renditions:\S*film\S*still/.test(await dialog.innerText()));
  await shot("workflow-try-unsaved");
  check("nothing was saved", !(await api("workflows?limit=500")).items.some((one) => one.name === "never-saved"));
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("link", { name: "Cancel" }).click();
  await dialog.getByRole("button", { name: "Leave" }).click();

  await page.goto(`${base}/settings`);
  const level = page.getByLabel("What is logged");
  await level.selectOption("warn");
  await button("Set").click();
  const note = page.locator(".toast", { hasText: "Logs warn" });
  await note.waitFor();
  check("it logs less", (await api("system/log-level")).level === "warn");
  // The note is still there when a dialog opens: it can be read and pressed above it.
  await page.getByRole("switch", { name: /Drain/ }).click();
  await dialog.waitFor();
  const box = await note.boundingBox();
  check("notes stand above dialogs", await page.evaluate(({ x, y }) => document.elementFromPoint(x, y)?.closest(".toast") !== null, { x: box.x + 20, y: box.y + 10 }));
  await note.getByRole("button", { name: "Close" }).click();
  await note.waitFor({ state: "detached" });
  await dialog.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("button", { name: /As at the start/ }).click();
  await until("the level of the start", async () => (await api("system/log-level")).level !== "warn");
}
