// A wrong password is refused in the daemon's words, the right one opens the dashboard, and so does a token.
export default async function ({ page, context, base, check, shot, token }) {
  await page.goto(`${base}/tasks?status=Failed`);
  await page.getByLabel("Name").fill("olive");
  await page.locator('input[name="password"]').fill("a wrong one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  check("a wrong password is refused", /wrong/.test(await page.getByRole("alert").innerText()));
  await shot("sign-in");
  await page.locator('input[name="password"]').fill("a long enough one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "reelmill" }).waitFor();
  check("one stays where one wanted to go", page.url().endsWith("/tasks?status=Failed"));
  check("no script can read the session", !(await page.evaluate(() => document.cookie)).includes("reelmill"));

  const other = await context.browser().newContext({ locale: "zh-CN" });
  try {
    const stranger = await other.newPage();
    await stranger.goto(base);
    await stranger.getByRole("radio", { name: "令牌" }).click();
    await stranger.locator('input[name="token"]').fill(token());
    await stranger.getByRole("button", { name: "登录" }).click();
    await stranger.getByRole("link", { name: "概览" }).waitFor();
    check("a token signs in, in Chinese", true);
  } finally {
    await other.close();
  }
}
