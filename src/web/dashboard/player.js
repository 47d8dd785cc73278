// Plays an HLS master of fMP4 segments where the browser cannot by itself: fetches playlists and segments by their
// relative addresses and appends them to a MediaSource, a little ahead of the play head.
// Knows finished (VOD) playlists with EXT-X-MAP, muxed or with one separate audio group. Not a general player.

const AHEAD_S = 30;
const BEHIND_S = 60;

const attributes = (line) =>
  Object.fromEntries([...line.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)/g)].map(([, name, value]) => [name, value.replace(/^"|"$/g, "")]));

/** Reads a master: variants by falling bandwidth, and audio renditions. */
export function readMaster(text, base) {
  const lines = text.split(/\r?\n/);
  const variants = [];
  const audio = [];
  lines.forEach((line, at) => {
    if (line.startsWith("#EXT-X-STREAM-INF:")) {
      const of = attributes(line.slice(18));
      const uri = lines.slice(at + 1).find((next) => next && !next.startsWith("#"));
      if (uri) variants.push({ ...of, bandwidth: Number(of.BANDWIDTH), url: new URL(uri, base).href });
    } else if (line.startsWith("#EXT-X-MEDIA:")) {
      const of = attributes(line.slice(13));
      if (of.TYPE === "AUDIO" && of.URI) audio.push({ ...of, url: new URL(of.URI, base).href });
    }
  });
  variants.sort((one, other) => other.bandwidth - one.bandwidth);
  return { variants, audio };
}

/** Reads a media playlist: its initialisation and its segments with their times. */
export function readPlaylist(text, base) {
  const segments = [];
  let init = null;
  let initRange = null;
  let duration = 0;
  let start = 0;
  let range = null;
  let rangeEnd = 0;
  const read = (value, from) => {
    const [length, offset] = value.split("@").map(Number);
    const first = offset ?? from;
    return [first, first + length - 1];
  };
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#EXT-X-MAP:")) {
      const of = attributes(line.slice(11));
      init = new URL(of.URI, base).href;
      initRange = of.BYTERANGE ? read(of.BYTERANGE, 0) : null;
    } else if (line.startsWith("#EXTINF:")) {
      duration = parseFloat(line.slice(8));
    } else if (line.startsWith("#EXT-X-BYTERANGE:")) {
      range = read(line.slice(17), rangeEnd);
    } else if (line && !line.startsWith("#")) {
      segments.push({ url: new URL(line, base).href, range, start, end: start + duration });
      rangeEnd = range ? range[1] + 1 : 0;
      start += duration;
      range = null;
    }
  }
  return { init, initRange, segments, duration: start };
}

async function get(url, signal, range = null) {
  const headers = range ? { range: `bytes=${range[0]}-${range[1]}` } : {};
  const response = await fetch(url, { headers, signal }).catch((error) => {
    throw signal.aborted ? error : new Error("The daemon does not answer; play again when it does.");
  });
  if (!response.ok) throw new Error(`The daemon answered ${response.status} for ${new URL(url).pathname}.`);
  return response;
}

const happened = (target, name) => new Promise((done) => target.addEventListener(name, done, { once: true }));

async function append(buffer, bytes) {
  const done = happened(buffer, "updateend");
  buffer.appendBuffer(bytes);
  await done;
}

/** Keeps one source buffer filled ahead of the play head. */
async function fill(video, buffer, playlist, signal, reachedEnd) {
  if (playlist.init) {
    await append(buffer, await (await get(playlist.init, signal, playlist.initRange)).arrayBuffer());
  }
  const appended = new Set();
  while (!signal.aborted) {
    const now = video.currentTime;
    const wanted = playlist.segments.findIndex(
      (segment, at) => !appended.has(at) && segment.end > now - 0.5 && segment.start < now + AHEAD_S);
    if (wanted < 0) {
      await Promise.race([happened(video, "timeupdate"), happened(video, "seeking"), happened(signal, "abort")]);
      continue;
    }
    const segment = playlist.segments[wanted];
    await append(buffer, await (await get(segment.url, signal, segment.range)).arrayBuffer());
    appended.add(wanted);
    if (wanted === playlist.segments.length - 1) reachedEnd();
    if (buffer.buffered.length && buffer.buffered.start(0) < now - 2 * BEHIND_S) {
      const done = happened(buffer, "updateend");
      buffer.remove(0, now - BEHIND_S);
      await done;
      playlist.segments.forEach((one, at) => { if (one.end < now - BEHIND_S + 1) appended.delete(at); });
    }
  }
}

/** Plays the master at `url` in `video`; answers how to stop. */
export async function play(video, url, tell) {
  const stop = new AbortController();
  const signal = stop.signal;
  const base = new URL(url, location.href);
  const master = readMaster(await (await get(base.href, signal)).text(), base);
  const supported = master.variants.filter((variant) =>
    window.MediaSource?.isTypeSupported(`video/mp4; codecs="${variant.CODECS ?? ""}"`));
  if (!supported.length) throw new Error("This browser can play none of the renditions; download one instead.");
  // The largest that the page can show.
  const height = (variant) => Number((variant.RESOLUTION ?? "x0").split("x")[1]);
  const room = window.innerHeight * (window.devicePixelRatio || 1);
  const chosen = supported.find((variant) => height(variant) <= room) ?? supported[supported.length - 1];
  const separate = master.audio.find((one) => one["GROUP-ID"] === chosen.AUDIO);
  const codecs = (chosen.CODECS ?? "").split(",").map((codec) => codec.trim());
  const isAudio = (codec) => /^(mp4a|opus|ac-3|ec-3|flac)/i.test(codec);
  const source = new MediaSource();
  const address = URL.createObjectURL(source);
  video.src = address;
  await happened(source, "sourceopen");
  URL.revokeObjectURL(address);
  const load = async (at) => readPlaylist(await (await get(at, signal)).text(), at);
  const tracks = [{
    type: `video/mp4; codecs="${(separate ? codecs.filter((codec) => !isAudio(codec)) : codecs).join(",")}"`,
    playlist: await load(chosen.url),
  }];
  if (separate) {
    tracks.push({ type: `audio/mp4; codecs="${codecs.filter(isAudio).join(",")}"`, playlist: await load(separate.url) });
  }
  source.duration = Math.max(...tracks.map((track) => track.playlist.duration));
  const buffers = tracks.map((track) => source.addSourceBuffer(track.type));
  const atEnd = new Set();
  tracks.forEach((track, at) => {
    const reachedEnd = () => {
      atEnd.add(at);
      const quiet = buffers.every((buffer) => !buffer.updating);
      if (atEnd.size === tracks.length && quiet && source.readyState === "open") source.endOfStream();
    };
    fill(video, buffers[at], track.playlist, signal, reachedEnd).catch((error) => { if (!signal.aborted) tell(error); });
  });
  return () => {
    stop.abort();
    video.removeAttribute("src");
    video.load();
  };
}
