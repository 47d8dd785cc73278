// Subtitles of a player: those that were added to the media, and those that the rendition brings itself.
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask } from "../../api.ts";

export interface Caption {
  key: string;
  url: string;
  text: string;
  language: string | null;
}

interface Own extends Caption {
  src: string;
}

/// SubRip as WebVTT.
export function toWebVtt(text: string): string {
  if (/^\uFEFF?WEBVTT/.test(text)) return text;
  const cues = text.replace(/\uFEFF/g, "").replace(/\r\n?/g, "\n").replace(/(\d+:\d+:\d+),(\d{3})/g, "$1.$2");
  return `WEBVTT\n\n${cues}`;
}

export interface Captions {
  own: Own[];
  choices: { key: string; text: string }[];
  chosen: string;
  choose: (key: string) => void;
  next: () => void;
}

export function useCaptions(video: RefObject<HTMLVideoElement | null>, added: Caption[], rendition: string | undefined): Captions {
  const [own, setOwn] = useState<Own[]>([]);
  const [inside, setInside] = useState<{ key: string; text: string }[]>([]);
  const [chosen, setChosen] = useState("");
  const keys = added.map((one) => one.key).join(" ");
  useEffect(() => {
    let gone = false;
    const made: string[] = [];
    void Promise.all(added.map(async (one) => {
      const text = await (await ask(one.url)).text();
      const src = URL.createObjectURL(new Blob([toWebVtt(text)], { type: "text/vtt" }));
      made.push(src);
      return { ...one, src };
    })).then((all) => !gone && setOwn(all), () => null);
    return () => {
      gone = true;
      for (const src of made) URL.revokeObjectURL(src);
    };
  }, [keys]);
  useEffect(() => {
    const tracks = video.current?.textTracks;
    if (!tracks) return;
    const look = () => setInside([...tracks].filter((track) => ["subtitles", "captions"].includes(track.kind) && !own.some((one) => one.text === track.label)).map((track, at) => ({ key: `in:${at}:${track.label}:${track.language}`, text: track.label || track.language || `${at + 1}` })));
    look();
    tracks.addEventListener("addtrack", look);
    tracks.addEventListener("removetrack", look);
    return () => {
      tracks.removeEventListener("addtrack", look);
      tracks.removeEventListener("removetrack", look);
    };
  }, [own, rendition]);
  const choices = [...own.map(({ key, text }) => ({ key, text })), ...inside];
  useEffect(() => {
    const wanted = choices.find((choice) => choice.key === chosen);
    for (const track of video.current?.textTracks ?? []) {
      if (["subtitles", "captions"].includes(track.kind)) track.mode = wanted && (track.label || track.language) === wanted.text ? "showing" : "disabled";
    }
  }, [chosen, own, inside]);
  const next = () => {
    const at = choices.findIndex((choice) => choice.key === chosen);
    setChosen(choices[at + 1]?.key ?? "");
  };
  return { own, choices, chosen, choose: setChosen, next };
}
