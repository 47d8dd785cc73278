// Whether all is well: one line that is seen from across the room, and beneath it what is not.
import { Icon } from "../../parts/icon.tsx";
import { span } from "../../parts/format.ts";
import { words } from "../../words.ts";
import { AlertBox } from "../alerts/alert.tsx";
import type { DestinationHealth, Storage, System } from "./host.ts";

const t = words({
  state: ["State of the appliance", "系统状态"],
  well: ["All is well", "一切正常"],
  well_busy: ["All is well, {n} running", "一切正常，{n} 个任务运行中"],
  one: ["One thing needs a look", "有 1 项需要关注"],
  some: ["{n} things need a look", "有 {n} 项需要关注"],
  known: ["Known: {n}", "已知悉 {n} 项"],
  up: ["reelmill {version}, up for {span}", "reelmill {version}，已运行 {span}"],
  draining: ["The appliance drains: what runs is finished, nothing new is begun.", "正在排空：现有任务会完成，不再启动新任务。"],
  drain_remedy: ["Let it work again with: reelmill drain off.", "使用 reelmill drain off 恢复。"],
  all_alerts: ["All alerts", "全部告警"],
  storage_bad: ["Storage {name}: {why}", "存储 {name}：{why}"],
  destination_bad: ["{name} takes no callbacks: {why}", "{name} 不接收回调：{why}"],
  see: ["Look", "查看"],
});

interface Line {
  key: string;
  text: string;
  remedy?: string;
  href?: string;
  bad: boolean;
}

export function Verdict({ system, storages, destinations, onDone }: { system: System; storages: Storage[]; destinations: DestinationHealth[]; onDone: () => void }) {
  const alerts = system.alerts;
  const fresh = alerts.filter((alert) => !alert.acknowledged_by);
  const about = new Set(alerts.map((alert) => `${alert.code.startsWith("Storage") ? "storage" : "other"}:${alert.subject}`));
  const lines: Line[] = [];
  if (system.draining) lines.push({ key: "drain", text: t("draining"), remedy: t("drain_remedy"), bad: false });
  // An alert comes after some seconds; what is seen before is told here.
  for (const storage of storages) {
    const bad = storage.status === "unavailable" || storage.status === "frozen";
    if (bad && !about.has(`storage:${storage.name}`)) lines.push({ key: `s-${storage.name}`, text: t("storage_bad", { name: storage.name, why: storage.why ?? storage.status }), href: `/storages/${encodeURIComponent(storage.name)}`, bad: true });
  }
  for (const destination of destinations) {
    if (destination.status === "ok" || about.has(`other:${destination.id}`)) continue;
    lines.push({ key: `d-${destination.id}`, text: t("destination_bad", { name: destination.id, why: destination.fault ?? destination.health.last_error ?? destination.status }), href: `/destinations/${encodeURIComponent(destination.id)}`, bad: destination.status === "broken" });
  }
  const count = fresh.length + lines.length;
  const bad = fresh.some((alert) => alert.severity === "critical") || lines.some((line) => line.bad);
  const running = system.queue.tasks.Processing ?? 0;
  const known = alerts.length - fresh.length;
  return (
    <section class={`overview-verdict tone-${count === 0 ? "good" : bad ? "bad" : "wait"}`} aria-label={t("state")}>
      <div class="overview-verdict-line" role="status">
        <span class="overview-verdict-mark"><Icon name={count === 0 ? "check" : "warn"} size={22} /></span>
        <p><b>{count === 0 ? (running > 0 ? t("well_busy", { n: running }) : t("well")) : count === 1 ? t("one") : t("some", { n: count })}</b>
          <span class="muted">{t("up", { version: system.version, span: span(system.uptime_s) })}{known > 0 && <> · <a href="/alerts">{t("known", { n: known })}</a></>}</span></p>
        {count > 0 && <a class="button small" href="/alerts">{t("all_alerts")}</a>}
      </div>
      {count > 0 && (
        <div class="alerts-list">
          {fresh.slice(0, 4).map((alert) => <AlertBox key={alert.id} alert={alert} onDone={onDone} />)}
          {lines.map((line) => (
            <div key={line.key} class={`alerts-one tone-${line.bad ? "bad" : "wait"}`}>
              <Icon name="warn" />
              <div class="alerts-text"><p>{line.text}</p>{line.remedy && <p class="alerts-remedy">{line.remedy}</p>}</div>
              {line.href && <div class="alerts-deeds"><a class="button small" href={line.href}>{t("see")}</a></div>}
            </div>
          ))}
        </div>
      )}
    </section>
  );
}
