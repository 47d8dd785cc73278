// Filters above a list. What is chosen stands in the query, so that a filtered list has a link.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { path, query, setQuery } from "../router.ts";
import { words } from "../words.ts";
import type { Choice } from "./form.tsx";
import { Icon } from "./icon.tsx";

const t = words({
  clear: ["Clear filters", "清除筛选"],
  filters: ["Filters", "筛选"],
  any_time: ["Any time", "不限时间"],
  hour: ["Last hour", "最近 1 小时"],
  day: ["Last 24 hours", "最近 24 小时"],
  week: ["Last 7 days", "最近 7 天"],
  month: ["Last 30 days", "最近 30 天"],
  between: ["From … until …", "自定义时间段"],
  since: ["From", "开始时间"],
  until: ["Until", "结束时间"],
  time: ["Time", "时间"],
});

/// The row of filters; `names` are the parts of the query that "clear" takes away.
export function Filters({ names, children, end }: { names: readonly string[]; children: ComponentChildren; end?: ComponentChildren }) {
  const some = names.some((name) => query.value.has(name));
  return (
    <div class="filters" role="search" aria-label={t("filters")}>
      {children}
      {some && <button type="button" class="button ghost small" onClick={() => setQuery(Object.fromEntries(names.map((name) => [name, null])))}><Icon name="cross" size={15} />{t("clear")}</button>}
      {end && <div class="filters-end">{end}</div>}
    </div>
  );
}

/// A text that is looked for while it is typed. The key / goes to it.
export function FilterText({ name = "text", label }: { name?: string; label: string }) {
  const there = query.value.get(name) ?? "";
  const [text, setText] = useState(there);
  const here = path.value;
  useEffect(() => setText(there), [there]);
  useEffect(() => {
    if (text === there) return;
    const timer = setTimeout(() => path.value === here && setQuery({ [name]: text }), 250);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div class="filter-text">
      <Icon name="search" size={16} />
      <input type="search" aria-label={label} placeholder={label} value={text} spellcheck={false} autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} />
    </div>
  );
}

/// One of several; `any` is what stands there while nothing is chosen.
export function FilterChoice({ name, label, any, choices }: { name: string; label: string; any: string; choices: Choice[] }) {
  const chosen = query.value.get(name) ?? "";
  // What a link asks for is shown though the list of choices does not have it (yet).
  const known = chosen === "" || choices.some((choice) => choice.value === chosen);
  return (
    <select class={chosen ? "filter-on" : undefined} aria-label={label} value={chosen} onChange={(event) => setQuery({ [name]: event.currentTarget.value })}>
      <option value="" selected={chosen === ""}>{any}</option>
      {!known && <option value={chosen} selected>{chosen}</option>}
      {choices.map((choice) => <option key={choice.value} value={choice.value} selected={choice.value === chosen}>{choice.text}</option>)}
    </select>
  );
}

const SPANS: Record<string, number> = { hour: 3600, day: 86_400, week: 7 * 86_400, month: 30 * 86_400 };
const wire = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

let kept = { name: "", at: 0 };
const KEPT_MS = 600_000;

/// The times that the query asks for, as the wire has them. A span back from now keeps its beginning for a while, so
/// that a list is not another one with every look.
export function askedTimes(): { since?: string; until?: string } {
  const name = query.value.get("time") ?? "";
  const span = SPANS[name];
  if (span) {
    if (kept.name !== name || Date.now() - kept.at > KEPT_MS) kept = { name, at: Date.now() };
    return { since: wire(kept.at - span * 1000) };
  }
  const one = (name: string) => {
    const text = query.value.get(name);
    const at = text ? Date.parse(text) : NaN;
    return Number.isNaN(at) ? undefined : wire(at);
  };
  return { since: one("since"), until: one("until") };
}

export const TIME_NAMES = ["time", "since", "until"] as const;

/// A span of time back from now, or between two times of one's own.
export function FilterTime() {
  const own = query.value.has("since") || query.value.has("until") || query.value.get("time") === "own";
  const chosen = own ? "own" : (query.value.get("time") ?? "");
  const local = (name: string): string => {
    const text = query.value.get(name);
    const at = text ? new Date(text) : null;
    if (!at || Number.isNaN(at.getTime())) return "";
    return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  };
  const set = (name: string, value: string) => setQuery({ time: "own", [name]: value ? wire(new Date(value).getTime()) : null });
  return (
    <>
      <select class={chosen ? "filter-on" : undefined} aria-label={t("time")} value={chosen} onChange={(event) => setQuery({ time: event.currentTarget.value, since: null, until: null })}>
        {([["", "any_time"], ["hour", "hour"], ["day", "day"], ["week", "week"], ["month", "month"], ["own", "between"]] as const).map(([value, word]) => <option key={value} value={value} selected={value === chosen}>{t(word)}</option>)}
      </select>
      {own && (
        <>
          <input type="datetime-local" aria-label={t("since")} title={t("since")} value={local("since")} onChange={(event) => set("since", event.currentTarget.value)} />
          <input type="datetime-local" aria-label={t("until")} title={t("until")} value={local("until")} onChange={(event) => set("until", event.currentTarget.value)} />
        </>
      )}
    </>
  );
}
