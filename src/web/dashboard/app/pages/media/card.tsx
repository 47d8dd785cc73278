// A media as a card: its poster, through which the pointer scrubs along the film where there is a sprite.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../../parts/icon.tsx";
import { timecode } from "../../parts/format.ts";
import { Time } from "../../parts/time.tsx";
import { words } from "../../words.ts";
import { CellPicture } from "./cell.tsx";
import { cellsOf, picturesOf, type Pictures } from "./pictures.ts";
import { mainVideo, type Media, pictureHere, placeOf, shownSize } from "./shapes.ts";
import { type Cell, cellAt } from "./sprite.ts";
import { State } from "./state.tsx";

const t = words({
  mark: ["Mark {title}", "选择 {title}"],
  cell: ["Picture at {time}", "{time} 处的画面"],
  hdr: ["HDR", "HDR"],
});

/// What a card says of the picture's size: 1080p, 4K.
function sharpness(media: Media): string {
  const size = shownSize(mainVideo(media.facts));
  if (!size) return "";
  const edge = Math.min(size.width, size.height);
  return edge >= 2160 ? "4K" : `${edge}p`;
}

export function Thumb({ media, width }: { media: Media; width: number }) {
  const [pictures, setPictures] = useState<Pictures | null>(null);
  const [broken, setBroken] = useState<string | null>(null);
  const [cells, setCells] = useState<Cell[]>([]);
  const [at, setAt] = useState<number | null>(null);
  const inside = useRef(false);
  const cover = pictureHere(media.cover_url);
  const settled = media.status !== "Preparing" && media.status !== "Deleted" && media.type !== "text";
  useEffect(() => {
    if (cover || !settled || media.type === "audio") return;
    let wanted = true;
    // Cards that are only scrolled past ask for nothing.
    const soon = setTimeout(() => void picturesOf(media.id, media.modified_at).then((all) => wanted && setPictures(all), () => null), 80);
    return () => {
      wanted = false;
      clearTimeout(soon);
    };
  }, [media.id, media.modified_at, cover, settled]);
  const enter = () => {
    inside.current = true;
    if (cells.length > 0 || !settled) return;
    void picturesOf(media.id, media.modified_at)
      .then((all) => (all.sprite ? cellsOf(all.sprite) : []))
      .then((all) => inside.current && setCells(all), () => null);
  };
  const leave = () => {
    inside.current = false;
    setAt(null);
  };
  const length = media.facts?.duration_s ?? cells.at(-1)?.to_s ?? 0;
  const cell = at !== null && length > 0 ? cellAt(cells, at * length) : null;
  const poster = cover ?? pictures?.poster ?? null;
  const height = Math.round((width * 9) / 16);
  const cellWidth = cell ? Math.min(width, (height * cell.width) / cell.height) : 0;
  return (
    <div class="media-thumb" style={{ height: `${height}px` }} onPointerEnter={enter} onPointerLeave={leave} onPointerMove={(event) => {
      if (event.pointerType === "touch") return;
      const box = event.currentTarget.getBoundingClientRect();
      setAt(Math.max(0, Math.min(0.9999, (event.clientX - box.left) / box.width)));
    }}>
      {poster && broken !== poster
        ? <img src={poster} alt="" loading="lazy" decoding="async" onError={() => setBroken(poster)} />
        : <span class="media-thumb-none"><Icon name={media.type === "audio" ? "volume" : media.type === "image" ? "image" : media.status === "Failed" ? "warn" : "film"} size={34} /></span>}
      {cell && at !== null && (
        <div class="media-thumb-scrub">
          <CellPicture cell={cell} width={cellWidth} label={t("cell", { time: timecode(cell.from_s) })} />
          <i style={{ width: `${at * 100}%` }} />
        </div>
      )}
      {length > 0 && <span class="media-thumb-time">{cell && at !== null ? timecode(at * length) : timecode(length)}</span>}
    </div>
  );
}

export function MediaCard({ media, width, marked, onMark }: { media: Media; width: number; marked: boolean; onMark?: () => void }) {
  const { storage } = placeOf(media.object);
  const sharp = sharpness(media);
  const hdr = mainVideo(media.facts)?.hdr;
  return (
    <article class={`media-card${marked ? " marked" : ""}`}>
      <a href={`/media/${media.id}`} aria-hidden="true" tabIndex={-1}><Thumb media={media} width={width} /></a>
      {onMark && <label class="media-card-mark"><input type="checkbox" checked={marked} onChange={onMark} aria-label={t("mark", { title: media.title })} /></label>}
      <div class="media-card-text">
        <a class="media-card-title" href={`/media/${media.id}`} title={media.title}>{media.title}</a>
        <p class="media-card-line">
          {media.status !== "Normal" && <State state={media.status} />}
          {sharp && <span>{sharp}</span>}
          {hdr && hdr !== "sdr" && <span>{t("hdr")}</span>}
          <span class="media-card-storage">{storage}</span>
          <span class="media-card-when"><Time at={media.created_at} /></span>
        </p>
      </div>
    </article>
  );
}
