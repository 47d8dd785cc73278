// The list of tasks.
import { useState } from "preact/hooks";
import type { Page, Query } from "../../api.ts";
import { Badge, Status, statusName } from "../../parts/status.tsx";
import { FilterChoice, FilterText, FilterTime, Filters, TIME_NAMES, askedTimes } from "../../parts/filters.tsx";
import { between, number, span, when } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Menu } from "../../parts/menu.tsx";
import { PageHead } from "../../parts/page.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { usePaged, useResource } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { type Deed, doFound, doMarked } from "./deeds.tsx";
import { TaskBar, TaskProgress, placeOf, progressOf } from "./progress.tsx";
import { startTask } from "./start.tsx";
import { TASK_STATES, type Task, objectName } from "./shapes.ts";

const t = words({
  title: ["Tasks", "任务"],
  note: ["One run of one workflow over one media.", "一个工作流对一个媒资的一次运行。"],
  search: ["Search in object and user data", "搜索对象或用户数据"],
  all: ["All", "全部"],
  state: ["State", "状态"],
  workflow: ["Workflow", "工作流"],
  any_workflow: ["Any workflow", "全部工作流"],
  storage: ["Storage", "存储"],
  any_storage: ["Any storage", "全部存储"],
  source: ["Source", "源文件"],
  progress: ["Progress", "进度"],
  made: ["Made", "创建时间"],
  priority: ["Priority {n}", "优先级 {n}"],
  took: ["took {span}", "耗时 {span}"],
  waits: ["waits since {span}", "已等待 {span}"],
  cancelling: ["cancelling", "取消中"],
  retrying: ["retrying", "重试中"],
  run: ["run {n}", "第 {n} 次运行"],
  media: ["Only of one media", "仅限一个媒资"],
  start: ["Start a task", "启动任务"],
  found_deeds: ["All found tasks", "批量操作"],
  retry_found: ["Run again what failed or was cancelled", "重新运行失败或已取消的"],
  cancel_found: ["Cancel what has not ended", "取消未结束的"],
  forget_found: ["Remove what has ended", "移除已结束的"],
  marked: ["{n} marked", "已选 {n} 个"],
  retry: ["Run again", "重新运行"],
  cancel: ["Cancel", "取消"],
  forget: ["Remove", "移除"],
  unmark: ["Unmark", "取消选择"],
  empty: ["No tasks yet", "还没有任务"],
  empty_hint: ["Enable a workflow and drop a film into its storage, or start one by hand.", "启用一个工作流并将影片放入其存储，或手动启动任务。"],
  to_workflows: ["To the workflows", "前往工作流"],
  nothing: ["No task is like this", "没有符合条件的任务"],
  nothing_hint: ["Take a filter away to see more.", "请减少筛选条件。"],
  Console: ["by hand", "手动"],
  API: ["API", "API"],
  text_is: ["object or user data contain “{text}”", "对象或用户数据包含“{text}”"],
  since_is: ["made {time} or later", "创建于 {time} 之后"],
  where: ["Device", "设备"],
  until_is: ["made before {time}", "创建于 {time} 之前"],
});

const FILTERS = ["status", "workflow", "storage", "media", "text", ...TIME_NAMES] as const;

export function filtersOfQuery(): Query {
  const one = (name: string) => query.value.get(name) ?? undefined;
  return { status: one("status"), workflow: one("workflow"), storage: one("storage"), media: one("media"), text: one("text"), ...askedTimes() };
}

function inWords(filters: Query): string[] {
  const { status, workflow, storage, media, text, since, until } = filters;
  return [
    status && `${t("state")}: ${statusName(String(status))}`,
    workflow && `${t("workflow")}: ${workflow}`,
    storage && `${t("storage")}: ${storage}`,
    media && `${t("media")}: ${media}`,
    text && t("text_is", { text: String(text) }),
    since && t("since_is", { time: when(String(since)) }),
    until && t("until_is", { time: when(String(until)) }),
  ].filter((line): line is string => typeof line === "string");
}

export function Source({ object }: { object: string }) {
  const { storage, folder, name } = objectName(object);
  return (
    <div class="tasks-two" title={object}>
      <b>{name}</b>
      <span>{storage}{folder && ` · ${folder}`}</span>
    </div>
  );
}

export function TaskState({ task }: { task: Task }) {
  return (
    <span class="tasks-state">
      <Status status={task.status} />
      {task.intent && <Badge tone="wait">{t(task.intent === "cancel" ? "cancelling" : "retrying")}</Badge>}
    </span>
  );
}

function HowFar({ task }: { task: Task }) {
  if (task.status === "Processing") return <TaskProgress task={task} name={objectName(task.media.object).name} />;
  if (task.status === "Init") return <span class="muted">{t("waits", { span: span(between(task.created_at)) })}</span>;
  return <span class="muted">{task.started_at ? t("took", { span: span(between(task.started_at, task.ended_at)) }) : "–"}</span>;
}

/// Where it runs; a column only while something does.
const WHERE = (): Column<Task> => ({ key: "where", title: t("where"), width: "minmax(0, 9rem)", from: 3, cell: (task) => {
  const told = progressOf(task.id);
  return <span class="muted" title={told?.device ?? undefined}>{told && task.status === "Processing" ? placeOf(told) : ""}</span>;
} });

export const COLUMNS = (runs = false): Column<Task>[] => [
  { key: "status", title: t("state"), width: "minmax(7rem, 9rem)", cell: (task) => <TaskState task={task} /> },
  { key: "source", title: t("source"), width: "minmax(0, 2.2fr)", cell: (task) => <><Source object={task.media.object} />{task.status === "Processing" && <div class="tasks-narrow"><TaskBar task={task} name={objectName(task.media.object).name} /></div>}</> },
  { key: "workflow", title: t("workflow"), width: "minmax(0, 1.1fr)", from: 2, cell: (task) => (
    <div class="tasks-two">
      <span class="tasks-plain">{task.workflow.name}</span>
      <span>{[task.trigger !== "Workflow" && t(task.trigger === "Console" ? "Console" : "API"), task.priority !== 0 && t("priority", { n: task.priority }), task.runs > 1 && t("run", { n: task.runs })].filter(Boolean).join(" · ")}</span>
    </div>
  ) },
  { key: "progress", title: t("progress"), width: "minmax(9rem, 13rem)", from: 2, cell: (task) => <HowFar task={task} /> },
  ...(runs ? [WHERE()] : []),
  { key: "made", title: t("made"), width: "8rem", from: 3, align: "end", cell: (task) => <Time at={task.created_at} /> },
];

interface Named {
  id: string;
  name: string;
}

export function TaskList() {
  const filters = filtersOfQuery();
  const list = usePaged<Task>("tasks", filters, { every: 4000, on: (event) => event.type.startsWith("WorkflowTask") });
  const workflows = useResource<Page<Named>>("workflows", { limit: 500 });
  const storages = useResource<Page<Named>>("storages");
  const [marked, setMarked] = useState<Set<string>>(new Set());
  const status = query.value.get("status") ?? "";
  const filtered = FILTERS.some((name) => query.value.has(name));
  const chosen = list.items.filter((task) => marked.has(task.id));
  const found = async (deed: Deed) => (await doFound(deed, filters, inWords(filters))) && list.refresh();
  const these = async (deed: Deed) => {
    if (!(await doMarked(deed, chosen))) return;
    setMarked(new Set());
    list.refresh();
  };
  const names = (page: Page<Named> | null) => (page?.items ?? []).map(({ name }) => ({ value: name, text: name }));
  return (
    <>
      <PageHead title={t("title")} note={t("note")}>
        {isOperator.value && (
          <>
            <Menu label={t("found_deeds")} text={t("found_deeds")} icon="list" items={[
              { text: t("retry_found"), icon: "refresh", act: () => void found("retry") },
              { text: t("cancel_found"), icon: "stop", danger: true, act: () => void found("cancel") },
              { text: t("forget_found"), icon: "trash", danger: true, act: () => void found("forget") },
            ]} />
            <button type="button" class="button primary" onClick={() => void startTask()}><Icon name="play" size={16} />{t("start")}</button>
          </>
        )}
      </PageHead>
      <div class="segments segments-row" role="group" aria-label={t("state")}>
        {["", ...TASK_STATES].map((state) => (
          <button key={state} type="button" aria-pressed={status === state} onClick={() => setQuery({ status: state || null })}>{state ? statusName(state) : t("all")}</button>
        ))}
      </div>
      <Filters names={FILTERS}>
        <FilterText label={t("search")} />
        <FilterChoice name="workflow" label={t("workflow")} any={t("any_workflow")} choices={names(workflows.data)} />
        <FilterChoice name="storage" label={t("storage")} any={t("any_storage")} choices={names(storages.data)} />
        <FilterTime />
        {query.value.has("media") && <Badge tone="run">{t("media")}</Badge>}
      </Filters>
      {isOperator.value && chosen.length > 0 && (
        <div class="tasks-marked" role="group" aria-label={t("marked", { n: number(chosen.length) })}>
          <b aria-live="polite">{t("marked", { n: number(chosen.length) })}</b>
          <button type="button" class="button small" onClick={() => void these("retry")}><Icon name="refresh" size={15} />{t("retry")}</button>
          <button type="button" class="button small danger" onClick={() => void these("cancel")}><Icon name="stop" size={15} />{t("cancel")}</button>
          <button type="button" class="button small danger" onClick={() => void these("forget")}><Icon name="trash" size={15} />{t("forget")}</button>
          <button type="button" class="button small ghost" onClick={() => setMarked(new Set())}>{t("unmark")}</button>
        </div>
      )}
      <Table label={t("title")} columns={COLUMNS(list.items.some((task) => task.status === "Processing"))} list={list} rowHeight={58} href={(task) => `/tasks/${task.id}`}
        marked={isOperator.value ? marked : undefined} onMark={isOperator.value ? setMarked : undefined}
        empty={filtered ? <><h2>{t("nothing")}</h2><p>{t("nothing_hint")}</p></> : <><h2>{t("empty")}</h2><p>{t("empty_hint")}</p><a class="button" href="/workflows">{t("to_workflows")}</a></>} />
    </>
  );
}
