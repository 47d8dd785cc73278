// Cards in rows: only those in view are drawn, however many media there are; the next ones are fetched before the end.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ErrorBox } from "../../parts/problem.tsx";
import { useFetchAhead, useWindow } from "../../parts/window.ts";
import type { Paged } from "../../resource.ts";
import { words } from "../../words.ts";
import { MediaCard } from "./card.tsx";
import type { Media } from "./shapes.ts";

const t = words({ loading: ["Fetching …", "加载中…"] });

const GAP = 14;
const TEXT = 64;

export function Grid({ list, label, empty, marked, onMark }: { list: Paged<Media>; label: string; empty: ComponentChildren; marked: ReadonlySet<string>; onMark?: (marked: Set<string>) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    setWidth(element.clientWidth);
    return () => watch.disconnect();
  }, []);
  const columns = Math.max(width < 430 ? 2 : 1, Math.floor((width + GAP) / (236 + GAP)));
  const card = Math.floor((width - GAP * (columns - 1)) / columns);
  const row = Math.round((card * 9) / 16) + TEXT + GAP;
  const rows = Math.ceil(list.items.length / columns);
  const view = useWindow(box, row, 2, list.items.length);
  useFetchAhead(list, view, rows, 4);
  const drawn: Media[][] = [];
  for (let at = view.from; at < Math.min(view.to, rows); at += 1) drawn.push(list.items.slice(at * columns, (at + 1) * columns));
  const toggle = (id: string) => {
    const next = new Set(marked);
    if (!next.delete(id)) next.add(id);
    onMark?.(next);
  };
  const nothing = list.items.length === 0;
  return (
    <>
      <div class="media-grid" role="list" aria-label={label} ref={box} style={{ height: nothing ? "auto" : `${rows * row}px` }}>
        {nothing && list.loading && width > 0 && Array.from({ length: columns * 2 }, (_, at) => <div key={at} class="media-card media-card-wait" style={{ position: "static", height: `${row - GAP}px` }} />)}
        {width > 0 && drawn.flatMap((line, at) => line.map((media, column) => (
          <div key={media.id} role="listitem" class="media-place" style={{ width: `${card}px`, height: `${row - GAP}px`, transform: `translate(${column * (card + GAP)}px, ${(view.from + at) * row}px)` }}>
            <MediaCard media={media} width={card - 2} marked={marked.has(media.id)} onMark={onMark && (() => toggle(media.id))} />
          </div>
        )))}
      </div>
      {nothing && !list.loading && !list.error && <div class="empty">{empty}</div>}
      {list.loading && list.more && <p class="table-foot" role="status">{t("loading")}</p>}
      {list.error ? <ErrorBox error={list.error} retry={list.refresh} /> : null}
    </>
  );
}
