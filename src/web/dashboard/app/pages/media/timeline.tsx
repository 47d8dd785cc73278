// The time line of a film: pointing at it shows the picture of that time from the sprite sheet, pressing goes there; by
// mouse, finger and keys.
import { useEffect, useRef, useState } from "preact/hooks";
import { timecode } from "../../parts/format.ts";
import { words } from "../../words.ts";
import { CellPicture } from "./cell.tsx";
import type { Playhead } from "./playhead.ts";
import { type Cell, cellAt } from "./sprite.ts";

const t = words({
  position: ["Position in the film", "播放位置"],
  of: ["{at} of {end}", "{at}，共 {end}"],
  cell: ["Picture at {time}", "{time} 处的画面"],
});

export interface Mark {
  from_s: number;
  to_s: number;
  tone: string;
  text: string;
}

export function Timeline({ head, cells, marks, chapters }: { head: Playhead; cells: readonly Cell[]; marks: readonly Mark[]; chapters: readonly { start_s: number; title: string | null }[] }) {
  const box = useRef<HTMLDivElement>(null);
  const [peek, setPeek] = useState<number | null>(null);
  const [focused, setFocused] = useState(false);
  const [buffered, setBuffered] = useState<[number, number][]>([]);
  const dragging = useRef(false);
  const end = head.duration.value;
  const now = head.time.value;
  useEffect(() => {
    const video = head.video;
    if (!video) return;
    const look = () => setBuffered(Array.from({ length: video.buffered.length }, (_, at) => [video.buffered.start(at), video.buffered.end(at)]));
    for (const name of ["progress", "emptied", "seeked"]) video.addEventListener(name, look);
    return () => {
      for (const name of ["progress", "emptied", "seeked"]) video.removeEventListener(name, look);
    };
  }, [head.video]);
  const share = (time: number) => (end > 0 ? Math.max(0, Math.min(100, (time / end) * 100)) : 0);
  const timeAt = (event: PointerEvent) => {
    const area = box.current?.getBoundingClientRect();
    return area && end > 0 ? Math.max(0, Math.min(end, ((event.clientX - area.left) / area.width) * end)) : 0;
  };
  const at = peek ?? (focused && end > 0 ? now : null);
  const cell = at === null ? null : cellAt(cells, at);
  const width = box.current?.clientWidth ?? 0;
  const shown = cell ? Math.min(240, Math.max(160, cell.width), width || 240) : 0;
  const chapter = at === null ? null : chapters.findLast((one) => one.start_s <= at);
  const left = at === null ? 0 : Math.max((shown || 80) / 2, Math.min(width - (shown || 80) / 2, (share(at) / 100) * width));
  return (
    <div class="media-line" ref={box} role="slider" tabIndex={0} aria-label={t("position")} aria-valuemin={0} aria-valuemax={Math.round(end * 1000) / 1000} aria-valuenow={Math.round(now * 1000) / 1000} aria-valuetext={t("of", { at: timecode(now, 1), end: timecode(end, 1) })}
      onFocus={(event) => setFocused(event.currentTarget.matches(":focus-visible"))}
      onBlur={() => setFocused(false)}
      onPointerMove={(event) => {
        setPeek(timeAt(event));
        if (dragging.current && event.pointerType === "mouse") head.seek(timeAt(event));
      }}
      onPointerLeave={() => !dragging.current && setPeek(null)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        dragging.current = true;
        setFocused(false);
        setPeek(timeAt(event));
        if (event.pointerType === "mouse") head.seek(timeAt(event));
      }}
      onPointerUp={(event) => {
        if (dragging.current) head.seek(timeAt(event));
        dragging.current = false;
        if (event.pointerType !== "mouse") setPeek(null);
      }}
      onPointerCancel={() => {
        dragging.current = false;
        setPeek(null);
      }}>
      <div class="media-line-bar">
        {buffered.map(([from, to]) => <span key={from} class="media-line-have" style={{ left: `${share(from)}%`, width: `${share(to) - share(from)}%` }} />)}
        <span class="media-line-done" style={{ width: `${share(now)}%` }} />
        {peek !== null && <span class="media-line-peek" style={{ left: `${share(peek)}%` }} />}
      </div>
      {marks.map((mark, index) => <span key={index} class={`media-line-mark tone-${mark.tone}`} title={mark.text} style={{ left: `${share(mark.from_s)}%`, width: `max(3px, ${share(mark.to_s) - share(mark.from_s)}%)` }} />)}
      {chapters.map((one) => one.start_s > 0 && <span key={one.start_s} class="media-line-chapter" style={{ left: `${share(one.start_s)}%` }} />)}
      <span class="media-line-knob" style={{ left: `${share(now)}%` }} />
      {at !== null && end > 0 && (
        <div class="media-peek" style={{ left: `${left}px` }} aria-hidden={peek !== null}>
          {cell && <CellPicture cell={cell} width={shown} label={t("cell", { time: timecode(cell.from_s, 1) })} />}
          <p><b>{timecode(at, 1)}</b>{chapter?.title && <span> {chapter.title}</span>}</p>
        </div>
      )}
    </div>
  );
}
