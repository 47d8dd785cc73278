// All that a player needs of a media: its detail, kept fresh, its links, its pictures, what was measured of it.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Page } from "../../api.ts";
import { type Resource, useResource } from "../../resource.ts";
import { words } from "../../words.ts";
import type { Caption } from "./captions.ts";
import { type Playable, playables, sourceUrl, type UrlItem } from "./playable.ts";
import { makePlayhead, type Playhead } from "./playhead.ts";
import { fileOf, here, type Measured, type MediaDetail, type Output, pictureHere } from "./shapes.ts";
import { type Cell, fetchCells, indexOf } from "./sprite.ts";

const t = words({
  source: ["Source", "源文件"],
  added: ["Made elsewhere", "外部版本"],
  all: ["adaptive", "自适应"],
  sound: ["sound", "音频"],
});

export interface Screening {
  media: Resource<MediaDetail>;
  measured: Measured | null;
  head: Playhead;
  all: Playable[];
  source: string | null;
  poster: string | null;
  cells: Cell[];
  captions: Caption[];
  length: number;
  refresh: () => void;
}

export function useScreening(id: string | null): Screening {
  const media = useResource<MediaDetail>(id && `media/${id}`, undefined, { on: (event) => event.media === id && !/Progress/.test(event.type) });
  const detail = media.data;
  const links = useResource<Page<UrlItem>>(id && `media/${id}/urls`, { expires_s: 6 * 3600 });
  const outputs = (detail?.outputs ?? []).filter((output) => output.status === "published").length;
  const measured = useResource<Measured>(id && outputs + (detail?.qc.length ?? 0) > 0 ? `media/${id}/series` : null);
  const seen = useRef(0);
  useEffect(() => {
    if (seen.current > 0 && seen.current !== outputs) measured.refresh();
    seen.current = outputs;
  }, [outputs]);
  const head = useMemo(makePlayhead, [id]);
  const source = detail ? sourceUrl(links.data?.items, detail) : null;
  const all = useMemo(() => (detail ? playables(detail, source, { source: t("source"), added: t("added"), all: t("all"), sound: t("sound") }) : []), [detail, source]);
  const cells = useCells(detail?.outputs.find((output) => output.kind === "sprite" && output.url));
  const still = detail?.outputs.filter((output) => output.kind === "stills" && output.url).sort((a, b) => Number(/poster|cover/i.test(b.name)) - Number(/poster|cover/i.test(a.name)))[0];
  const poster = useKept(pictureHere(detail?.cover_url ?? null) ?? (still?.url ? here(still.url) : null));
  const captions = (detail?.attachments ?? [])
    .filter((one) => one.kind === "subtitle" && /\.(vtt|srt)$/i.test(one.object))
    .map((one) => ({ key: one.id, url: here(one.url), text: one.title || one.language || fileOf(one.object), language: one.language }));
  const length = detail?.facts?.duration_s ?? measured.data?.duration_s ?? 0;
  return {
    media,
    measured: measured.data,
    head,
    all,
    source,
    poster,
    cells,
    captions,
    length,
    refresh: () => {
      media.refresh();
      links.refresh();
    },
  };
}

/// The address of a picture as it was first told: a fresh link to the same picture is no reason to fetch it again.
function useKept(address: string | null): string | null {
  const kept = useRef<string | null>(null);
  const bare = (text: string | null) => text?.replace(/\?.*$/, "").replace(/^\/o\/~[^/]*/, "") ?? null;
  if (bare(kept.current) !== bare(address)) kept.current = address;
  return kept.current;
}

function useCells(sprite: Output | undefined): Cell[] {
  const [cells, setCells] = useState<Cell[]>([]);
  useEffect(() => {
    if (!sprite?.url) return setCells([]);
    let gone = false;
    fetchCells(indexOf(sprite.url, sprite.detail?.webvtt)).then((all) => !gone && setCells(all), () => !gone && setCells([]));
    return () => {
      gone = true;
    };
  }, [sprite?.id]);
  return cells;
}
