// Numbers, sizes, spans and times as people read them, in the language of the page.
import { language, locale } from "../words.ts";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

export function size(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return "–";
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${number(value, unit === 0 ? 0 : value < 10 ? 2 : 1)} ${UNITS[unit]}`;
}

export function number(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return value.toLocaleString(locale(), { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

export const percent = (value: number | null | undefined, digits = 0): string => (value === null || value === undefined ? "–" : `${number(value, digits)} %`);

/// A span of time: `1 h 02 min`, `12.4 s`.
export function span(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const zh = language.value === "zh";
  const [d, h, m, s] = zh ? [" 天", " 小时", " 分", " 秒"] : [" d", " h", " min", " s"];
  // Times of the wire are whole seconds.
  if (seconds < 0.005) return `< 1${s}`;
  if (seconds < 1) return `${number(seconds, 2)}${s}`;
  if (seconds < 60) return `${number(seconds, seconds < 10 ? 1 : 0)}${s}`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}${m} ${two(whole % 60)}${s}`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}${h} ${two(Math.floor(whole / 60) % 60)}${m}`;
  return `${Math.floor(whole / 86_400)}${d} ${Math.floor(whole / 3600) % 24}${h}`;
}

/// A short span: `12 ms`.
export const millis = (ms: number): string => `${number(ms)}${language.value === "zh" ? " 毫秒" : " ms"}`;

/// A time within a film: `0:01:02.5`.
export function timecode(seconds: number | null | undefined, digits = 0): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const rounded = Number(seconds.toFixed(digits));
  const h = Math.floor(rounded / 3600);
  const m = Math.floor(rounded / 60) % 60;
  const s = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return `${h}:${String(m).padStart(2, "0")}:${s}`;
}

/// Seconds between two times of the wire; the end defaults to now.
export function between(from: string | null | undefined, to?: string | null): number | null {
  if (!from) return null;
  return Math.max(0, ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000);
}

export function when(wire: string | null | undefined): string {
  return wire ? new Date(wire).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "medium" }) : "–";
}

/// How long ago, in one unit.
export function ago(wire: string | null | undefined): string {
  if (!wire) return "–";
  const seconds = (Date.parse(wire) - Date.now()) / 1000;
  const form = new Intl.RelativeTimeFormat(locale(), { numeric: "auto", style: "short" });
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [["second", 60], ["minute", 3600], ["hour", 86_400], ["day", 30 * 86_400], ["month", 365 * 86_400]];
  let before = 1;
  for (const [unit, until] of steps) {
    if (Math.abs(seconds) < until) return form.format(Math.round(seconds / before), unit);
    before = until;
  }
  return form.format(Math.round(seconds / before), "year");
}
