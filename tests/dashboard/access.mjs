// People, tokens and access keys, by the dialogs of their page: made, changed, shown once, and worth nothing afterwards.
export default async function ({ page, base, api, check, shot, until }) {
  const dialog = page.getByRole("dialog");
  const button = (name) => page.getByRole("button", { name, exact: true });
  const inDialog = (name) => dialog.getByRole("button", { name, exact: true });
  const person = async (name) => (await api("users")).items.find((one) => one.name === name);
  const row = (name) => page.locator(".table-row", { hasText: name });
  const deed = async (name, what) => {
    await page.getByRole("button", { name: `What can be done with ${name}` }).click();
    await page.locator(".menu-list button", { hasText: what }).click();
  };
  const signs_in = async (name, password) => (await fetch(`${base}/api/v1/sessions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ name, password }) })).status;

  await page.goto(`${base}/access`);
  await button("New user").click();
  await dialog.getByLabel("Name").fill("petra");
  await dialog.getByLabel("Role").selectOption("viewer");
  await dialog.locator('input[type="password"]').fill("short");
  await inDialog("Create").click();
  await dialog.getByRole("alert").waitFor();
  check("a short password is refused in the dialog, which stays", (await person("petra")) === undefined && (await dialog.getByLabel("Name").inputValue()) === "petra");
  await dialog.locator('input[type="password"]').fill("a long enough one");
  await shot("access-new-user");
  await inDialog("Create").click();
  await dialog.waitFor({ state: "detached" });
  await row("petra").waitFor();
  check("she is made, and signs in", (await person("petra")).role === "viewer" && (await signs_in("petra", "a long enough one")) < 300);

  await deed("petra", "Change the role");
  await dialog.getByLabel("Role").selectOption("operator");
  await inDialog("Save").click();
  await until("her role to change", async () => (await person("petra")).role === "operator");
  await deed("petra", "Set a password");
  await dialog.locator('input[type="password"]').fill("quite another one");
  await inDialog("Save").click();
  await dialog.waitFor({ state: "detached" });
  check("the new password counts, the old does not", (await signs_in("petra", "quite another one")) < 300 && (await signs_in("petra", "a long enough one")) === 401);
  await deed("petra", "Disable");
  await inDialog("Disable").click();
  await until("her to be disabled", async () => (await person("petra")).status === "disabled");
  check("who is disabled does not sign in", (await signs_in("petra", "quite another one")) >= 400);
  await deed("petra", "Enable");
  await until("her to be enabled", async () => (await person("petra")).status === "enabled");
  await deed("petra", "Remove");
  await inDialog("Remove").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  check("Escape removes nobody", (await person("petra")) !== undefined);
  await deed("petra", "Remove");
  await inDialog("Remove").click();
  await until("her to be gone", async () => (await person("petra")) === undefined);
  await row("petra").waitFor({ state: "detached" });

  await page.goto(`${base}/access?tab=tokens`);
  await button("New token").click();
  await dialog.getByLabel("What it is for").first().fill("night import");
  await dialog.getByLabel("Role").selectOption("viewer");
  await dialog.locator('input[type="number"]').fill("30");
  await inDialog("Create").click();
  await dialog.getByText("Copy it now").waitFor();
  const secret = (await dialog.locator(".access-secret").innerText()).trim();
  const asks = (token) => fetch(`${base}/api/v1/tasks?limit=1`, { headers: { authorization: `Bearer ${token}` } }).then((answer) => answer.status);
  check("the token that is shown opens the API", (await asks(secret)) === 200);
  await shot("access-token-once");
  await inDialog("Done").click();
  check("it is shown once only", !(await page.locator("#content").innerText()).includes(secret));
  const kept = (await api("tokens")).items.find((one) => one.name === "night import");
  check("it expires as asked", kept.role === "viewer" && Math.abs(Date.parse(kept.expires_at) - Date.now() - 30 * 86_400_000) < 3_600_000);
  await page.getByRole("button", { name: "Revoke night import" }).click();
  await inDialog("Revoke").click();
  await until("it to be void", async () => (await asks(secret)) === 401);

  await page.goto(`${base}/access?tab=keys`);
  await button("New access key").click();
  await dialog.getByLabel("What it is for").first().fill("cloud scripts");
  await inDialog("Create").click();
  await dialog.getByText("Copy it now").waitFor();
  const key = (await api("accesskeys")).items.find((one) => one.name === "cloud scripts");
  check("id and secret are shown once", (await dialog.innerText()).includes(key.id) && (await dialog.locator(".access-secret").innerText()).trim().length >= 20);
  await inDialog("Done").click();
  await page.getByRole("button", { name: "Revoke cloud scripts" }).click();
  await inDialog("Revoke").click();
  await until("the key to be revoked", async () => (await api("accesskeys")).items.find((one) => one.id === key.id)?.status !== "valid");
}
