// The player: any rendition of a media, changed without losing the position; frame by frame, with subtitles, and with the
// pictures of its sprite along the time line.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { copyText } from "../../parts/copy.tsx";
import { openDialog } from "../../parts/dialog.tsx";
import { Icon, type IconName } from "../../parts/icon.tsx";
import { number, timecode } from "../../parts/format.ts";
import { ErrorBox } from "../../parts/problem.tsx";
import { tellDone } from "../../parts/toast.tsx";
import { words } from "../../words.ts";
import { attach, type Attached } from "./attach.ts";
import { KeyHelp } from "./key_help.tsx";
import { listen } from "./keys.ts";
import type { Playable } from "./playable.ts";
import { type Playhead, sourceTimecode } from "./playhead.ts";
import { type MediaFacts, rateOf } from "./shapes.ts";
import type { Cell } from "./sprite.ts";
import { type Caption, useCaptions } from "./captions.ts";
import { type Mark, Timeline } from "./timeline.tsx";

const t = words({
  player: ["Player", "播放器"],
  play: ["Play", "播放"],
  pause: ["Pause", "暂停"],
  back: ["One frame back", "上一帧"],
  on: ["One frame on", "下一帧"],
  mute: ["Mute", "静音"],
  unmute: ["Unmute", "取消静音"],
  volume: ["Volume", "音量"],
  rendition: ["Rendition", "版本"],
  captions: ["Subtitles", "字幕"],
  captions_off: ["No subtitles", "无字幕"],
  fullscreen: ["Full screen", "全屏"],
  keys: ["Keys", "快捷键"],
  still: ["Save this picture", "保存当前画面"],
  link: ["Copy a link to this time", "复制当前时间的链接"],
  linked: ["The link was copied.", "链接已复制。"],
  frame: ["frame {n}", "第 {n} 帧"],
  cannot: ["This browser cannot play {name}", "此浏览器无法播放 {name}"],
  none: ["Nothing can be played yet", "暂无可播放的内容"],
  none_hint: ["Renditions appear here as soon as a workflow has made them.", "工作流生成版本后会显示在这里。"],
  sound_only: ["Sound only", "仅音频"],
});


export interface PlayerProps {
  head: Playhead;
  all: Playable[];
  chosen: Playable | undefined;
  onChoose: (id: string) => void;
  title: string;
  facts: MediaFacts | null;
  poster: string | null;
  cells: readonly Cell[];
  marks: readonly Mark[];
  captions: Caption[];
  start_s?: number;
  /// Links expire: asks for fresh ones.
  onStale: () => void;
}

export function Player(props: PlayerProps) {
  if (props.chosen) return <Running {...props} chosen={props.chosen} />;
  return (
    <div class="media-player media-player-none">
      {props.poster && <img src={props.poster} alt="" />}
      <div class="empty"><h2>{t("none")}</h2><p>{t("none_hint")}</p></div>
    </div>
  );
}

function Running(props: PlayerProps & { chosen: Playable }) {
  const { head, chosen } = props;
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [failure, setFailure] = useState<{ of: string; why: unknown } | null>(null);
  const [by, setBy] = useState("");
  const [muted, setMuted] = useState(false);
  const [volume, setVolume] = useState(1);
  const began = useRef(false);
  const captions = useCaptions(video, props.captions, chosen.id);
  const rate = rateOf(chosen.facts) ?? rateOf(props.facts);

  useEffect(() => {
    const element = video.current;
    if (!element) return;
    head.video = element;
    let attached: Attached | null = null;
    let gone = false;
    const playing = head.playing.value;
    const from = began.current ? head.time.value : (props.start_s ?? 0);
    began.current = true;
    setFailure(null);
    const ready = () => {
      if (from > 0 && Math.abs(element.currentTime - from) > 0.01) element.currentTime = from;
      if (playing) void element.play().catch(() => null);
    };
    element.addEventListener("loadedmetadata", ready, { once: true });
    const failed = (why: string) => {
      // What the browser says of a link that fails tells little; the daemon knows why.
      void ask(chosen.url, { headers: { range: "bytes=0-0" } }).then(
        () => !gone && setFailure({ of: chosen.id, why: new Error(why) }),
        (told: unknown) => !gone && setFailure({ of: chosen.id, why: told }),
      );
    };
    void attach(element, chosen, from, failed).then((done) => {
      if (gone) return done.detach();
      attached = done;
      setBy(done.by);
    });
    return () => {
      gone = true;
      element.removeEventListener("loadedmetadata", ready);
      attached?.detach();
    };
    // The link itself is fresh with each fetch; the rendition is what matters.
  }, [chosen.id]);

  useEffect(() => {
    const element = video.current;
    if (!element) return;
    let asked = 0;
    const follow = () => {
      if (element.readyState > 0) head.time.value = element.currentTime;
      if (!element.paused) asked = requestAnimationFrame(follow);
    };
    const told: Record<string, () => void> = {
      timeupdate: () => {
        if (element.readyState === 0) return;
        head.time.value = element.currentTime;
        head.slow.value = element.currentTime;
      },
      seeking: () => element.readyState > 0 && (head.time.value = element.currentTime),
      durationchange: () => Number.isFinite(element.duration) && (head.duration.value = element.duration),
      play: () => {
        head.playing.value = true;
        cancelAnimationFrame(asked);
        follow();
      },
      pause: () => {
        // A change of the rendition empties the element: that is no pause.
        if (element.readyState > 0) head.playing.value = false;
      },
      ended: () => (head.playing.value = false),
      ratechange: () => (head.rate.value = element.playbackRate),
      volumechange: () => {
        setMuted(element.muted);
        setVolume(element.volume);
      },
    };
    for (const [name, deed] of Object.entries(told)) element.addEventListener(name, deed);
    return () => {
      cancelAnimationFrame(asked);
      for (const [name, deed] of Object.entries(told)) element.removeEventListener(name, deed);
    };
  }, []);
  useEffect(() => {
    if (head.duration.value === 0 && props.facts?.duration_s) head.duration.value = props.facts.duration_s;
  }, [props.facts?.duration_s]);

  const backwards = useRef<ReturnType<typeof setInterval> | undefined>(undefined);
  const [reverse, setReverse] = useState(0);
  const deeds = useMemo(() => {
    const forwards = () => {
      clearInterval(backwards.current);
      backwards.current = undefined;
      setReverse(0);
    };
    const toggle = () => {
      const element = video.current;
      if (!element) return;
      forwards();
      element.playbackRate = 1;
      if (element.paused) void element.play().catch(() => null);
      else element.pause();
    };
    const stop = () => {
      forwards();
      video.current?.pause();
      if (video.current) video.current.playbackRate = 1;
    };
    let speed = 0;
    return {
      toggle,
      stop,
      step: (pictures: number) => {
        stop();
        const fps = rateOf(latest.current.chosen.facts) ?? rateOf(latest.current.facts) ?? 25;
        // The middle of a picture: no rounding shows its neighbour.
        head.seek((Math.floor(head.time.value * fps + 1e-3) + pictures + 0.5) / fps);
      },
      shuttle: (direction: -1 | 1) => {
        const element = video.current;
        if (!element) return;
        if (direction > 0) {
          const running = !element.paused && backwards.current === undefined;
          forwards();
          element.playbackRate = running ? Math.min(8, element.playbackRate * 2) : 1;
          void element.play().catch(() => null);
          return;
        }
        element.pause();
        speed = backwards.current === undefined ? 1 : Math.min(8, speed * 2);
        clearInterval(backwards.current);
        setReverse(speed);
        backwards.current = setInterval(() => {
          if (element.seeking) return;
          head.seek(head.time.value - 0.125 * speed);
          if (head.time.value <= 0) forwards();
        }, 125);
      },
      mute: () => video.current && (video.current.muted = !video.current.muted),
      fullscreen: () => void (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen?.()),
      captions: () => latestCaptions.current(),
    };
  }, []);
  const latestCaptions = useRef(captions.next);
  latestCaptions.current = captions.next;
  useEffect(() => listen(head, deeds), [deeds]);
  useEffect(() => () => clearInterval(backwards.current), []);

  const ratio = chosen.width && chosen.height ? chosen.width / chosen.height : 16 / 9;
  const broken = failure?.of === chosen.id ? failure : null;
  return (
    <div class="media-player" ref={frame} role="region" aria-label={t("player")}>
      <div class={`media-screen${chosen.sound ? " media-screen-sound" : ""}`} style={{ aspectRatio: `${ratio}` }}>
        <video ref={video} playsInline preload="metadata" poster={props.poster ?? undefined} data-by={by} data-rendition={chosen.id} aria-label={props.title} onClick={deeds.toggle} onDblClick={deeds.fullscreen}>
          {captions.own.map((one) => <track key={one.key} kind="subtitles" src={one.src} srclang={one.language ?? "und"} label={one.text} />)}
        </video>
        {chosen.sound && <p class="media-sound"><Icon name="volume" size={40} />{t("sound_only")}</p>}
        {!head.playing.value && reverse === 0 && !broken && head.time.value === 0 && <button type="button" class="media-big" aria-label={t("play")} onClick={deeds.toggle}><Icon name="play" size={34} /></button>}
        {(reverse > 0 || head.rate.value > 1) && <span class="media-speed">{reverse > 0 ? "◀◀" : "▶▶"} {number(reverse || head.rate.value)}×</span>}
        {broken && <div class="media-broken"><p>{t("cannot", { name: `${chosen.group} ${chosen.text}` })}</p><ErrorBox error={broken.why} retry={() => {
          setFailure(null);
          props.onStale();
        }} /></div>}
      </div>
      <Timeline head={head} cells={props.cells} marks={props.marks} chapters={props.facts?.chapters ?? []} />
      <div class="media-bar">
        <Press icon={head.playing.value ? "pause" : "play"} label={head.playing.value ? t("pause") : t("play")} onClick={deeds.toggle} />
        <Press icon="step_back" label={t("back")} onClick={() => deeds.step(-1)} />
        <Press icon="step_on" label={t("on")} onClick={() => deeds.step(1)} />
        <Readout head={head} fps={rate} facts={props.facts} />
        <span class="media-bar-space" />
        <span class="media-volume">
          <Press icon={muted || volume === 0 ? "mute" : "volume"} label={muted ? t("unmute") : t("mute")} onClick={deeds.mute} />
          <input type="range" min={0} max={1} step={0.05} value={muted ? 0 : volume} aria-label={t("volume")} onInput={(event) => {
            if (!video.current) return;
            video.current.muted = false;
            video.current.volume = Number(event.currentTarget.value);
          }} />
        </span>
        {captions.choices.length > 0 && (
          <select aria-label={t("captions")} class="media-captions" value={captions.chosen} onChange={(event) => captions.choose(event.currentTarget.value)}>
            <option value="" selected={captions.chosen === ""}>{t("captions_off")}</option>
            {captions.choices.map((choice) => <option key={choice.key} value={choice.key} selected={choice.key === captions.chosen}>{choice.text}</option>)}
          </select>
        )}
        <Rendition all={props.all} chosen={chosen} onChoose={props.onChoose} />
        <Press icon="image" label={t("still")} onClick={() => savePicture(video.current, props.title, head.time.value)} />
        <Press icon="link" label={t("link")} onClick={() => {
          const link = new URL(location.href);
          link.searchParams.set("t", head.time.value.toFixed(3));
          void copyText(link.href).then((ok) => ok && tellDone(t("linked")));
        }} />
        <Press icon="keyboard" label={t("keys")} onClick={() => void openDialog(t("keys"), () => <KeyHelp />)} />
        <Press icon="expand" label={t("fullscreen")} onClick={deeds.fullscreen} />
      </div>
    </div>
  );
}

function Press({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return <button type="button" class="icon-button" aria-label={label} title={label} onClick={onClick}><Icon name={icon} size={19} /></button>;
}

function Readout({ head, fps, facts }: { head: Playhead; fps: number | null; facts: MediaFacts | null }) {
  const now = head.time.value;
  const code = facts?.timecode ? sourceTimecode(facts.timecode.start, facts.timecode.rate, now) : null;
  return (
    <span class="media-readout">
      <b data-time={now.toFixed(3)}>{timecode(now, 2)}</b> / {timecode(head.duration.value, 2)}
      {fps !== null && <span class="media-frame">{t("frame", { n: Math.floor(now * fps + 1e-3) })}</span>}
      {code && <span class="media-code">{code}</span>}
    </span>
  );
}

function Rendition({ all, chosen, onChoose }: { all: Playable[]; chosen: Playable; onChoose: (id: string) => void }) {
  const groups = [...new Set(all.map((one) => one.group))];
  return (
    <select class="media-rendition" aria-label={t("rendition")} value={chosen.id} onChange={(event) => onChoose(event.currentTarget.value)}>
      {groups.map((group) => (
        <optgroup key={group} label={group}>
          {all.filter((one) => one.group === group).map((one) => <option key={one.id} value={one.id} selected={one.id === chosen.id}>{one.text === group ? one.text : `${group} · ${one.text}`}</option>)}
        </optgroup>
      ))}
    </select>
  );
}

function savePicture(video: HTMLVideoElement | null, title: string, at_s: number): void {
  if (!video || !video.videoWidth) return;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  canvas.toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${title.replace(/\.\w+$/, "")} ${timecode(at_s, 2).replaceAll(":", "-")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}
