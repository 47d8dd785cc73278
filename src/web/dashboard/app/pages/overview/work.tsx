// What runs, what waits, and what came of the last tasks.
import { Bar } from "../../parts/bar.tsx";
import { between, number, percent, span } from "../../parts/format.ts";
import { Card } from "../../parts/page.tsx";
import { Status } from "../../parts/status.tsx";
import { Time } from "../../parts/time.tsx";
import { words } from "../../words.ts";
import { progressOf, speedLine } from "../tasks/progress.tsx";
import { type Task, objectName } from "../tasks/shapes.ts";

const t = words({
  running: ["Running", "运行中"],
  none: ["Nothing runs.", "当前没有任务运行。"],
  none_hint: ["Drop a film into a watched storage, upload one, or start a task.", "将影片放入受监控的存储、上传影片，或手动启动任务。"],
  all: ["All", "全部"],
  how_far: ["How far {name} is", "{name} 的进度"],
  left: ["{span} left", "剩余 {span}"],
  since: ["in progress for {span}", "已进行 {span}"],
  queue: ["Queue", "队列"],
  queue_none: ["Nothing waits.", "队列为空。"],
  more: ["and {n} more", "另有 {n} 个"],
  results: ["Last results", "最近结果"],
  results_none: ["No task has ended yet.", "还没有任务完成。"],
  waits: ["since {span}", "已等 {span}"],
  upload: ["Upload", "上传"],
});

export function Running({ tasks, count }: { tasks: Task[]; count: number }) {
  return (
    <Card title={`${t("running")} ${number(count)}`} class="overview-running" deeds={<a href="/tasks?status=Processing">{t("all")}</a>}>
      {tasks.length === 0 ? <div class="overview-nothing"><p>{t("none")}</p><p class="muted">{t("none_hint")}</p><a class="button small" href="/uploads">{t("upload")}</a></div> : (
        <ul class="overview-rows">
          {tasks.map((task) => <RunningTask key={task.id} task={task} />)}
          {count > tasks.length && <li class="muted">{t("more", { n: number(count - tasks.length) })}</li>}
        </ul>
      )}
    </Card>
  );
}

function RunningTask({ task }: { task: Task }) {
  const told = progressOf(task.id);
  const { name, storage } = objectName(task.media.object);
  return (
    <li>
      <a class="overview-task" href={`/tasks/${task.id}`}>
        <span class="overview-task-name" title={task.media.object}><b>{name}</b><span class="muted">{task.workflow.name} · {storage}</span></span>
        <b class="overview-percent">{told ? percent(told.percent) : ""}</b>
        {told ? <Bar percent={told.percent} label={t("how_far", { name })} /> : <span class="overview-nobar" />}
        <span class="overview-figures muted">{told ? [speedLine(told), told.eta_s !== null && t("left", { span: span(told.eta_s) }), told.device].filter(Boolean).join(" · ") : t("since", { span: span(between(task.started_at ?? task.created_at)) })}</span>
      </a>
    </li>
  );
}

export function Queue({ tasks, count }: { tasks: Task[]; count: number }) {
  return (
    <Card title={`${t("queue")} ${number(count)}`} deeds={<a href="/tasks?status=Init">{t("all")}</a>}>
      {tasks.length === 0 ? <p class="muted">{t("queue_none")}</p> : (
        <ul class="overview-rows">
          {tasks.map((task) => <li key={task.id}><a class="overview-line" href={`/tasks/${task.id}`}><span><b>{objectName(task.media.object).name}</b> <span class="muted">{task.workflow.name}</span></span><span class="muted nowrap">{t("waits", { span: span(between(task.created_at)) })}</span></a></li>)}
          {count > tasks.length && <li class="muted">{t("more", { n: number(count - tasks.length) })}</li>}
        </ul>
      )}
    </Card>
  );
}

export function Results({ tasks }: { tasks: Task[] }) {
  return (
    <Card title={t("results")} deeds={<a href="/tasks">{t("all")}</a>}>
      {tasks.length === 0 ? <p class="muted">{t("results_none")}</p> : (
        <ul class="overview-rows">
          {tasks.map((task) => (
            <li key={task.id}><a class="overview-line" href={`/tasks/${task.id}`}>
              <span class="overview-result"><Status status={task.status} /><b title={task.media.object}>{objectName(task.media.object).name}</b><span class="muted">{task.workflow.name}</span></span>
              <span class="muted nowrap"><Time at={task.ended_at} /></span>
            </a></li>
          ))}
        </ul>
      )}
    </Card>
  );
}
