// What of a media can be played: each file, each set, each rung of a set, the source, and renditions made elsewhere.
import { here, type Media, type MediaDetail, mainVideo, type MediaFacts, placeOf, shownSize, mainAudio } from "./shapes.ts";

export interface Playable {
  /// Id of the output, rung or addition; `source`.
  id: string;
  group: string;
  text: string;
  url: string;
  /// A playlist.
  hls: boolean;
  /// The folder and name of the rung's playlist, where one rung of a set is to be played and no other.
  rung: string | null;
  facts: MediaFacts | null;
  width: number;
  height: number;
  /// It has no pictures.
  sound: boolean;
  /// Of a task that is not the newest.
  older: boolean;
}

export interface Words {
  source: string;
  added: string;
  all: string;
  sound: string;
}

const PLAYED = /\.(mp4|m4v|mov|webm|mkv|ts|m4a|mp3|aac|wav|flac|opus|ogg|m3u8)$/i;

function make(id: string, group: string, text: string, url: string, facts: MediaFacts | null, rung: string | null = null): Playable {
  const size = shownSize(mainVideo(facts));
  return {
    id,
    group,
    text,
    url: here(url),
    hls: /\.m3u8$/i.test(new URL(url, location.href).pathname),
    rung,
    facts,
    width: size?.width ?? 0,
    height: size?.height ?? 0,
    sound: facts !== null && !size && mainAudio(facts) !== undefined,
    older: false,
  };
}

/// What is put before the names of outputs of a task that is not the newest with renditions: its workflow.
export function fromOlder(media: MediaDetail): (task: string) => string {
  const newest = media.outputs.find((output) => ["file", "hls", "cmaf"].includes(output.kind))?.task;
  return (task) => (task === newest ? "" : `${media.tasks.find((one) => one.id === task)?.workflow.name ?? task} · `);
}

/// All that can be played, in groups. Outputs of older tasks stand behind those of newer ones.
export function playables(media: MediaDetail, source: string | null, words: Words): Playable[] {
  const all: Playable[] = [];
  const from = fromOlder(media);
  const put = (one: Playable, task: string) => all.push({ ...one, older: from(task) !== "" });
  for (const output of media.outputs) {
    if (!output.url || !["file", "hls", "cmaf"].includes(output.kind) || !PLAYED.test(output.object)) continue;
    const prefix = from(output.task);
    if (output.kind === "file") {
      put(make(output.id, `${prefix}${output.group || output.kind.toUpperCase()}`, output.name, output.url, output.detail?.facts ?? null), output.task);
      continue;
    }
    const group = `${prefix}${output.kind.toUpperCase()}${output.name && output.name !== output.kind ? ` ${output.name}` : ""}`;
    const rungs = output.detail?.renditions ?? [];
    const best = rungs.map((rung) => rung.facts).filter((facts) => mainVideo(facts)).sort((a, b) => (mainVideo(b)?.height ?? 0) - (mainVideo(a)?.height ?? 0))[0];
    put(make(output.id, group, words.all, output.url, best ?? output.detail?.facts ?? rungs[0]?.facts ?? null), output.task);
    const { key } = placeOf(output.object);
    const folder = key.slice(0, key.lastIndexOf("/") + 1);
    for (const rung of rungs) {
      // Of sound the playlist itself is played; of pictures the set, held to this rung, so that there is sound to it.
      const beside = rung.key.startsWith(folder) ? rung.key.slice(folder.length) : rung.key;
      const own = here(output.url).replace(/[^/]*$/, beside.split("/").map(encodeURIComponent).join("/"));
      const pictures = mainVideo(rung.facts) !== undefined;
      put(make(rung.id, group, pictures ? rung.name : `${rung.name} (${words.sound})`, pictures ? output.url : own, rung.facts, pictures ? beside : null), output.task);
    }
  }
  for (const addition of media.renditions) {
    if (["video", "audio"].includes(addition.type) && PLAYED.test(addition.object)) all.push(make(addition.id, words.added, addition.title || addition.kind, addition.url, null));
  }
  if (source && (media.type === "video" || media.type === "audio")) all.push(make("source", words.source, words.source, source, media.facts));
  return all;
}

/// What is played when nobody chose: the largest file that is not beyond 1080 lines, else a set, else the source.
export function firstChoice(all: Playable[]): Playable | undefined {
  const files = all.filter((one) => !one.hls && one.height > 0 && one.id !== "source");
  const fitting = files.filter((one) => Math.min(one.width, one.height) <= 1080);
  const largest = (from: Playable[]) => from.reduce<Playable | undefined>((best, one) => (!best || one.height > best.height ? one : best), undefined);
  return largest(fitting.filter((one) => !one.older)) ?? all.find((one) => one.hls && !one.older && one.height > 0) ?? largest(fitting) ?? all.find((one) => one.hls) ?? largest(files) ?? all[0];
}

/// The link to the source.
export interface UrlItem {
  name: string;
  kind: string;
  object: string;
  url: string;
}

export const sourceUrl = (items: UrlItem[] | undefined, media: Media | null): string | null => items?.find((item) => item.kind === "source" && item.object === media?.object)?.url ?? null;
