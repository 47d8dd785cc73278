// What was told of a task: its events, and their deliveries with sending again.
import { Humps } from "../../parts/humps.tsx";
import { Scroll } from "../../parts/scroll.tsx";
import { post } from "../../api.ts";
import { Icon } from "../../parts/icon.tsx";
import { Json } from "../../parts/json.tsx";
import { Status } from "../../parts/status.tsx";
import { Time } from "../../parts/time.tsx";
import { attempt } from "../../parts/toast.tsx";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import type { Delivery, TaskDetail } from "./shapes.ts";

const t = words({
  no_events: ["No events yet", "还没有事件"],
  no_events_hint: ["Each change of the task is told here as it commits.", "任务的每次变化提交后会显示在这里。"],
  no_deliveries: ["Nothing was sent", "没有发送任何回调"],
  no_deliveries_hint: ["This workflow tells nobody. Set a callback on it, or a unified destination in the configuration.", "该工作流未设置回调。请为其设置回调，或在配置中指定统一回调目标。"],
  to_destinations: ["To the destinations", "前往回调目标"],
  event: ["Event", "事件"],
  destination: ["Destination", "目标"],
  state: ["State", "状态"],
  tries: ["Tries", "次数"],
  answer: ["Answer", "应答"],
  made: ["Made", "创建"],
  delivered: ["delivered", "已送达"],
  replay: ["Send again", "重新发送"],
  replay_dead: ["Send all again that were given up", "重发全部已放弃的回调"],
  replayed: ["It is sent again", "已重新排队发送"],
  shown: ["The newest 100 are shown.", "仅显示最新 100 条。"],
  all: ["See all", "查看全部"],
});

export function Events({ task }: { task: TaskDetail }) {
  if (task.events.length === 0) return <div class="empty"><h2>{t("no_events")}</h2><p>{t("no_events_hint")}</p></div>;
  return (
    <>
      <ul class="tasks-events card">
        {task.events.map((event) => (
          <li key={event.id}>
            <details>
              <summary><b><Humps name={event.type} /></b><span class="muted">{task.jobs.find((job) => job.id === event.job)?.activity}</span><Time at={event.created_at} /></summary>
              <Json value={event.body} label={event.type} />
            </details>
          </li>
        ))}
      </ul>
      {task.events.length >= 100 && <p class="muted">{t("shown")} <a href={`/events?task=${task.id}`}>{t("all")}</a></p>}
    </>
  );
}

export const deliveryState = (delivery: Delivery) => <Status status={delivery.status} text={delivery.status === "done" ? t("delivered") : undefined} />;

export function Deliveries({ task, onDone }: { task: TaskDetail; onDone: () => void }) {
  if (task.deliveries.length === 0) {
    return <div class="empty"><h2>{t("no_deliveries")}</h2><p>{t("no_deliveries_hint")}</p><a class="button" href="/destinations">{t("to_destinations")}</a></div>;
  }
  const again = async (path: string, json: unknown = {}) => {
    await attempt(() => post(path, json), t("replayed"));
    onDone();
  };
  const dead = task.deliveries.some((delivery) => delivery.status === "dead");
  return (
    <>
      {dead && isOperator.value && <p class="row tasks-above"><button type="button" class="button small" onClick={() => void again("deliveries/replay", { task: task.id, status: "dead" })}><Icon name="send" size={15} />{t("replay_dead")}</button></p>}
      <Scroll class="card"><table class="tasks-table">
        <thead><tr><th>{t("state")}</th><th>{t("event")}</th><th>{t("destination")}</th><th class="end">{t("tries")}</th><th>{t("answer")}</th><th>{t("made")}</th><th><span class="visually-hidden">{t("replay")}</span></th></tr></thead>
        <tbody>
          {task.deliveries.map((delivery) => (
            <tr key={delivery.id}>
              <td>{deliveryState(delivery)}</td>
              <td><a href={`/deliveries/${delivery.id}`}>{delivery.event_type}</a></td>
              <td class="nowrap">{delivery.destination}</td>
              <td class="end">{delivery.tries}</td>
              <td class="tasks-answer" title={delivery.last_error ?? undefined}>{delivery.last_error ?? delivery.last_status ?? "–"}</td>
              <td class="nowrap"><Time at={delivery.created_at} /></td>
              <td class="end">{isOperator.value && delivery.status !== "pending" && <button type="button" class="button small" aria-label={`${t("replay")}: ${delivery.event_type}`} onClick={() => void again(`deliveries/${delivery.id}/replay`)}>{t("replay")}</button>}</td>
            </tr>
          ))}
        </tbody>
      </table></Scroll>
      {task.deliveries.length >= 100 && <p class="muted">{t("shown")} <a href={`/deliveries?task=${task.id}`}>{t("all")}</a></p>}
    </>
  );
}
