// The attempts of a task: which activities each carried out together, what it cost, and what it logged.
import { useState } from "preact/hooks";
import { Refused } from "../../api.ts";
import { between, number, size, span } from "../../parts/format.ts";
import { Card } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Badge, Status } from "../../parts/status.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Time } from "../../parts/time.tsx";
import { CopyButton } from "../../parts/copy.tsx";
import { useResource } from "../../resource.ts";
import { words } from "../../words.ts";
import { FaultBox } from "./fault.tsx";
import type { Attempt, TaskDetail } from "./shapes.ts";

const t = words({
  none: ["No attempt yet", "尚未执行"],
  none_hint: ["An attempt is one worker process; it begins as soon as there is capacity.", "每次执行是一个工作进程，资源可用时即开始。"],
  title: ["Attempt {n}", "第 {n} 次执行"],
  fused: ["{n} activities in one pass: the source is read and decoded once for all of them.", "{n} 个活动合并为一次：源文件只读取、解码一次。"],
  alone: ["One activity.", "单个活动。"],
  began: ["Began", "开始"],
  wall: ["Took", "耗时"],
  cpu: ["Processor time", "CPU 时间"],
  cores: ["{n} cores", "{n} 核"],
  read: ["Read", "读取"],
  memory: ["Peak memory", "内存峰值"],
  threads: ["Threads", "线程"],
  device: ["Device", "设备"],
  log: ["Log", "日志"],
  no_log: ["This attempt logged nothing.", "本次执行没有日志。"],
  log_gone: ["No log is kept of this attempt.", "本次执行的日志未保留。"],
  log_later: ["The log is there when the attempt has ended.", "执行结束后可查看日志。"],
  copy: ["Copy the log", "复制日志"],
});

export function Attempts({ task }: { task: TaskDetail }) {
  if (task.attempts.length === 0) return <div class="empty"><h2>{t("none")}</h2><p>{t("none_hint")}</p></div>;
  return <div class="stack">{[...task.attempts].reverse().map((attempt) => <OneAttempt key={attempt.id} task={task} attempt={attempt} />)}</div>;
}

function OneAttempt({ task, attempt }: { task: TaskDetail; attempt: Attempt }) {
  const names = attempt.jobs.map((id) => task.jobs.find((job) => job.id === id)?.activity).filter((name): name is string => name !== undefined);
  const { wall_ms, cpu_ms, read_bytes, peak_memory_bytes } = attempt.cost ?? {};
  const figures: [string, string][] = [
    [t("wall"), span(wall_ms !== undefined ? wall_ms / 1000 : between(attempt.created_at, attempt.ended_at))],
  ];
  if (cpu_ms !== undefined) figures.push([t("cpu"), `${span(cpu_ms / 1000)}${wall_ms ? ` · ${t("cores", { n: number(cpu_ms / wall_ms, 1) })}` : ""}`]);
  if (read_bytes !== undefined) figures.push([t("read"), size(read_bytes)]);
  if (peak_memory_bytes !== undefined) figures.push([t("memory"), size(peak_memory_bytes)]);
  figures.push([t("threads"), number(attempt.threads)]);
  if (attempt.device !== null) figures.push([t("device"), attempt.device]);
  return (
    <Card>
      <div class="tasks-attempt-head">
        <h3><span class={`tasks-node-attempt series-${((attempt.number - 1) % 6) + 1}`}>#{attempt.number}</span> {t("title", { n: attempt.number })}</h3>
        <Status status={attempt.status === "ended" ? (attempt.outcome ?? "ended") : attempt.status} />
        <span class="muted"><Time at={attempt.created_at} /></span>
      </div>
      <p class="row">{names.map((name) => <Badge key={name}>{name}</Badge>)}</p>
      <p class="muted tasks-attempt-note">{names.length > 1 ? t("fused", { n: names.length }) : t("alone")}</p>
      {attempt.fault && <FaultBox fault={attempt.fault} />}
      <dl class="tasks-figures">{figures.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      <Log attempt={attempt} />
    </Card>
  );
}

/// Lines as `  1.204 WARN …`: seconds since the attempt began, then the level.
const LEVEL = /\b(ERROR|WARN)\b/;

function Log({ attempt }: { attempt: Attempt }) {
  const ended = attempt.status === "ended";
  const [open, setOpen] = useState(attempt.outcome !== null && attempt.outcome !== "done");
  const log = useResource<{ text: string | null }>(open && ended ? `attempts/${attempt.id}/log` : null);
  const gone = log.error instanceof Refused && log.error.problem.status === 404;
  const text = log.data?.text ?? "";
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("log")}</summary>
      {!ended ? <p class="muted">{t("log_later")}</p> : gone ? <p class="muted">{t("log_gone")}</p> : log.error ? <ErrorBox error={log.error} retry={log.refresh} /> : !log.data ? open && <Skeleton lines={3} /> : text === "" ? <p class="muted">{t("no_log")}</p> : (
        <div class="json">
          <CopyButton label={t("copy")} text={text} />
          <pre class="tasks-log" tabIndex={0} aria-label={t("log")}>{text.trimEnd().split("\n").map((line, at) => <span key={at} class={`tasks-log-${LEVEL.exec(line)?.[1]?.toLowerCase() ?? "plain"}`}>{line}{"\n"}</span>)}</pre>
        </div>
      )}
    </details>
  );
}
