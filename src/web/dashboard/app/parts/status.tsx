// The status of a task, job, delivery, storage ...: a word with a colour and a mark, so that colour is never alone.
import { words } from "../words.ts";

const t = words({
  Init: ["queued", "排队中"],
  Waiting: ["waiting", "等待中"],
  Processing: ["running", "运行中"],
  Succeed: ["succeeded", "成功"],
  Success: ["succeeded", "成功"],
  Failed: ["failed", "失败"],
  Fail: ["failed", "失败"],
  Skipped: ["skipped", "已跳过"],
  Canceled: ["cancelled", "已取消"],
  pending: ["pending", "待发送"],
  delivered: ["delivered", "已送达"],
  dead: ["given up", "已放弃"],
  discarded: ["discarded", "已丢弃"],
  Active: ["enabled", "已启用"],
  Inactive: ["disabled", "已停用"],
  enabled: ["enabled", "已启用"],
  disabled: ["disabled", "已停用"],
  ok: ["well", "正常"],
  frozen: ["frozen", "已冻结"],
  unavailable: ["not reachable", "不可用"],
  open: ["open", "未恢复"],
  acknowledged: ["seen", "已确认"],
  Normal: ["approved", "通过"],
  Blocked: ["blocked", "屏蔽"],
  done: ["done", "完成"],
  failed: ["failed", "失败"],
  crashed: ["crashed", "崩溃"],
  stopped: ["stopped", "已停止"],
  lost: ["lost", "已丢失"],
  running: ["running", "运行中"],
  publishing: ["publishing", "发布中"],
  published: ["published", "已发布"],
  ended: ["ended", "已结束"],
  failing: ["failing", "异常"],
  broken: ["unusable", "不可用"],
  available: ["well", "正常"],
  scanning: ["first scan", "首次扫描"],
  waiting: ["waiting", "等待中"],
  cleared: ["over", "已恢复"],
  warning: ["warning", "警告"],
  critical: ["critical", "严重"],
});

const TONES: Record<string, string> = {
  Init: "idle", Waiting: "wait", Processing: "run", Succeed: "good", Success: "good", Failed: "bad", Fail: "bad", Skipped: "idle", Canceled: "idle",
  pending: "wait", delivered: "good", dead: "bad", discarded: "idle", Active: "good", Inactive: "idle", enabled: "good", disabled: "idle",
  ok: "good", frozen: "wait", unavailable: "bad", open: "wait", acknowledged: "idle", Normal: "good", Blocked: "bad",
  done: "good", failed: "bad", crashed: "bad", stopped: "idle", lost: "bad", running: "run", publishing: "run", published: "good", ended: "idle",
  failing: "bad", broken: "bad", available: "good", scanning: "run", waiting: "wait", cleared: "good", warning: "wait", critical: "bad",
};

export const statusName = (status: string): string => (status in TONES ? t(status as Parameters<typeof t>[0]) : status);
export const statusTone = (status: string): string => TONES[status] ?? "idle";

export function Status({ status, text }: { status: string; text?: string }) {
  return <span class={`status tone-${statusTone(status)}`}><i aria-hidden="true" />{text ?? statusName(status)}</span>;
}

/// A label of one's own tone: good, bad, wait, run, idle.
export function Badge({ tone = "idle", children }: { tone?: string; children: preact.ComponentChildren }) {
  return <span class={`badge tone-${tone}`}>{children}</span>;
}
