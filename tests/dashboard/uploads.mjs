// A file is sent, paused, left alone by a reload in its middle, and goes on when it is given again; it arrives byte by byte.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export default async function ({ page, context, base, api, check, until, shot, folder, clip }) {
  const file = join(folder, "long.bin");
  writeFileSync(file, randomBytes(8_000_000));
  const wire = await context.newCDPSession(page);
  await wire.send("Network.enable");
  const speed = (bytes) => wire.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes });
  const leave = (dialog) => dialog.accept();
  page.on("dialog", leave);
  try {
    await page.goto(`${base}/uploads?storage=ingest&folder=sent`);
    await page.getByRole("heading", { name: "Drop files or folders here" }).waitFor();
    await speed(600_000);
    const chosen = page.locator("input[data-files]");
    await chosen.setInputFiles([file, clip]);
    const line = page.locator(".uploads-line", { hasText: "long.bin" });
    await until("some of it to be sent", async () => Number(await line.getByRole("progressbar").getAttribute("aria-valuenow").catch(() => 0)) > 15, 30);
    await page.getByRole("button", { name: "Pause long.bin" }).click();
    await page.getByText(/^paused at/).waitFor();
    await shot("uploads");
    await page.getByRole("button", { name: "Go on with long.bin" }).click();
    await until("more of it", async () => Number(await line.getByRole("progressbar").getAttribute("aria-valuenow")) > 25, 30);
    await page.reload();
    await page.getByText(/Give the same file again/).waitFor();
    const open = (await api("uploads?status=Waiting")).items.find((one) => /long/.test(one.object));
    check("what came is kept", open.offset > 0 && open.offset < 8_000_000);
    await shot("uploads-after-reload");
    await speed(-1);
    await chosen.setInputFiles(file);
    await page.locator('.uploads-line[data-state="done"]', { hasText: "long.bin" }).waitFor({ timeout: 60_000 });
    const sum = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
    const done = await api(`uploads/${open.id}`);
    check("it is the same upload, whole", done.status === "Success" && sum(join(folder, "ingest", done.object.replace("ingest:", ""))) === sum(file));
    await page.getByRole("link", { name: "Media" }).last().click();
    await page.waitForURL(/\/media\/[0-9a-f]{32}/);
    check("what became of it is one press away", true);

    await page.goto(`${base}/uploads?tab=all`);
    await page.getByText("sent/long.bin").first().waitFor();
    await page.goto(`${base}/uploads?tab=pulls&storage=ingest`);
    await page.getByRole("button", { name: "Fetch a file" }).first().click();
    await page.locator('[name="urls"]').fill(`${base}/o/ingest/x.mp4`);
    await page.getByRole("button", { name: "Fetch", exact: true }).click();
    check("an address of this host is refused with a remedy", /allow_private_pulls/.test(await page.getByRole("dialog").getByRole("alert").innerText()));
    await shot("pulls-refused");
  } finally {
    page.off("dialog", leave);
    await speed(-1);
    await wire.detach();
  }
}
