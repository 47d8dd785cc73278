// One alert: what is wrong, what to do, and saying that one knows.
import { post } from "../../api.ts";
import { Icon } from "../../parts/icon.tsx";
import { Badge, Status } from "../../parts/status.tsx";
import { Time } from "../../parts/time.tsx";
import { attempt } from "../../parts/toast.tsx";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";

const t = words({
  StorageFrozen: ["Storage {subject} is frozen", "存储 {subject} 已冻结"],
  StorageUnreachable: ["Storage {subject} does not answer", "存储 {subject} 无响应"],
  ArrivalsBlocked: ["Files wait in {subject}", "{subject} 中有文件等待处理"],
  DeviceDrained: ["Device {subject} gets no work", "设备 {subject} 已停用"],
  DiskLow: ["Little room left: {subject}", "空间不足：{subject}"],
  DeliveriesDead: ["Callbacks to {subject} were given up", "发往 {subject} 的回调已放弃"],
  BackupFailed: ["The backup of the database failed", "数据库备份失败"],
  other: ["{code}: {subject}", "{code}：{subject}"],
  acknowledge: ["Acknowledge", "确认知悉"],
  acknowledged: ["Noted. It stays open until its cause is gone.", "已确认。原因消除后告警才会关闭。"],
  known_by: ["{name} knows", "{name} 已知悉"],
  over: ["over", "恢复于"],
  go: ["Look", "查看"],
});

export interface Alert {
  id: string;
  created_at: string;
  status: string;
  code: string;
  subject: string;
  severity: string;
  cause: string;
  remedy: string;
  seen_at: string;
  cleared_at: string | null;
  acknowledged_by: string | null;
}

const TITLES = ["ArrivalsBlocked", "StorageFrozen", "StorageUnreachable", "DeviceDrained", "DiskLow", "DeliveriesDead", "BackupFailed"] as const;

export function alertTitle(alert: Alert): string {
  const known = TITLES.find((code) => code === alert.code);
  return t(known ?? "other", { code: alert.code, subject: alert.subject });
}

function place(alert: Alert): string | null {
  if (alert.code.startsWith("Storage") || alert.code === "ArrivalsBlocked") return `/storages/${encodeURIComponent(alert.subject)}`;
  if (alert.code === "DeliveriesDead") return `/deliveries?status=dead&destination=${encodeURIComponent(alert.subject)}`;
  return null;
}

export function AlertBox({ alert, onDone }: { alert: Alert; onDone: () => void }) {
  const open = alert.status === "open";
  const to = place(alert);
  const acknowledge = async () => {
    await attempt(() => post(`alerts/${alert.id}/acknowledge`), t("acknowledged"));
    onDone();
  };
  return (
    <article class={`alerts-one tone-${!open ? "idle" : alert.severity === "critical" ? "bad" : "wait"}`} aria-label={alertTitle(alert)}>
      <Icon name={open ? "warn" : "check"} />
      <div class="alerts-text">
        <p class="alerts-title"><b>{alertTitle(alert)}</b>{open ? <Status status={alert.severity} /> : <Status status="cleared" />}<span class="muted"><Time at={alert.created_at} />{alert.cleared_at && <> – {t("over")} <Time at={alert.cleared_at} /></>}</span></p>
        <p>{alert.cause}</p>
        {open && alert.remedy && <p class="alerts-remedy">{alert.remedy}</p>}
      </div>
      <div class="alerts-deeds">
        {alert.acknowledged_by && <Badge>{t("known_by", { name: alert.acknowledged_by })}</Badge>}
        {to && open && <a class="button small" href={to}>{t("go")}</a>}
        {open && !alert.acknowledged_by && isOperator.value && <button type="button" class="button small" onClick={() => void acknowledge()}>{t("acknowledge")}</button>}
      </div>
    </article>
  );
}
