// The words of the pages in English and Simplified Chinese.
//
// A page family defines its own: `const t = words({ title: ["Tasks", "任务"], found: ["{n} found", "找到 {n} 个"] })`,
// and says `t("found", { n: 3 })`. Both languages stand side by side, so that none is forgotten. What comes from the
// daemon (names, errors, remedies) is shown as it is.
import { signal } from "@preact/signals";

export type Language = "en" | "zh";
const KEY = "reelmill-language";

function preferred(): Language {
  const kept = localStorage.getItem(KEY);
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const language = signal<Language>(preferred());

export function applyLanguage(): void {
  document.documentElement.lang = language.value === "zh" ? "zh-Hans" : "en";
}

export function chooseLanguage(next: Language): void {
  language.value = next;
  localStorage.setItem(KEY, next);
  applyLanguage();
}

/// The locale of numbers and times.
export const locale = (): string => (language.value === "zh" ? "zh-CN" : (navigator.language.startsWith("en") ? navigator.language : "en"));

type Pairs = Record<string, readonly [en: string, zh: string]>;
type Values = Record<string, string | number>;

export function words<P extends Pairs>(pairs: P): (key: keyof P, values?: Values) => string {
  return (key, values) => {
    const pair = pairs[key];
    const text = pair ? pair[language.value === "zh" ? 1 : 0] : String(key);
    return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
  };
}
