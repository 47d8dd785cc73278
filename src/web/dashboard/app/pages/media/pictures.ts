// The pictures of a media for its card: a poster where it has no cover, and its sprite. Asked for when a card comes into
// view or is pointed at, a few at a time, and kept while the page lives.
import { get, type Page } from "../../api.ts";
import { here } from "./shapes.ts";
import { type Cell, fetchCells, indexOf } from "./sprite.ts";

interface Link {
  name: string;
  kind: string;
  object: string;
  url: string;
}

export interface Pictures {
  poster: string | null;
  preview: string | null;
  sprite: string | null;
}

/// Links last an hour.
const KEPT_MS = 50 * 60_000;
const AT_ONCE = 4;

const found = new Map<string, { at: number; pictures: Promise<Pictures> }>();
const cells = new Map<string, Promise<Cell[]>>();
const waiting: (() => void)[] = [];
let running = 0;

async function inTurn<T>(deed: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
  running += 1;
  try {
    return await deed();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/// The pictures of a media as they were when it was last changed.
export function picturesOf(media: string, modified: string): Promise<Pictures> {
  const key = `${media}@${modified}`;
  const known = found.get(key);
  if (known && Date.now() - known.at < KEPT_MS) return known.pictures;
  const pictures = inTurn(() => get<Page<Link>>(`media/${media}/urls`)).then(({ items }) => {
    const of = (kind: string, test: (link: Link) => boolean = () => true) => {
      const link = items.find((one) => one.kind === kind && /\.(jpe?g|png|webp|gif)$/i.test(one.object) && test(one));
      return link ? here(link.url) : null;
    };
    return {
      poster: of("stills", (link) => /poster|cover/i.test(link.name)) ?? of("stills"),
      preview: of("animation"),
      sprite: of("sprite"),
    };
  });
  pictures.then((all) => {
    // What is not made yet may be there soon.
    if (!all.poster && !all.sprite) found.delete(key);
  }, () => found.delete(key));
  found.set(key, { at: Date.now(), pictures });
  return pictures;
}

/// The cells of a sprite by the link to its first sheet.
export function cellsOf(sprite: string): Promise<Cell[]> {
  const index = indexOf(sprite);
  const known = cells.get(index);
  if (known) return known;
  const asked = fetchCells(index);
  asked.catch(() => cells.delete(index));
  cells.set(index, asked);
  return asked;
}
