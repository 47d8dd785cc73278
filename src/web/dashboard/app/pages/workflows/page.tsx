// One workflow: its graph, what it watches, its last tasks, its versions, its definition, and a test with an object.
import { said } from "../../flow/said.ts";
import { useMemo, useState } from "preact/hooks";
import { ask, get } from "../../api.ts";
import { type Paged, type Resource, usePaged, useResource } from "../../resource.ts";
import { go } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { Copy, copyText } from "../../parts/copy.tsx";
import { confirm, openDialog } from "../../parts/dialog.tsx";
import { Switch } from "../../parts/form.tsx";
import { between, span } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Menu, type MenuItem } from "../../parts/menu.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Badge, Status } from "../../parts/status.tsx";
import { Table } from "../../parts/table.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Time } from "../../parts/time.tsx";
import { attempt, tellDone } from "../../parts/toast.tsx";
import { type Definition, type Graph, START, END, activitiesOf, find, graphOf, terse, tidy } from "../../flow/definition.ts";
import { FlowGraph } from "../../flow/graph.tsx";
import { typeName } from "../../flow/labels.ts";
import { parse, write } from "../../flow/toml.ts";
import { TomlView } from "../../flow/toml_view.tsx";
import { copyWorkflow, deleteWorkflow, editWorkflow, setEnabled } from "./deeds.tsx";
import { OriginBadge, SourcePlace } from "./list.tsx";
import { TestPanel } from "./test.tsx";
import type { Version, Whole } from "./workflow.ts";

const t = words({
  workflows: ["Workflows", "工作流"],
  edit: ["Edit", "编辑"],
  copy: ["Copy", "复制"],
  remove: ["Delete", "删除"],
  download: ["Download as TOML", "下载 TOML"],
  more: ["More", "更多"],
  enable: ["Enable {name}", "启用 {name}"],
  enabled: ["Enabled", "已启用"],
  disabled: ["Disabled", "已停用"],
  graph: ["Graph", "流程图"],
  tasks: ["Tasks", "任务"],
  versions: ["Versions", "版本"],
  test: ["Test", "测试"],
  toml: ["TOML", "TOML"],
  source: ["Source", "源"],
  prefix: ["Prefix", "前缀"],
  whole: ["whole storage", "整个存储"],
  trigger: ["Trigger", "触发方式"],
  automatic: ["automatic, by arrivals", "自动，文件到达即触发"],
  manual: ["by hand or by a program", "手动或由程序触发"],
  outputs: ["Outputs", "输出"],
  same_storage: ["the source's storage", "与源相同的存储"],
  same_folder: ["the source's folder", "与源相同的目录"],
  version: ["Version", "版本"],
  created: ["Created", "创建时间"],
  changed: ["Changed", "修改时间"],
  id: ["Id", "ID"],
  file_note: ["This workflow comes from a file of the workflows directory. It is edited there; here it can be enabled, disabled and copied.", "此工作流来自工作流目录中的文件，请在文件中编辑；此处可启用、停用和复制。"],
  preset_note: ["This workflow ships with the product. It can be enabled and disabled; a workflow of your own can take its activities.", "此工作流随产品预置，可启用和停用；自定义工作流可以沿用其活动。"],
  use_preset: ["New workflow from this preset", "以此预置新建工作流"],
  activity: ["Activity {id}", "活动 {id}"],
  pick: ["Choose a box of the graph to read its parameters.", "点击流程图中的节点可查看其参数。"],
  file: ["Source", "源文件"],
  status: ["Status", "状态"],
  took: ["Took", "耗时"],
  began: ["Began", "开始时间"],
  all_tasks: ["All tasks of this workflow", "此工作流的全部任务"],
  no_tasks: ["No task yet", "还没有任务"],
  no_tasks_hint: ["Put a film into {place}; it begins by itself.", "将视频放入 {place}，任务会自动开始。"],
  no_tasks_enable: ["Enable the workflow first; then what lands in {place} starts it.", "请先启用工作流；之后落入 {place} 的文件将触发它。"],
  no_tasks_manual: ["It is started by hand: choose a media and start it there.", "此工作流手动启动：请在媒资中选择媒体后启动。"],
  newest: ["newest", "最新"],
  saved: ["Saved", "保存时间"],
  name: ["Name", "名称"],
  look: ["Look", "查看"],
  version_n: ["Version {n}", "版本 {n}"],
  restore: ["Save as newest version", "恢复为最新版本"],
  restore_ask: ["Save version {n} as the newest?", "将版本 {n} 保存为最新版本？"],
  restore_text: ["Its definition is saved again. Running tasks keep the version they began with.", "将重新保存该版本的定义。运行中的任务继续使用其开始时的版本。"],
  restored: ["Version {n} is the newest again", "版本 {n} 已恢复为最新"],
  restore_disable: ["Disable the workflow first to go back to this version.", "请先停用工作流，再恢复此版本。"],
  copied: ["Copied", "已复制"],
  copy_toml: ["Copy the text", "复制文本"],
});

interface Task {
  id: string;
  created_at: string;
  status: string;
  media: { id: string; object: string | null };
  started_at: string | null;
  ended_at: string | null;
  workflow: { version: number };
}

export function WorkflowPage({ id }: { id: string }) {
  const found = useResource<Whole>(`workflows/${encodeURIComponent(id)}`);
  const [busy, setBusy] = useState(false);
  const workflow = found.data;
  if (!workflow) return found.error ? <ErrorBox error={found.error} retry={found.refresh} /> : <Skeleton lines={8} />;
  const own = workflow.origin === "api";
  const items: MenuItem[] = [
    ...(isOperator.value && workflow.origin !== "preset" ? [{ text: t("copy"), icon: "copy" as const, act: () => void copyWorkflow(workflow) }] : []),
    { text: t("download"), icon: "download", act: () => save(`${workflow.name}.toml`, workflow.definition) },
    ...(isOperator.value && own ? [{ text: t("remove"), icon: "trash" as const, danger: true, act: () => void deleteWorkflow(workflow).then((gone) => gone && go("/workflows")) }] : []),
  ];
  const toggle = async (enabled: boolean) => {
    setBusy(true);
    await setEnabled(workflow, enabled);
    found.refresh();
    setBusy(false);
  };
  const testable = isOperator.value && workflow.source.kind === "storage";
  return (
    <>
      <PageHead title={workflow.name} crumbs={[{ text: t("workflows"), href: "/workflows" }]} note={<>{said(workflow.description)} <OriginBadge origin={workflow.origin} /></>}>
        {isOperator.value
          ? <span class="wf-switch"><Switch value={workflow.enabled} disabled={busy} label={t("enable", { name: workflow.name })} onInput={(enabled) => void toggle(enabled)} /> {t(workflow.enabled ? "enabled" : "disabled")}</span>
          : <Status status={workflow.status} />}
        {isOperator.value && own && <button type="button" class="button" onClick={() => void editWorkflow(workflow)}><Icon name="edit" size={18} />{t("edit")}</button>}
        {isOperator.value && workflow.origin === "preset" && <a class="button" href={`/workflows/new?preset=${encodeURIComponent(workflow.name)}`}><Icon name="plus" size={18} />{t("use_preset")}</a>}
        <Menu label={t("more")} icon="more" items={items} />
      </PageHead>
      {workflow.origin !== "api" && <p class="wf-note"><Icon name="info" size={16} />{t(workflow.origin === "file" ? "file_note" : "preset_note")}</p>}
      <Tabs label={workflow.name} tabs={[
        { key: "graph", title: t("graph"), body: () => <Overview workflow={workflow} /> },
        { key: "tasks", title: t("tasks"), body: () => <Tasks workflow={workflow} /> },
        ...(testable ? [{ key: "test", title: t("test"), body: () => <TestPanel workflow={workflow} /> }] : []),
        { key: "versions", title: t("versions"), body: () => <Versions workflow={workflow} saved={found} /> },
        { key: "toml", title: t("toml"), body: () => <Toml text={tidied(workflow.definition)} /> },
      ]} />
    </>
  );
}

function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/// What is drawn: the daemon's own graph, with templates and presets taken apart, and notes of the definition where it has them.
export function graphOfWhole(workflow: Pick<Whole, "graph" | "resolved">, definition: Definition | null): Graph {
  const own = definition && activitiesOf(definition).length > 0 ? definition : { activity: (workflow.resolved?.activities ?? []).map((one) => ({ id: one.id, type: one.kind, ...(one.template ? { template: one.template } : one.parameters) })) };
  const notes = new Map(graphOf(own).nodes.map((node) => [node.id, node.note]));
  const rename = (id: string) => {
    const node = workflow.graph.nodes.find((one) => one.id === id);
    return node?.type === "Start" ? START : node?.type === "End" ? END : id;
  };
  return {
    nodes: workflow.graph.nodes.map((node) => ({ ...node, id: rename(node.id), note: notes.get(node.id) })),
    edges: workflow.graph.edges.map((edge) => ({ ...edge, from: rename(edge.from), to: rename(edge.to) })),
  };
}

const read = (text: string): Definition | null => {
  try {
    return tidy(parse(text));
  } catch {
    return null;
  }
};

const tidied = (text: string): string => {
  const definition = read(text);
  return definition ? write(terse(definition)) : text;
};

function Overview({ workflow }: { workflow: Whole }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const definition = useMemo(() => read(workflow.definition), [workflow.definition]);
  const graph = useMemo(() => graphOfWhole(workflow, definition), [workflow, definition]);
  // Of a preset there is nothing in the definition but its name: what it came to is shown then.
  const activity = chosen ? (definition && find(definition, chosen)) ?? resolved(workflow, chosen) : undefined;
  const node = graph.nodes.find((one) => one.id === chosen);
  const { source, output } = workflow;
  return (
    <div class="stack">
      <Card class="wf-graph"><FlowGraph graph={graph} selected={chosen} onSelect={setChosen} /></Card>
      <div class="cards">
        <Card>
          <Facts rows={[
            [t("source"), <SourcePlace workflow={workflow} />],
            source.kind === "storage" && [t("prefix"), source.prefix ? <code>{source.prefix}</code> : t("whole")],
            [t("trigger"), t(source.trigger)],
            [t("outputs"), <>{output.storage ?? t("same_storage")}{output.prefix === null ? "" : <> · <code>{output.prefix || "/"}</code></>}</>],
          ]} />
        </Card>
        <Card>
          <Facts rows={[
            [t("version"), String(workflow.version)],
            [t("created"), <Time at={workflow.created_at} />],
            [t("changed"), <Time at={workflow.modified_at} />],
            [t("id"), <Copy text={workflow.id} />],
          ]} />
        </Card>
      </div>
      {node && node.type !== "Start" && node.type !== "End"
        ? <Card title={t("activity", { id: node.id })} deeds={<Badge>{typeName(node.type)}</Badge>}>{activity ? <TomlView text={write(activity)} /> : <p class="muted">{node.note ?? typeName(node.type)}</p>}</Card>
        : <p class="muted">{t("pick")}</p>}
    </div>
  );
}

function resolved(workflow: Whole, id: string): Definition | undefined {
  const one = workflow.resolved?.activities?.find((activity) => activity.id === id);
  return one ? tidy({ id, type: one.kind, ...(one.template ? { template: one.template } : {}), ...one.parameters }) : undefined;
}

function Tasks({ workflow }: { workflow: Whole }) {
  const list = usePaged<Task>("tasks", { workflow: workflow.id }, { every: 15_000, on: (event) => event.type.startsWith("Task") || event.type.includes("Workflow") }, 50);
  const place = `${workflow.source.storage ?? ""}:${workflow.source.prefix}`;
  const hint = workflow.source.trigger === "manual" ? t("no_tasks_manual") : t(workflow.enabled ? "no_tasks_hint" : "no_tasks_enable", { place });
  return (
    <div class="stack">
      {list.items.length > 0 && <p><a href={`/tasks?workflow=${encodeURIComponent(workflow.id)}`}>{t("all_tasks")}</a></p>}
      <Table label={t("tasks")} list={list} href={(row) => `/tasks/${row.id}`} empty={<><h2>{t("no_tasks")}</h2><p>{hint}</p></>} columns={[
        { key: "status", title: t("status"), width: "minmax(6rem, 8.5rem)", cell: (row) => <Status status={row.status} /> },
        { key: "file", title: t("file"), width: "minmax(0, 3fr)", cell: (row) => <a href={`/tasks/${row.id}`} title={row.media.object ?? undefined}>{row.media.object ?? row.media.id}</a> },
        { key: "version", title: t("version"), from: 2, width: "5rem", align: "end", cell: (row) => row.workflow.version },
        { key: "took", title: t("took"), from: 2, width: "7rem", align: "end", cell: (row) => (row.started_at ? span(between(row.started_at, row.ended_at)) : "–") },
        { key: "began", title: t("began"), width: "minmax(5.5rem, 8rem)", cell: (row) => <Time at={row.created_at} /> },
      ]} />
    </div>
  );
}

function Versions({ workflow, saved }: { workflow: Whole; saved: Resource<Whole> }) {
  const list: Paged<Version> = usePaged<Version>(`workflows/${encodeURIComponent(workflow.id)}/versions`, { now: null });
  const look = async (version: Version) => {
    const whole = await attempt(() => get<Whole>(`workflows/${encodeURIComponent(workflow.id)}/versions/${version.version}`));
    if (!whole) return;
    const back = await openDialog<boolean>(t("version_n", { n: version.version }), (close) => (
      <>
        <FlowGraph graph={graphOfWhole(whole, read(whole.definition))} />
        <TomlView text={tidied(whole.definition)} />
        {isOperator.value && workflow.origin === "api" && !version.newest && (
          <div class="dialog-buttons">
            {workflow.enabled ? <p class="muted">{t("restore_disable")}</p> : <button type="button" class="button primary" onClick={() => close(true)}>{t("restore")}</button>}
          </div>
        )}
      </>
    ), { wide: true });
    if (!back || !(await confirm(t("restore_ask", { n: version.version }), t("restore_text"), t("restore")))) return;
    await attempt(() => putText(`workflows/${encodeURIComponent(workflow.id)}`, whole.definition), t("restored", { n: version.version }));
    saved.refresh();
    list.refresh();
  };
  return (
    <Table label={t("versions")} list={list} empty="" columns={[
      { key: "version", title: t("version"), width: "minmax(7.5rem, 10rem)", cell: (row) => <><button type="button" class="link" onClick={() => void look(row)}>{t("version_n", { n: row.version })}</button> {row.newest && <Badge tone="good">{t("newest")}</Badge>}</> },
      { key: "name", title: t("name"), from: 2, cell: (row) => row.name },
      { key: "saved", title: t("saved"), cell: (row) => <Time at={row.created_at} whole /> },
    ]} />
  );
}

const putText = async (path: string, text: string): Promise<void> => {
  await ask(path, { method: "PUT", body: text, headers: { "content-type": "application/toml" } });
};

function Toml({ text }: { text: string }) {
  return (
    <Card deeds={<button type="button" class="button small" onClick={() => void copyText(text).then((done) => done && tellDone(t("copied")))}><Icon name="copy" size={16} />{t("copy_toml")}</button>}>
      <TomlView text={text} />
    </Card>
  );
}
