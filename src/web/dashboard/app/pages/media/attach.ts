// Has a video element play a file or a playlist: by itself where the browser can, else by hls.js, which is fetched then.
import type Hls from "hls.js";
import type { Playable } from "./playable.ts";

const PLAYLIST = "application/vnd.apple.mpegurl";

export interface Attached {
  /// native or hls.js.
  by: string;
  detach: () => void;
}

/// Begins to load; `failed` is told what the browser or hls.js says when it cannot go on.
export async function attach(video: HTMLVideoElement, playable: Playable, start_s: number, failed: (why: string) => void): Promise<Attached> {
  const byItself = playable.hls && playable.rung === null && video.canPlayType(PLAYLIST) !== "";
  if (!playable.hls || byItself) {
    let retried = false;
    let second: Attached | null = null;
    const broken = () => {
      if (byItself && !retried && "MediaSource" in window) {
        // Some browsers say that they can and cannot.
        retried = true;
        release();
        void throughHls(video, playable, start_s, failed).then((attached) => (second = attached));
        return;
      }
      failed(video.error?.message ?? "");
    };
    const release = () => {
      video.removeEventListener("error", broken);
      video.removeAttribute("src");
      video.load();
    };
    video.addEventListener("error", broken);
    video.src = playable.url;
    return { by: "native", detach: () => (second ? second.detach() : release()) };
  }
  return throughHls(video, playable, start_s, failed);
}

async function throughHls(video: HTMLVideoElement, playable: Playable, start_s: number, failed: (why: string) => void): Promise<Attached> {
  // The whole of it: the light build leaves out sound in playlists of its own, which is how sets are made here.
  const { default: Player } = await import("hls.js");
  if (!Player.isSupported()) {
    // A phone without media sources: pictures of the set, whichever rung it takes.
    video.src = playable.url;
    return { by: "native", detach: () => (video.removeAttribute("src"), video.load()) };
  }
  const hls: Hls = new Player({ enableWorker: false, startPosition: start_s > 0 ? start_s : -1, maxBufferLength: 20, backBufferLength: 60 });
  hls.on(Player.Events.MANIFEST_PARSED, () => {
    if (!playable.rung) return;
    const wanted = hls.levels.findIndex((level) => level.url.some((url) => decodeURIComponent(new URL(url, location.href).pathname).endsWith(`/${playable.rung}`)));
    if (wanted >= 0) hls.currentLevel = wanted;
  });
  hls.on(Player.Events.ERROR, (_, told) => {
    if (!told.fatal) return;
    if (told.type === Player.ErrorTypes.MEDIA_ERROR) {
      hls.recoverMediaError();
      return;
    }
    failed(told.details);
  });
  hls.loadSource(new URL(playable.url, location.href).href);
  hls.attachMedia(video);
  return {
    by: "hls.js",
    detach: () => {
      hls.destroy();
      video.removeAttribute("src");
      video.load();
    },
  };
}
