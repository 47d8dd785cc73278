// The list of deliveries.
import { useState } from "preact/hooks";
import { type Page, type Query, call, post } from "../../api.ts";
import { confirm } from "../../parts/dialog.tsx";
import { FilterChoice, FilterTime, Filters, TIME_NAMES, askedTimes } from "../../parts/filters.tsx";
import { number } from "../../parts/format.ts";
import { Humps } from "../../parts/humps.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Menu } from "../../parts/menu.tsx";
import { PageHead } from "../../parts/page.tsx";
import { Badge, statusName } from "../../parts/status.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { attempt, tellDone, tellError } from "../../parts/toast.tsx";
import { usePaged, useResource } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { type Delivery, eventChoices } from "./shapes.ts";
import { DeliveryState } from "./state.tsx";

const t = words({
  title: ["Deliveries", "回调记录"],
  note: ["One event to one destination. Tried again by itself for three days, then kept as a dead letter.", "一个事件发往一个目标。失败会自动重试三天，之后保留为死信。"],
  all: ["All", "全部"],
  state: ["State", "状态"],
  event: ["Event", "事件"],
  destination: ["Destination", "目标"],
  any_destination: ["Any destination", "全部目标"],
  any_event: ["Any event", "全部事件"],
  tries: ["Tries", "次数"],
  answer: ["Answer", "应答"],
  next: ["next try {time}", "下次重试"],
  made: ["Made", "创建时间"],
  of_task: ["Of one task", "仅限一个任务"],
  of_event: ["Of one event", "仅限一个事件"],
  replays: ["sent again {n} times", "已重发 {n} 次"],
  behind: ["waits behind an earlier one", "等待前一条完成"],
  next_in: ["Next try", "下次重试"],
  bulk: ["All found deliveries", "批量操作"],
  replay_dead: ["Send all dead ones again", "重发全部已放弃的"],
  replay_done: ["Send all delivered ones again", "重发全部已送达的"],
  discard_dead: ["Discard all dead ones", "丢弃全部已放弃的"],
  ask_dead: ["Send all again that were given up?", "重发全部已放弃的回调？"],
  ask_done: ["Send all again that were delivered?", "重发全部已送达的回调？"],
  ask_discard: ["Discard all that were given up?", "丢弃全部已放弃的回调？"],
  ask_text: ["This is for every delivery that the filters find, shown or not. Receivers see the same event id again.", "将作用于筛选命中的全部回调（不论是否已显示）。接收方会再次收到相同的事件 ID。"],
  discard_text: ["This is for every dead letter that the filters find, shown or not. They count as done from then on.", "将作用于筛选命中的全部死信（不论是否已显示），此后视为已完成。"],
  send: ["Send again", "重新发送"],
  discard: ["Discard", "丢弃"],
  sent_n: ["{n} deliveries are sent again", "{n} 条回调已重新排队"],
  discarded_n: ["{n} dead letters were discarded", "已丢弃 {n} 条死信"],
  marked: ["{n} marked", "已选 {n} 条"],
  unmark: ["Unmark", "取消选择"],
  none_fit: ["This can be done with none of the marked deliveries as they are.", "已选回调的状态均不允许此操作。"],
  empty: ["Nothing was sent yet", "还没有回调记录"],
  empty_hint: ["Events go to the destinations that workflows name, or to the unified one.", "事件会发送到工作流指定的目标或统一回调目标。"],
  to_destinations: ["To the destinations", "前往回调目标"],
  nothing: ["No delivery is like this", "没有符合条件的回调"],
  nothing_hint: ["Take a filter away to see more.", "请减少筛选条件。"],
});

const FILTERS = ["status", "destination", "event_type", "task", "event", ...TIME_NAMES] as const;
const STATES = ["pending", "done", "dead"] as const;
const stateWord = (status: string) => statusName(status === "done" ? "delivered" : status);

const columns = (): Column<Delivery>[] => [
  { key: "status", title: t("state"), width: "minmax(5.5rem, 8rem)", cell: (one) => <DeliveryState delivery={one} /> },
  { key: "event", title: t("event"), width: "minmax(0, 1.6fr)", cell: (one) => <div class="deliveries-two"><b title={one.event_type}><Humps name={one.event_type} /></b><span class="muted">{one.destination}{one.replays > 0 && ` · ${t("replays", { n: one.replays })}`}</span></div> },
  { key: "answer", title: t("answer"), width: "minmax(0, 1.6fr)", from: 2, cell: (one) => (
    <div class="deliveries-two">
      <span class={one.last_error ? "deliveries-bad" : undefined} title={one.last_error ?? undefined}>{one.last_error ?? one.last_status ?? "–"}</span>
      {one.status === "pending" && <span class="muted">{one.next_try_at ? <>{t("next_in")} <Time at={one.next_try_at} /></> : t("behind")}</span>}
    </div>
  ) },
  { key: "tries", title: t("tries"), width: "4rem", align: "end", from: 2, cell: (one) => number(one.tries) },
  { key: "made", title: t("made"), width: "7.5rem", align: "end", from: 3, cell: (one) => <Time at={one.created_at} /> },
];

export function DeliveryList() {
  const one = (name: string) => query.value.get(name) ?? undefined;
  const filters: Query = { status: one("status"), destination: one("destination"), event_type: one("event_type"), task: one("task"), event: one("event"), ...askedTimes() };
  const list = usePaged<Delivery>("deliveries", filters, { every: 4000, on: () => true });
  const destinations = useResource<Page<{ id: string }>>("destinations");
  const [marked, setMarked] = useState<Set<string>>(new Set());
  const chosen = list.items.filter((item) => marked.has(item.id));
  const status = one("status") ?? "";
  const filtered = FILTERS.some((name) => query.value.has(name));
  const found = async (deed: "replay" | "discard", of: "dead" | "done") => {
    const ask = deed === "discard" ? "ask_discard" : of === "dead" ? "ask_dead" : "ask_done";
    if (!(await confirm(t(ask), t(deed === "discard" ? "discard_text" : "ask_text"), t(deed === "discard" ? "discard" : "send"), { danger: deed === "discard" }))) return;
    const wanted = Object.entries({ ...filters, status: deed === "replay" ? of : undefined }).filter(([, value]) => value !== undefined);
    const answer = await attempt(() => call<{ deliveries: number }>(`deliveries/${deed}`, { method: "POST", json: Object.fromEntries(wanted) }));
    if (answer) tellDone(t(deed === "discard" ? "discarded_n" : "sent_n", { n: number(answer.deliveries) }));
    list.refresh();
  };
  const these = async (deed: "replay" | "discard") => {
    const fitting = chosen.filter((item) => (deed === "replay" ? item.status !== "pending" : item.status === "dead"));
    if (fitting.length === 0) return tellError(new Error(t("none_fit")));
    let done = 0;
    let refused: unknown = null;
    for (const item of fitting) await post(`deliveries/${item.id}/${deed}`).then(() => (done += 1), (error: unknown) => (refused = error));
    if (done > 0) tellDone(t(deed === "discard" ? "discarded_n" : "sent_n", { n: number(done) }));
    if (refused) tellError(refused);
    setMarked(new Set());
    list.refresh();
  };
  return (
    <>
      <PageHead title={t("title")} note={t("note")}>
        {isOperator.value && <Menu label={t("bulk")} text={t("bulk")} icon="list" items={[
          { text: t("replay_dead"), icon: "send", act: () => void found("replay", "dead") },
          { text: t("replay_done"), icon: "send", act: () => void found("replay", "done") },
          { text: t("discard_dead"), icon: "trash", danger: true, act: () => void found("discard", "dead") },
        ]} />}
      </PageHead>
      <div class="segments segments-row" role="group" aria-label={t("state")}>
        {["", ...STATES].map((state) => <button key={state} type="button" aria-pressed={status === state} onClick={() => setQuery({ status: state || null })}>{state ? stateWord(state) : t("all")}</button>)}
      </div>
      <Filters names={FILTERS}>
        <FilterChoice name="destination" label={t("destination")} any={t("any_destination")} choices={(destinations.data?.items ?? []).map(({ id }) => ({ value: id, text: id }))} />
        <FilterChoice name="event_type" label={t("event")} any={t("any_event")} choices={eventChoices()} />
        <FilterTime />
        {query.value.has("task") && <Badge tone="run">{t("of_task")}</Badge>}
        {query.value.has("event") && <Badge tone="run">{t("of_event")}</Badge>}
      </Filters>
      {isOperator.value && chosen.length > 0 && (
        <div class="deliveries-marked" role="group" aria-label={t("marked", { n: chosen.length })}>
          <b aria-live="polite">{t("marked", { n: chosen.length })}</b>
          <button type="button" class="button small" onClick={() => void these("replay")}><Icon name="send" size={15} />{t("send")}</button>
          <button type="button" class="button small danger" onClick={() => void these("discard")}><Icon name="trash" size={15} />{t("discard")}</button>
          <button type="button" class="button small ghost" onClick={() => setMarked(new Set())}>{t("unmark")}</button>
        </div>
      )}
      <Table label={t("title")} columns={columns()} list={list} rowHeight={58} href={(item) => `/deliveries/${item.id}`}
        marked={isOperator.value ? marked : undefined} onMark={isOperator.value ? setMarked : undefined}
        empty={filtered ? <><h2>{t("nothing")}</h2><p>{t("nothing_hint")}</p></> : <><h2>{t("empty")}</h2><p>{t("empty_hint")}</p><a class="button" href="/destinations">{t("to_destinations")}</a></>} />
    </>
  );
}
