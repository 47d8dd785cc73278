// From the admin token to a first result: a user, a storage, a workflow, a test clip and what came of it.
export default async function ({ context, base, api, check, until, shot, token }) {
  const fresh = await context.browser().newContext({ viewport: { width: 1440, height: 1000 }, locale: "en-GB" });
  try {
    const page = await fresh.newPage();
    await page.goto(`${base}/first-run`);
    await page.getByRole("radio", { name: "Token" }).click();
    await page.locator('input[name="token"]').fill(token());
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "A user for you" }).waitFor();
    await shot("first-run-token");
    await page.screenshot({ path: `${process.env.OUT}/first-run-1.png` });
    await page.locator('input[name="new-user"]').fill("rita");
    await page.locator('input[name="new-password"]').fill("a long enough one");
    await page.locator('input[name="new-password-again"]').fill("a long enough one");
    await page.getByRole("button", { name: "Make the user and sign in" }).click();
    await page.getByText("You are signed in as rita").waitFor();
    check("the user is an administrator", (await api("users")).items.some((user) => user.name === "rita" && user.role === "admin"));

    // A workflow of the installation runs over "ingest" already; another storage is made all the same.
    await page.getByRole("button", { name: "Change" }).nth(1).click();
    await page.getByRole("button", { name: "Make the storage" }).waitFor();
    await page.screenshot({ path: `${process.env.OUT}/first-run-2.png` });
    await page.getByRole("button", { name: "Make the storage" }).click();
    await page.getByRole("button", { name: "Make and enable it" }).waitFor();
    await page.screenshot({ path: `${process.env.OUT}/first-run-3.png` });
    await page.getByLabel("What it makes").selectOption("contact-sheet");
    await page.getByRole("button", { name: "Make and enable it" }).click();
    await page.getByRole("button", { name: "Make a test clip" }).click();
    await page.getByText(/landed/).waitFor({ timeout: 60_000 });
    await page.getByText("It is done").waitFor({ timeout: 120_000 });
    await page.screenshot({ path: `${process.env.OUT}/first-run-4.png` });
    check("results are listed", (await page.locator(".fr-outputs li").count()) > 0);
    await page.getByRole("link", { name: "Watch the result" }).click();
    await page.waitForURL(/\/media\//);
    await until("the task to have succeeded", async () => (await api("tasks?status=Succeed")).items.some((task) => task.media.object.startsWith("films:test-clip")));
  } finally {
    await fresh.close();
  }
}
