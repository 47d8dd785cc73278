// The daemon's own sentences about keys, in the language of the page.
import { effect, signal } from "@preact/signals";
import { language } from "../words.ts";

const chinese = signal<Record<string, string> | null>(null);

// Fetched when it is first needed: most never see it.
effect(() => {
  if (language.value === "zh" && !chinese.value) void import("./help_zh.ts").then((module) => (chinese.value = module.HELP));
});

export const said = (text: string | undefined): string => (text === undefined ? "" : language.value === "zh" ? (chinese.value?.[text] ?? text) : text);
