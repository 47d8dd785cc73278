// One task: what it is, its graph, why it failed, what it made, what was told of it.
import type { ComponentChildren } from "preact";
import { Bar } from "../../parts/bar.tsx";
import { Copy } from "../../parts/copy.tsx";
import { between, number, percent, size, span } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Json } from "../../parts/json.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Time } from "../../parts/time.tsx";
import { useResource } from "../../resource.ts";
import { go, query } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { MemberTable } from "../media/members.tsx";
import { useSettled } from "../storages/settled.ts";
import { ActivityPanel } from "./activity.tsx";
import { Attempts } from "./attempts.tsx";
import { cancelTask, forgetTask, retryTask } from "./deeds.tsx";
import { Faults } from "./fault.tsx";
import { Graph } from "./graph.tsx";
import { TaskState } from "./list.tsx";
import { Outputs } from "./outputs.tsx";
import { PriorityMenu } from "./priority.tsx";
import { placeOf, progressOf, speedLine } from "./progress.tsx";
import { startTask } from "./start.tsx";
import { Deliveries, Events } from "./told.tsx";
import { waitingFor } from "./waiting.ts";
import { type TaskDetail, canRetry, hasEnded, objectName } from "./shapes.ts";

const t = words({
  tasks: ["Tasks", "任务"],
  retry: ["Run again what failed", "重新运行失败部分"],
  cancel: ["Cancel", "取消任务"],
  anew: ["Run as a new task", "作为新任务运行"],
  forget: ["Remove", "移除"],
  activities: ["Activities", "活动"],
  pick: ["Choose an activity to see how it went.", "点击活动查看详情。"],
  outputs: ["Outputs", "输出"],
  attempts: ["Attempts and logs", "执行与日志"],
  events: ["Events", "事件"],
  deliveries: ["Deliveries", "回调"],
  about: ["About", "详情"],
  views: ["What is known of the task", "任务信息"],
  workflow: ["Workflow", "工作流"],
  version: ["{name}, version {n}", "{name}，版本 {n}"],
  media: ["Media", "媒资"],
  source: ["Source", "源文件"],
  size: ["Size", "大小"],
  trigger: ["Started", "触发方式"],
  Workflow: ["by a file that arrived", "文件到达触发"],
  Console: ["by hand", "手动"],
  API: ["through the API", "通过 API"],
  made: ["Made", "创建时间"],
  began: ["Began", "开始时间"],
  ended: ["Ended", "结束时间"],
  took: ["Took", "耗时"],
  waited: ["Waited in the queue", "排队时长"],
  priority: ["Priority", "优先级"],
  runs: ["Runs", "运行次数"],
  id: ["Task", "任务 ID"],
  user_data: ["User data", "用户数据"],
  overrides: ["Wanted otherwise than the workflow says", "与工作流不同的设定"],
  parts: ["Files of the source", "源文件组成"],
  settled: ["File settled", "文件稳定时间"],
  why: ["Why it was triggered", "触发详情"],
  waits: ["{activity} waits {why}.", "{activity}：{why}。"],
  review: ["To the review", "前往审核"],
  running: ["{n} running", "{n} 个运行中"],
  left: ["{span} left", "剩余 {span}"],
  how_far: ["How far the task is", "任务进度"],
});

export function TaskPage({ id }: { id: string }) {
  const found = useResource<TaskDetail>(`tasks/${id}`, undefined, { every: 3000, on: (event) => event.task === id });
  const task = found.data;
  if (!task) {
    return (
      <>
        <PageHead title={id} crumbs={[{ text: t("tasks"), href: "/tasks" }]} />
        {found.error ? <ErrorBox error={found.error} retry={found.refresh} /> : <Skeleton lines={8} />}
      </>
    );
  }
  const chosen = task.activities.find((activity) => activity.id === query.value.get("activity"));
  const { name, storage, folder } = objectName(task.media.object);
  const done = (ok: boolean) => ok && found.refresh();
  return (
    <>
      <PageHead title={name} crumbs={[{ text: t("tasks"), href: "/tasks" }]} note={
        <span class="tasks-note"><TaskState task={task} /><a href={`/workflows/${task.workflow.id}`}><Icon name="flow" size={15} /> {task.workflow.name}</a><a href={`/media/${task.media.id}`}><Icon name="film" size={15} /> {storage}:{folder}</a><Time at={task.created_at} /></span>
      }>
        {isOperator.value && (
          <>
            {canRetry(task) && <button type="button" class="button primary" onClick={() => void retryTask(task).then(done)}><Icon name="refresh" size={16} />{t("retry")}</button>}
            {hasEnded(task) && <button type="button" class="button" onClick={() => void startTask({ workflow: task.workflow.name, storage, key: folder + name })}><Icon name="play" size={16} />{t("anew")}</button>}
            {!hasEnded(task) && <PriorityMenu task={task} onDone={found.refresh} />}
            {!hasEnded(task) && <button type="button" class="button danger" disabled={task.intent === "cancel"} onClick={() => void cancelTask(task).then(done)}><Icon name="stop" size={16} />{t("cancel")}</button>}
            {hasEnded(task) && <button type="button" class="button danger" onClick={() => void forgetTask(task).then((ok) => ok && go("/tasks"))}><Icon name="trash" size={16} />{t("forget")}</button>}
          </>
        )}
      </PageHead>
      <div class="stack">
        <Running task={task} />
        <Waits task={task} />
        {!hasEnded(task) || task.status === "Failed" ? <Faults jobs={task.jobs} /> : null}
        {task.activities.length > 0 && (
          <Card title={t("activities")} deeds={chosen ? undefined : <span class="muted">{t("pick")}</span>}>
            <Graph task={task} />
          </Card>
        )}
        {chosen && <ActivityPanel key={chosen.id} task={task} activity={chosen} onDone={found.refresh} />}
        <Tabs label={t("views")} tabs={[
          { key: "outputs", title: counted(t("outputs"), task.outputs.length), body: () => <Outputs task={task} /> },
          { key: "attempts", title: counted(t("attempts"), task.attempts.length), body: () => <Attempts task={task} /> },
          { key: "events", title: counted(t("events"), task.events.length), body: () => <Events task={task} /> },
          { key: "deliveries", title: counted(t("deliveries"), task.deliveries.length), body: () => <Deliveries task={task} onDone={found.refresh} /> },
          { key: "about", title: t("about"), body: () => <About task={task} /> },
        ]} />
      </div>
    </>
  );
}

const counted = (name: string, count: number): string => (count > 0 ? `${name} ${number(count)}` : name);

function Running({ task }: { task: TaskDetail }) {
  if (task.status !== "Processing") return null;
  const told = progressOf(task.id);
  const running = task.jobs.filter((job) => job.status === "Processing");
  if (running.length === 0) return null;
  const kept = running.find((job) => job.progress)?.progress;
  const now = told ?? (kept ? { ...kept, task: task.id, job: "" } : null);
  return (
    <Card>
      <div class="tasks-running">
        <b>{percent(now?.percent ?? 0)}</b>
        <Bar percent={now?.percent ?? 0} label={t("how_far")} />
        <span class="muted">{[t("running", { n: running.length }), now && speedLine(now), now && placeOf(now), now && now.eta_s !== null && t("left", { span: span(now.eta_s) })].filter(Boolean).join(" · ")}</span>
      </div>
    </Card>
  );
}

/// What keeps a task that could go on: jobs that wait for those before them are seen in the graph.
function Waits({ task }: { task: TaskDetail }) {
  const told = task.activities.flatMap((activity) => {
    const job = task.jobs.find((one) => one.activity === activity.id);
    const why = job?.status === "Waiting" || job?.ready_at || job?.waits || job?.next_try_at ? waitingFor(task, activity, job) : null;
    return why ? [{ id: activity.id, why, whole: why === job?.waits, review: job?.status === "Waiting" ? task.reviews.find((one) => one.activity === activity.id && one.status === "waiting") : undefined }] : [];
  });
  if (hasEnded(task) || told.length === 0) return null;
  return (
    <ul class="card tasks-waits">
      {told.map(({ id, why, whole, review }) => <li key={id}><Icon name={review ? "eye" : "clock"} size={17} /><span>{whole ? `${id}: ${why}` : t("waits", { activity: id, why })} {review && <a class="button small" href={`/reviews/${review.id}`}>{t("review")}</a>}</span></li>)}
    </ul>
  );
}

function asJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : text;
  } catch {
    return text;
  }
}

function About({ task }: { task: TaskDetail }) {
  const userData: unknown = task.user_data === null ? null : asJson(task.user_data);
  // The ledger tells of the content that is there now: what settled after the task was made is another one.
  const settled = useSettled(task.trigger === "Workflow" ? task.media.object : null);
  const wishes = task.overrides && Object.values(task.overrides).some((value) => value !== null && !(typeof value === "object" && Object.keys(value).length === 0)) ? task.overrides : null;
  return (
    <div class="stack">
      <Card>
        <Facts rows={[
          [t("source"), <Copy text={task.media.object} />],
          [t("size"), size(task.media.size_bytes)],
          [t("media"), <a href={`/media/${task.media.id}`} class="mono">{task.media.id}</a>],
          [t("workflow"), <a href={`/workflows/${task.workflow.id}`}>{t("version", { name: task.workflow.name, n: task.workflow.version })}</a>],
          [t("trigger"), t(task.trigger === "Console" || task.trigger === "API" ? task.trigger : "Workflow")],
          [t("priority"), number(task.priority)],
          [t("runs"), number(task.runs)],
          settled !== null && settled.at <= task.created_at && [t("settled"), <a href={settled.href} title={t("why")}><Time at={settled.at} whole /></a>],
          [t("made"), <Time at={task.created_at} whole />],
          task.started_at !== null && [t("began"), <Time at={task.started_at} whole />],
          task.started_at !== null && [t("waited"), span(between(task.created_at, task.started_at))],
          task.ended_at !== null && [t("ended"), <Time at={task.ended_at} whole />],
          task.started_at !== null && [t("took"), span(between(task.started_at, task.ended_at))],
          [t("id"), <Copy text={task.id} />],
        ]} />
      </Card>
      {userData !== null && <Named title={t("user_data")}>{typeof userData === "string" ? <p class="mono">{userData}</p> : <Json value={userData} />}</Named>}
      {wishes && <Named title={t("overrides")}><Json value={wishes} /></Named>}
      {task.parts && (
        <Named title={t("parts")}><MemberTable members={task.parts} /></Named>
      )}
    </div>
  );
}

const Named = ({ title, children }: { title: string; children: ComponentChildren }) => <Card title={title}>{children}</Card>;
