// One delivery: how it stands, each of its tries, and what it tells.
import type { Page } from "../../api.ts";
import { Scroll } from "../../parts/scroll.tsx";
import { Copy } from "../../parts/copy.tsx";
import { millis, number } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Json } from "../../parts/json.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Status } from "../../parts/status.tsx";
import { Time } from "../../parts/time.tsx";
import { useResource } from "../../resource.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import type { Event } from "../tasks/shapes.ts";
import type { DeliveryDetail } from "./shapes.ts";
import { DeliveryState, discard, replay } from "./state.tsx";

const t = words({
  deliveries: ["Deliveries", "回调记录"],
  send: ["Send again", "重新发送"],
  discard: ["Discard", "丢弃"],
  why: ["The last try failed", "最近一次发送失败"],
  next: ["It is tried again by itself", "系统会自动重试"],
  behind: ["It waits behind an earlier event of the same task.", "正在等待同一任务的前一事件送达。"],
  given_up: ["It was given up. Send it again when the receiver works.", "已放弃发送。接收方恢复后请重新发送。"],
  about: ["About", "详情"],
  state: ["State", "状态"],
  destination: ["Destination", "目标"],
  event: ["Event", "事件"],
  task: ["Task", "任务"],
  seq: ["Place in its task", "任务内序号"],
  tries: ["Tries", "次数"],
  replays: ["Sent again by hand", "人工重发"],
  made: ["Made", "创建时间"],
  ended: ["Ended", "结束时间"],
  history: ["Tries", "发送记录"],
  none_yet: ["It was not tried yet.", "尚未发送。"],
  number: ["No.", "序号"],
  at: ["When", "时间"],
  took: ["Took", "耗时"],
  answer: ["Answer", "应答"],
  accepted: ["accepted", "已接收"],
  refused: ["not accepted", "未接收"],
  body: ["What it tells", "事件内容"],
  body_note: ["The fact in reelmill's own words. The destination gets it in the form of its profile.", "此处为 reelmill 原始事件；目标收到的是其协议格式。"],
  no_body: ["The event is no longer kept.", "该事件已不再保留。"],
});

export function DeliveryPage({ id }: { id: string }) {
  const found = useResource<DeliveryDetail>(`deliveries/${id}`, undefined, { every: 3000 });
  const one = found.data;
  // There is no address of a single event: it is looked for among those of its task and type.
  const events = useResource<Page<Event>>(one ? "events" : null, one ? { type: one.event_type, task: one.task || undefined, limit: 200 } : undefined);
  if (!one) {
    return <><PageHead title={id} crumbs={[{ text: t("deliveries"), href: "/deliveries" }]} />{found.error ? <ErrorBox error={found.error} retry={found.refresh} /> : <Skeleton lines={6} />}</>;
  }
  const event = events.data?.items.find((item) => item.id === one.event);
  const done = (ok: boolean) => ok && found.refresh();
  return (
    <>
      <PageHead title={one.event_type} crumbs={[{ text: t("deliveries"), href: "/deliveries" }]} note={<span class="deliveries-note"><DeliveryState delivery={one} /><a href={`/destinations/${encodeURIComponent(one.destination)}`}><Icon name="target" size={15} /> {one.destination}</a><Time at={one.created_at} /></span>}>
        {isOperator.value && one.status !== "pending" && <button type="button" class="button primary" onClick={() => void replay(one.id).then(done)}><Icon name="send" size={16} />{t("send")}</button>}
        {isOperator.value && one.status === "dead" && <button type="button" class="button danger" onClick={() => void discard(one.id).then(done)}><Icon name="trash" size={16} />{t("discard")}</button>}
      </PageHead>
      <div class="stack">
        {one.status !== "done" && one.last_error && (
          <div class="problem"><Icon name="warn" /><div><p><b>{t("why")}</b></p><p>{one.last_error}</p><p class="remedy">{one.status === "dead" ? t("given_up") : one.next_try_at ? <>{t("next")}: <Time at={one.next_try_at} /></> : t("behind")}</p></div></div>
        )}
        <Card title={t("history")}>
          {one.history.length === 0 ? <p class="muted">{t("none_yet")}</p> : (
            <Scroll><table class="deliveries-tries">
              <thead><tr><th class="end">{t("number")}</th><th>{t("state")}</th><th>{t("at")}</th><th class="end">{t("took")}</th><th>{t("answer")}</th></tr></thead>
              <tbody>
                {[...one.history].reverse().map((each) => (
                  <tr key={each.number}>
                    <td class="end">{each.number}</td>
                    <td><Status status={each.error ? "Fail" : "Success"} text={`${t(each.error ? "refused" : "accepted")}${each.status ? ` · ${each.status}` : ""}`} /></td>
                    <td class="nowrap"><Time at={each.at} whole /></td>
                    <td class="end nowrap">{millis(each.took_ms)}</td>
                    <td class="deliveries-answer">{[each.error, each.answer].filter(Boolean).join("\n") || "–"}</td>
                  </tr>
                ))}
              </tbody>
            </table></Scroll>
          )}
        </Card>
        <Card title={t("body")}>
          <p class="muted">{t("body_note")}</p>
          {event ? <Json value={event.body} label={t("body")} /> : events.error ? <ErrorBox error={events.error} /> : events.data ? <p class="muted">{t("no_body")}</p> : <Skeleton lines={4} />}
        </Card>
        <Card title={t("about")}>
          <Facts rows={[
            [t("event"), <Copy text={one.event} />],
            one.task !== "" && [t("task"), <a href={`/tasks/${one.task}`} class="mono">{one.task}</a>],
            [t("seq"), number(one.seq)],
            [t("tries"), number(one.tries)],
            [t("replays"), number(one.replays)],
            [t("made"), <Time at={one.created_at} whole />],
            one.ended_at !== null && [t("ended"), <Time at={one.ended_at} whole />],
          ]} />
        </Card>
      </div>
    </>
  );
}
