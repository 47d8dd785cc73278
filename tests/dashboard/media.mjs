// A film is dropped, its poster appears; along its time line the sprite shows what is burnt into the film at that time;
// MP4 and HLS play, and one takes over from the other where it was.
import { frameIn } from "./reading/burnt_in.mjs";

const WORKFLOW = {
  name: "for-media-page",
  source: { storage: "ingest", prefix: "media-page/", trigger: "automatic" },
  output: { storage: "renditions", path: "media-page/{FileName}/{Name}{Ext}" },
  activity: [
    { id: "qc", type: "qc", template: "qc-basic" },
    {
      id: "ladder",
      type: "transcode",
      group: ["file", "hls"].map((kind) => ({
        name: kind,
        kind,
        ...(kind === "file" ? { container: "mp4" } : { segment_s: 4 }),
        output: [{ name: "360p", video: { codec: "h264", height: 360, preset: "ultrafast", rate: "vbr", bitrate_kbps: 800, gop_s: 2 }, audio: { codec: "aac", bitrate_kbps: 96 } }],
      })),
    },
    { id: "sprite", type: "snapshot", mode: "sprite", interval_s: 2, columns: 3, lines: 3, cell_width: 320 },
    { id: "cover", type: "cover" },
  ],
};

export default async function ({ page, base, api, check, drop, until, shot }) {
  const made = await api("workflows", { method: "POST", json: WORKFLOW });
  if (made.status !== "enabled") await api(`workflows/${made.id}/enable`, { method: "POST", json: {} });
  await page.goto(`${base}/media?search=burnt`);
  drop("media-page/burnt.mp4");
  // The page is looked at while it happens.
  await page.getByRole("link", { name: "burnt.mp4" }).first().waitFor({ timeout: 60_000 });
  const media = (await api("media?search=burnt")).items[0].id;
  await until("the film to be ready", async () => (await api(`tasks?workflow=for-media-page&media=${media}`)).items[0]?.status === "Succeed", 240);
  await page.locator(".media-card img").first().waitFor();
  await until("the poster", () => page.locator(".media-card img").first().evaluate((image) => image.complete && image.naturalWidth > 0));
  check("the card shows a poster", true);
  const thumb = await page.locator(".media-thumb").first().boundingBox();
  await page.mouse.move(thumb.x + thumb.width * 0.55, thumb.y + thumb.height / 2, { steps: 3 });
  const onCard = page.locator(".media-thumb .media-cell");
  await onCard.waitFor();
  await until("the card to show the picture of 6 s", async () => (await frameIn(onCard).catch(() => null)) === 180, 10);
  await shot("media-grid");

  await page.getByRole("link", { name: "burnt.mp4" }).last().click();
  const line = page.getByRole("slider", { name: "Position in the film" });
  await line.waitFor();
  const box = await line.boundingBox();
  const peek = page.locator(".media-peek .media-cell");
  for (const [at, frame] of [[0.02, 0], [0.4, 120], [0.72, 240], [0.95, 300]]) {
    await page.mouse.move(box.x + box.width * at, box.y + box.height / 2);
    await until(`the sprite to show frame ${frame}`, async () => (await frameIn(peek).catch(() => null)) === frame, 10);
  }
  check("each time shows the picture of that time", true);
  await shot("media-scrub");

  const video = page.locator(".media-player video");
  const film = () => video.evaluate((element) => ({ at: element.currentTime, paused: element.paused, ready: element.readyState, source: element.currentSrc }));
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await until("the film to stand in its middle", async () => Math.abs((await film()).at - 6) < 0.2 && (await film()).ready >= 2, 20);
  check("the MP4 is what plays", /\/360p\.mp4/.test((await film()).source));
  await page.mouse.move(5, 5);
  await page.keyboard.press(".");
  await until("the next picture", async () => {
    const { at } = await film();
    return (await frameIn(video)) === Math.floor(at * 30);
  }, 10);
  const before = await frameIn(video);
  await page.keyboard.press(",");
  await until("the picture before", async () => (await frameIn(video)) === before - 1, 10);
  check("a key goes one picture back", true);

  await page.keyboard.press(" ");
  await until("the MP4 to play on", async () => !(await film()).paused && (await film()).at > 6.4, 20);
  await page.keyboard.press("k");
  const left = (await film()).at;
  const rendition = page.getByLabel("Rendition");
  for (const name of ["HLS · adaptive", "HLS · 360p"]) {
    await rendition.selectOption({ label: name });
    await until(`${name} at the same place`, async () => {
      const { at, ready } = await film();
      return ready >= 2 && Math.abs(at - left) < 0.3 && Math.abs((await frameIn(video)) - left * 30) < 12;
    }, 30);
    await page.keyboard.press("l");
    await until(`${name} to play on`, async () => (await film()).at > left + 0.3, 20);
    await page.keyboard.press("k");
    await line.focus();
    await page.evaluate((to) => (document.querySelector(".media-player video").currentTime = to), left);
    await until("back where it was", async () => Math.abs((await film()).at - left) < 0.1, 10);
    check(`${name} plays on`, true);
  }
  await line.focus();
  await page.keyboard.press("Home");
  await until("the beginning", async () => (await film()).at < 0.05, 10);
  await shot("media-hls");

  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Title").fill("Burnt in");
  await page.getByLabel("Tags").fill("bars, test");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Burnt in" }).waitFor();
  check("title and tags are kept", (await api(`media/${media}`)).tags.length === 2);
  for (const tab of ["Facts", "Pictures", "Files"]) {
    await page.getByRole("tab", { name: tab }).click();
    await page.waitForTimeout(300);
    await shot(`media-${tab.toLowerCase()}`);
  }
  await page.getByRole("button", { name: /^proved/ }).first().click();
  await page.getByRole("dialog").getByRole("table").waitFor();
  check("the proof can be read", (await page.getByRole("dialog").getByRole("row").count()) > 1);
  await page.keyboard.press("Escape");
}
