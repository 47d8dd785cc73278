// Events as they happen, and each of them whole.
import "./events.css";
import { useRef } from "preact/hooks";
import { Copy } from "../../parts/copy.tsx";
import { FilterChoice, Filters } from "../../parts/filters.tsx";
import { Switch } from "../../parts/form.tsx";
import { when } from "../../parts/format.ts";
import { Humps } from "../../parts/humps.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Json } from "../../parts/json.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { Badge } from "../../parts/status.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { usePaged } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";
import { eventChoices } from "../deliveries/shapes.ts";
import type { Event } from "../tasks/shapes.ts";

const t = words({
  title: ["Events", "事件"],
  note: ["Facts in the order in which they were committed.", "按提交顺序列出的事件。"],
  follow: ["Follow", "实时跟随"],
  type: ["Event", "事件"],
  any_type: ["Any event", "全部事件"],
  about: ["About", "关于"],
  when: ["When", "时间"],
  of_task: ["Of one task", "仅限一个任务"],
  of_media: ["Of one media", "仅限一个媒资"],
  task: ["Task", "任务"],
  media: ["Media", "媒资"],
  deliveries: ["Deliveries", "回调"],
  close: ["Close", "关闭"],
  gone: ["This event is not among the shown ones. Scroll further down the list.", "该事件不在当前列表中，请继续向下滚动。"],
  empty: ["Nothing has happened yet", "还没有事件"],
  empty_hint: ["Every change of a task, media or alert appears here as it commits.", "任务、媒资、告警的每次变化都会显示在这里。"],
  nothing: ["No event is like this", "没有符合条件的事件"],
  installation: ["the appliance", "本机"],
});

const FILTERS = ["type", "task", "media"] as const;

interface Body {
  media?: { object?: { storage: string; key: string } } | null;
  task?: { workflow_name?: string } | null;
  job?: { activity?: string } | null;
  detail?: { status?: string; what?: string };
}

/// What an event is about, in one line.
function about(event: Event): string {
  const body = (event.body ?? {}) as Body;
  const object = body.media?.object;
  return [object ? `${object.storage}:${object.key}` : null, body.task?.workflow_name, body.job?.activity].filter(Boolean).join(" · ") || t("installation");
}

const columns = (): Column<Event>[] => [
  { key: "type", title: t("type"), width: "minmax(0, 1.5fr)", cell: (event) => <span class="events-type" title={event.type}><Humps name={event.type} /></span> },
  { key: "about", title: t("about"), width: "minmax(0, 1.3fr)", from: 2, cell: (event) => <span class="muted" title={about(event)}>{about(event)}</span> },
  { key: "when", title: t("when"), width: "6.5rem", align: "end", cell: (event) => <Time at={event.created_at} /> },
];

export default function Events() {
  const one = (name: string) => query.value.get(name) ?? undefined;
  const follows = one("follow") !== "off";
  const list = usePaged<Event>("events", { type: one("type"), task: one("task"), media: one("media") }, follows ? { on: () => true, every: 10_000 } : {});
  const id = one("event");
  // Stays shown when newer ones push it out of what was fetched.
  const kept = useRef<Event | null>(null);
  const found = list.items.find((event) => event.id === id);
  if (found) kept.current = found;
  const shown = found ?? (kept.current?.id === id ? kept.current : null);
  const filtered = FILTERS.some((name) => query.value.has(name));
  const link = (event: Event) => {
    const next = new URLSearchParams(query.value);
    next.set("event", event.id);
    return `/events?${next}`;
  };
  return (
    <>
      <PageHead title={t("title")} note={t("note")} />
      <Filters names={FILTERS} end={<label class="events-live"><Switch value={follows} label={t("follow")} onInput={(on) => setQuery({ follow: on ? null : "off" })} /><span aria-hidden="true">{t("follow")}</span></label>}>
        <FilterChoice name="type" label={t("type")} any={t("any_type")} choices={eventChoices()} />
        {query.value.has("task") && <Badge tone="run">{t("of_task")}</Badge>}
        {query.value.has("media") && <Badge tone="run">{t("of_media")}</Badge>}
      </Filters>
      <div class={`events-columns${id ? " events-columns-two" : ""}`}>
        <Table label={t("title")} columns={columns()} list={list} rowHeight={42} href={link} marked={undefined}
          empty={filtered ? <h2>{t("nothing")}</h2> : <><h2>{t("empty")}</h2><p>{t("empty_hint")}</p></>} />
        {id && (
          <Card class="events-shown" title={shown?.type ?? id} deeds={<button type="button" class="icon-button" aria-label={t("close")} onClick={() => setQuery({ event: null })}><Icon name="cross" size={17} /></button>}>
            {shown ? (
              <>
                <p class="events-about">
                  <span class="muted">{when(shown.created_at)}</span>
                  {shown.task && <a href={`/tasks/${shown.task}`}>{t("task")}</a>}
                  {shown.media && <a href={`/media/${shown.media}`}>{t("media")}</a>}
                  <a href={`/deliveries?event=${shown.id}`}>{t("deliveries")}</a>
                  <Copy text={shown.id} shown={`${shown.id.slice(0, 13)}…`} />
                </p>
                <Json value={shown.body} label={shown.type} />
              </>
            ) : !list.loading && <p class="muted">{t("gone")}</p>}
          </Card>
        )}
      </div>
    </>
  );
}
