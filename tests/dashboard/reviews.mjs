// Two people's questions about media are decided with keys alone: one is approved, one blocked with a reason and the time.
export default async function ({ page, base, api, check, drop, until, shot }) {
  drop("reviews/first.mp4");
  drop("reviews/second.mp4");
  const ids = await until("both media", async () => {
    const { items } = await api("media?search=reviews&sort=created_at");
    return items.length >= 2 && items.every((one) => one.facts) && items.map((one) => one.id);
  });
  await page.goto(`${base}/media/${ids[0]}`);
  await page.getByRole("button", { name: "Ask for a review" }).click();
  await page.getByLabel("What to look at").fill("Do the numbers run?");
  await page.getByRole("dialog").getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByRole("button", { name: "Approve" }).waitFor();
  check("the question waits", (await api(`reviews?status=waiting&media=${ids[0]}`)).items.length === 1);
  await api(`media/${ids[1]}/reviews`, { method: "POST", json: { instructions: "And here?" } });

  await page.goto(`${base}/reviews`);
  await page.getByText("And here?").waitFor();
  await page.locator(".media-player video").waitFor();
  await shot("reviews");
  await page.keyboard.press("b");
  await page.getByText("Press Enter to block").waitFor();
  await page.keyboard.press("r");
  await page.keyboard.type("Sound is late");
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  await page.keyboard.press("b");
  await page.keyboard.press("Enter");
  await page.getByText("Do the numbers run?").waitFor();
  const [blocked] = (await api(`reviews?media=${ids[1]}`)).items;
  check("it is blocked, with the reason and the time", blocked.status === "blocked" && blocked.reason === "Sound is late" && /\[0:00:0/.test(blocked.comment) && blocked.auditor !== null);
  check("the media is blocked too", (await api(`media/${ids[1]}`)).status === "Blocked");
  await page.keyboard.press("a");
  await page.keyboard.press("Enter");
  await until("the approval", async () => (await api(`reviews?media=${ids[0]}`)).items[0].status === "approved", 20);
  await page.goto(`${base}/reviews?status=blocked`);
  await page.locator(".reviews-line").first().waitFor();
  check("what was decided is found again", (await page.locator(".reviews-line").count()) >= 1);
}
