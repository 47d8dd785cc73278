// What is known of one activity of a task: how its job went, why, and with which parameters.
import { Scroll } from "../../parts/scroll.tsx";
import { Copy } from "../../parts/copy.tsx";
import { between, number, percent, span, timecode } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Json } from "../../parts/json.tsx";
import { Card, Facts } from "../../parts/page.tsx";
import { Status } from "../../parts/status.tsx";
import { Time } from "../../parts/time.tsx";
import { progress } from "../../live.ts";
import { setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { checkName, foundText } from "../media/findings.tsx";
import { retryJob } from "./deeds.tsx";
import { FaultBox } from "./fault.tsx";
import { kindName } from "./kinds.ts";
import { speedLine } from "./progress.tsx";
import { type Activity, type Job, type TaskDetail, hasEnded } from "./shapes.ts";
import { waitingFor } from "./waiting.ts";

const t = words({
  close: ["Close", "关闭"],
  retry: ["Run this again", "重新运行此活动"],
  state: ["State", "状态"],
  type: ["Type", "类型"],
  template: ["Template", "模板"],
  needs: ["Follows", "前置活动"],
  start: ["Start", "开始"],
  ready: ["Ready", "就绪"],
  began: ["Began", "开始时间"],
  ended: ["Ended", "结束时间"],
  took: ["Took", "耗时"],
  waited: ["Waited for capacity", "等待资源"],
  waits: ["Waits", "等待原因"],
  next: ["Tried again", "下次重试"],
  tries: ["Failed tries", "失败次数"],
  attempt: ["Attempt", "执行记录"],
  attempt_n: ["attempt {n}, with {others}", "第 {n} 次执行，同批：{others}"],
  attempt_alone: ["attempt {n}", "第 {n} 次执行"],
  backend: ["Done on", "执行设备"],
  software: ["CPU", "CPU"],
  speed: ["Speed", "速度"],
  left: ["Left", "剩余"],
  far: ["Done", "已完成"],
  skipped: ["Why it was skipped", "跳过原因"],
  job: ["Job", "作业"],
  dropped: ["Left out", "未生成的内容"],
  warnings: ["Warnings", "警告"],
  parameters: ["Parameters", "参数"],
  result: ["Result", "结果"],
  qc: ["Quality control", "质检结果"],
  check: ["Check", "检查项"],
  found: ["Found", "发现"],
  pass: ["pass", "通过"],
  fail: ["fail", "不通过"],
  warn: ["warning", "警告"],
  stills: ["Stills at", "截图时间"],
  no_job: ["This activity has no job yet.", "此活动尚无作业。"],
});

interface QcResult {
  verdict?: string;
  checks?: { check: string; verdict: string; found: string; total_s?: number }[];
}

export function ActivityPanel({ task, activity, onDone }: { task: TaskDetail; activity: Activity; onDone: () => void }) {
  const job = task.jobs.find((one) => one.activity === activity.id);
  const again = job && isOperator.value && hasEnded(task) && (job.status === "Fail" || job.status === "Canceled");
  return (
    <Card title={activity.id} class="tasks-activity" deeds={
      <>
        {again && <button type="button" class="button small" onClick={() => void retryJob(job.id).then((done) => done && onDone())}><Icon name="refresh" size={15} />{t("retry")}</button>}
        <button type="button" class="icon-button" aria-label={t("close")} onClick={() => setQuery({ activity: null })}><Icon name="cross" size={17} /></button>
      </>
    }>
      {job ? <Told task={task} activity={activity} job={job} /> : <p class="muted">{t("no_job")}</p>}
    </Card>
  );
}

function Told({ task, activity, job }: { task: TaskDetail; activity: Activity; job: Job }) {
  const told = job.status === "Processing" ? (progress.value.get(job.id) ?? job.progress) : null;
  const attempt = task.attempts.find((one) => one.id === job.attempt);
  const others = attempt ? attempt.jobs.filter((id) => id !== job.id).map((id) => task.jobs.find((one) => one.id === id)?.activity).filter(Boolean) : [];
  const waits = waitingFor(task, activity, job);
  const result = job.result ?? {};
  const qc = result.qc as QcResult | undefined;
  const stills = result.stills as { time_s: number }[] | undefined;
  const { backend, fallback_reason, dropped, warnings, qc: _qc, stills: _stills, ...rest } = result;
  return (
    <div class="stack">
      {job.fault && <FaultBox fault={job.fault} />}
      <Facts rows={[
        [t("state"), <Status status={job.status} />],
        [t("type"), kindName(activity.type)],
        activity.template !== null && [t("template"), <a href={`/templates/${activity.template}`}>{activity.template}</a>],
        [t("needs"), activity.needs.length > 0 ? activity.needs.join(", ") : t("start")],
        waits !== null && [t("waits"), waits],
        job.skip_reason !== null && [t("skipped"), job.skip_reason],
        told !== null && [t("far"), percent(told.percent, 1)],
        told !== null && [t("speed"), speedLine({ ...told, task: task.id, job: job.id }) || "–"],
        told !== null && told.eta_s !== null && [t("left"), span(told.eta_s)],
        job.started_at !== null && [t("began"), <Time at={job.started_at} whole />],
        job.ended_at !== null && [t("ended"), <Time at={job.ended_at} whole />],
        job.started_at !== null && [t("took"), span(between(job.started_at, job.ended_at))],
        job.ready_at !== null && job.started_at !== null && [t("waited"), span(between(job.ready_at, job.started_at))],
        job.next_try_at !== null && [t("next"), <Time at={job.next_try_at} />],
        job.tries > 0 && [t("tries"), number(job.tries)],
        attempt !== undefined && [t("attempt"), others.length > 0 ? t("attempt_n", { n: attempt.number, others: others.join(", ") }) : t("attempt_alone", { n: attempt.number })],
        backend !== undefined && [t("backend"), `${backend === "software" ? t("software") : backend}${fallback_reason ? ` (${fallback_reason})` : ""}`],
        stills !== undefined && stills.length > 0 && [t("stills"), stills.slice(0, 12).map((still) => timecode(still.time_s, 1)).join(", ")],
        [t("job"), <Copy text={job.id} />],
      ]} />
      <Lines title={t("warnings")} lines={warnings} />
      <Lines title={t("dropped")} lines={dropped} />
      {qc?.checks && (
        <section>
          <h3>{t("qc")} <span class="muted">{verdict(qc.verdict)}</span></h3>
          <Scroll><table class="tasks-table">
            <thead><tr><th>{t("check")}</th><th>{t("state")}</th><th>{t("found")}</th></tr></thead>
            <tbody>{qc.checks.map((check) => <tr key={check.check}><td>{checkName(check.check)}</td><td><Status status={check.verdict === "pass" ? "Success" : check.verdict === "fail" ? "Fail" : "Waiting"} text={verdict(check.verdict)} /></td><td>{foundText(check.found)}</td></tr>)}</tbody>
          </table></Scroll>
        </section>
      )}
      {Object.keys(rest).length > 0 && <details><summary>{t("result")}</summary><Json value={rest} label={t("result")} /></details>}
      {Object.keys(activity.parameters).length > 0 && <details><summary>{t("parameters")}</summary><Json value={activity.parameters} label={t("parameters")} /></details>}
    </div>
  );
}

const verdict = (word: string | undefined): string => (word === "pass" || word === "fail" || word === "warn" ? t(word) : (word ?? ""));

function Lines({ title, lines }: { title: string; lines: unknown }) {
  if (!Array.isArray(lines) || lines.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul class="tasks-lines">{lines.map((line, at) => <li key={at}>{typeof line === "string" ? line : JSON.stringify(line)}</li>)}</ul>
    </section>
  );
}

