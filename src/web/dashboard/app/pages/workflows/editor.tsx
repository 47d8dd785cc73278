// The editor of a workflow: the graph, the form of what is chosen in it, and the same as TOML; each follows the others.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { usePaged, useResource } from "../../resource.ts";
import { go, guardLeaving, path, query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { confirm } from "../../parts/dialog.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { tellDone } from "../../parts/toast.tsx";
import { askActivity } from "../../flow/add_dialog.tsx";
import { useCheck } from "../../flow/check.ts";
import { type Activity, type Definition, type Spot, END, START, activitiesOf, add, find, graphOf, isTable, remove, replace, successors, terse, tidy } from "../../flow/definition.ts";
import { CheckState, Findings } from "../../flow/findings.tsx";
import type { FormContext } from "../../flow/form.tsx";
import { FlowGraph, type NodeMark } from "../../flow/graph.tsx";
import { useHistory } from "../../flow/history.ts";
import { typeName } from "../../flow/labels.ts";
import { NodeForm, type TemplateOf } from "../../flow/node_form.tsx";
import { type Finding, type Root, useSchema } from "../../flow/schema.ts";
import { TomlError, parse, write } from "../../flow/toml.ts";
import { TomlEditor, tomlWhy } from "../../flow/toml_editor.tsx";
import { setEnabled } from "./deeds.tsx";
import { EndForm, StartForm } from "./place_forms.tsx";
import { tryUnsaved } from "./test.tsx";
import type { Whole, Workflow } from "./workflow.ts";
import "./editor.css";

const t = words({
  workflows: ["Workflows", "工作流"],
  new_title: ["New workflow", "新建工作流"],
  edit_title: ["Edit {name}", "编辑 {name}"],
  save: ["Save", "保存"],
  create: ["Create", "创建"],
  save_enable: ["Save and enable", "保存并启用"],
  create_enable: ["Create and enable", "创建并启用"],
  try: ["Try with a file", "用文件模拟"],
  saved: ["Version {n} of {name} was saved", "已保存 {name} 的版本 {n}"],
  made: ["{name} was made", "已创建 {name}"],
  cancel: ["Cancel", "取消"],
  leave: ["Leave without saving?", "不保存就离开？"],
  leave_text: ["What was changed here is lost.", "此处的修改将丢失。"],
  leave_deed: ["Leave", "离开"],
  unsaved: ["not saved", "未保存"],
  enabled_note: ["This workflow is enabled. It can be edited only while disabled; running tasks keep the version they began with.", "此工作流已启用，停用后才能编辑；运行中的任务继续使用其开始时的版本。"],
  disable: ["Disable it to edit", "停用以编辑"],
  file_note: ["This workflow comes from a file or ships with the product and is not edited here. Copy it to change the copy.", "此工作流来自文件或随产品预置，不能在此编辑；可复制后修改副本。"],
  viewer_note: ["You may look at this, not change it.", "您只有查看权限，不能修改。"],
  after: ["After this", "之后添加"],
  beside: ["Beside this", "并行添加"],
  remove: ["Delete", "删除"],
  undo: ["Undo", "撤销"],
  redo: ["Redo", "重做"],
  tools: ["What can be done with the graph", "流程图操作"],
  remove_ask: ["Delete {name}?", "删除 {name}？"],
  remove_more: ["What follows it is deleted, too: {list}.", "其后的活动也会一并删除：{list}。"],
  remove_undo: ["It can be undone.", "可以撤销。"],
  remove_all: ["Delete {n} activities", "删除 {n} 个活动"],
  views: ["What is shown", "显示内容"],
  form: ["Form", "表单"],
  both: ["Both", "两者"],
  toml: ["TOML", "TOML"],
  toml_label: ["The workflow as TOML", "工作流 TOML"],
  of_preset: ["Its activities are those of the preset {name}, and change with it.", "活动沿用预置 {name}，并随其更新。"],
  own: ["Make them its own", "改为独立活动"],
  begin: ["Give it a name, say which files it takes, and add what is done with them.", "填写名称，选择处理哪些文件，再添加处理活动。"],
  empty: ["A workflow needs at least one activity.", "工作流至少需要一个活动。"],
  first: ["Add the first one", "添加第一个活动"],
  start_title: ["Start: what it runs on", "开始：处理哪些文件"],
  end_title: ["End: where outputs go, whom it tells", "结束：输出位置与通知"],
  keys: ["Arrow keys walk through the graph; Enter opens a box, A adds after it, B beside it, Delete takes it away. Ctrl+Z undoes, Ctrl+S saves.", "方向键在图中移动；Enter 打开节点，A 在其后添加，B 并行添加，Delete 删除。Ctrl+Z 撤销，Ctrl+S 保存。"],
});

interface Draft {
  definition: Definition;
  /// What was typed, where that was the last change and it can be read; else the text follows the definition.
  typed: string | null;
}

const draftOf = (definition: Definition): Draft => ({ definition, typed: null });
const textOf = (draft: Draft): string => draft.typed ?? write(draft.definition);

function blank(): Definition {
  const preset = query.value.get("preset");
  const storage = query.value.get("storage") ?? "";
  return {
    name: "", enabled: false, ...(preset ? { preset } : {}),
    source: { ...(storage ? { storage } : {}), ...(query.value.get("prefix") ? { prefix: query.value.get("prefix") as string } : {}) },
    ...(preset ? {} : { activity: [] }),
  };
}

export default function Editor() {
  const id = path.value.split("/")[2] ?? "new";
  const isNew = id === "new";
  const found = useResource<Whole>(isNew ? null : `workflows/${id}`);
  const schema = useSchema("workflow");
  if (schema.error || found.error) return <ErrorBox error={schema.error || found.error} retry={schema.error ? schema.retry : found.refresh} />;
  if (!schema.root || (!isNew && !found.data)) return <Skeleton lines={10} />;
  return <Desk key={id} root={schema.root} workflow={found.data} refresh={found.refresh} />;
}

function Desk({ root, workflow, refresh }: { root: Root; workflow: Whole | null; refresh: () => void }) {
  const first = useMemo(() => draftOf(workflow ? terse(tidy(parse(workflow.definition))) : blank()), []);
  const history = useHistory<Draft>(first);
  const [saved, setSaved] = useState(() => write(first.definition));
  const [unread, setUnread] = useState<{ text: string; error: TomlError } | null>(null);
  const [refused, setRefused] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const storages = usePaged<{ id: string }>("storages");
  const destinations = usePaged<{ id: string }>("destinations");
  const templates = usePaged<TemplateOf & { id: string }>("templates", {}, {}, 500);
  const definition = history.now.definition;
  const text = unread?.text ?? textOf(history.now);
  const checked = useCheck("workflow", unread ? null : text);
  const untouched = workflow === null && unread === null && write(definition) === saved;
  // Who has not begun is not told what is missing in red.
  const findings = unread || untouched ? [] : (checked.check?.findings ?? []);
  const locked = !isOperator.value || (workflow !== null && (workflow.enabled || workflow.origin !== "api"));
  const dirty = unread !== null || write(definition) !== saved;

  const presetName = typeof definition.preset === "string" ? definition.preset : null;
  const preset = useResource<Whole>(presetName ? `workflows/${encodeURIComponent(presetName)}` : null);
  const presetActivities = useMemo(() => (preset.data ? activitiesOf(tidy(parse(preset.data.definition))) : []), [preset.data]);
  const whole = presetName ? { ...definition, activity: presetActivities } : definition;

  const asked = query.value.get("node");
  const chosen = asked === "end" ? END : asked && find(whole, asked) ? asked : START;
  const choose = (node: string) => setQuery({ node: node === START ? null : node === END ? "end" : node });
  const view = query.value.get("view") ?? (innerWidth >= 1180 ? "both" : "form");

  const change = (next: Definition, kind = "") => {
    setUnread(null);
    history.change(draftOf(next), kind);
  };
  const type = (typed: string) => {
    try {
      const read = parse(typed);
      setUnread(null);
      history.change({ definition: read, typed }, "toml");
    } catch (error) {
      if (error instanceof TomlError) setUnread({ text: typed, error });
      else throw error;
    }
  };
  const undo = () => (unread ? setUnread(null) : history.undo());

  const addAt = async (spot: Spot) => {
    if (locked || presetName) return;
    const activity = await askActivity(definition, spot, templates.items);
    if (!activity) return;
    change(add(definition, activity, spot));
    choose(activity.id);
  };
  const removeAt = async (node: string) => {
    if (locked || presetName) return;
    const gone = [node, ...successors(definition, node)];
    const sure = await confirm(t("remove_ask", { name: node }), `${gone.length > 1 ? t("remove_more", { list: gone.slice(1).join(", ") }) : ""} ${t("remove_undo")}`, gone.length > 1 ? t("remove_all", { n: gone.length }) : t("remove"), { danger: true });
    if (!sure) return;
    change(remove(definition, gone));
    choose(START);
  };
  const edit = (activity: Activity, kind: string) => {
    change(replace(definition, chosen, activity), kind);
    if (activity.id !== chosen) choose(activity.id || START);
  };

  const save = async (enable: boolean) => {
    if (unread || busy || locked) return;
    setBusy(true);
    setRefused(null);
    try {
      const response = await ask(workflow ? `workflows/${workflow.id}` : "workflows", { method: workflow ? "PUT" : "POST", body: text, headers: { "content-type": "application/toml" } });
      const kept = (await response.json()) as Workflow;
      setSaved(write(definition));
      tellDone(workflow ? t("saved", { n: kept.version, name: kept.name }) : t("made", { name: kept.name }));
      if (enable && !kept.enabled) await setEnabled(kept, true);
      leaving.current = true;
      go(`/workflows/${kept.id}`);
    } catch (error) {
      setRefused(error);
      setBusy(false);
    }
  };

  const leaving = useRef(false);
  useEffect(() => {
    if (!dirty || locked) return;
    const ask_first = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask_first);
    const stop = guardLeaving(async () => leaving.current || confirm(t("leave"), t("leave_text"), t("leave_deed"), { danger: true }));
    return () => {
      removeEventListener("beforeunload", ask_first);
      stop();
    };
  }, [dirty, locked]);
  const latest = useRef({ undo, redo: history.redo, save });
  latest.current = { undo, redo: history.redo, save };
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector("dialog[open]")) return;
      const key = event.key.toLowerCase();
      if (key === "s") {
        event.preventDefault();
        void latest.current.save(false);
      } else if (key === "z" && !event.shiftKey) {
        event.preventDefault();
        latest.current.undo();
      } else if (key === "y" || (key === "z" && event.shiftKey)) {
        event.preventDefault();
        latest.current.redo();
      }
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, []);

  const graph = useMemo(() => graphOf(whole), [whole.activity, whole.preset, presetActivities]);
  const marks = useMemo(() => marksOf(findings, whole), [checked.check, unread]);
  const context: FormContext = {
    root, findings, disabled: locked,
    storages: storages.items.map((one) => one.id),
    destinations: destinations.items.map((one) => one.id),
    templates: (types) => templates.items.filter((one) => types.includes(one.type)).map((one) => one.name),
  };
  const activity = find(whole, chosen);
  const place = Array.isArray(definition.activity) ? definition.activity.findIndex((one) => typeof one === "object" && !Array.isArray(one) && one.id === chosen) : -1;
  const open = (finding: Finding) => {
    const section = finding.path.split(/[.[]/)[0];
    choose(finding.activity ?? (section === "output" || section === "callback" || section === "success" ? END : START));
    setTimeout(() => {
      const last = finding.path.split(".").at(-1)?.replace(/\[\d+\]$/, "");
      const field = document.querySelector<HTMLElement>(`.wfe-form [aria-invalid], .wfe-form [data-key="${CSS.escape(last ?? "")}"] input`);
      field?.focus();
    }, 60);
  };
  const lines = new Map(findings.flatMap((one) => (one.line ? [[one.line, one.why] as const] : [])));
  if (unread) lines.set(unread.error.line, tomlWhy(unread.error));
  const canEdit = !locked && !presetName && !unread;
  const activities = activitiesOf(definition).length;

  return (
    <div class="wfe">
      <PageHead title={workflow ? t("edit_title", { name: workflow.name }) : t("new_title")} crumbs={[{ text: t("workflows"), href: "/workflows" }, ...(workflow ? [{ text: workflow.name, href: `/workflows/${workflow.id}` }] : [])]} note={untouched ? t("begin") : <><CheckState checked={checked} unread={unread !== null} />{dirty && !locked && <span class="wfe-unsaved"> · {t("unsaved")}</span>}</>}>
        <a class="button ghost" href={workflow ? `/workflows/${workflow.id}` : "/workflows"}>{t("cancel")}</a>
        {isOperator.value && <button type="button" class="button" disabled={unread !== null || !checked.check?.valid} onClick={() => void tryUnsaved(String(definition.name || "–"), text, graph, sourceOf(definition))}><Icon name="play" size={16} />{t("try")}</button>}
        {!locked && <button type="button" class="button" disabled={busy || unread !== null || !checked.check?.valid} onClick={() => void save(true)}>{t(workflow ? "save_enable" : "create_enable")}</button>}
        {!locked && <button type="button" class="button primary" disabled={busy || unread !== null || (workflow !== null && !dirty)} title="Ctrl+S" onClick={() => void save(false)}>{t(workflow ? "save" : "create")}</button>}
      </PageHead>
      {locked && <Locked workflow={workflow} refresh={refresh} />}
      <ErrorBox error={refused} />
      <Card class="wfe-graph">
        <div class="wfe-tools" role="toolbar" aria-label={t("tools")}>
          <button type="button" class="button small" disabled={!canEdit || chosen === END} onClick={() => void addAt({ after: chosen })}><Icon name="plus" size={16} />{t("after")}</button>
          <button type="button" class="button small" disabled={!canEdit || chosen === END || chosen === START} onClick={() => void addAt({ beside: chosen })}><Icon name="plus" size={16} />{t("beside")}</button>
          <button type="button" class="button small danger" disabled={!canEdit || chosen === END || chosen === START} onClick={() => void removeAt(chosen)}><Icon name="trash" size={16} />{t("remove")}</button>
          <span class="wfe-space" />
          <button type="button" class="icon-button" disabled={locked || (!history.canUndo && !unread)} aria-label={t("undo")} title={`${t("undo")} (Ctrl+Z)`} onClick={undo}>↶</button>
          <button type="button" class="icon-button" disabled={locked || !history.canRedo || unread !== null} aria-label={t("redo")} title={`${t("redo")} (Ctrl+Shift+Z)`} onClick={history.redo}>↷</button>
        </div>
        <FlowGraph graph={graph} selected={chosen} onSelect={choose} marks={marks} onAdd={canEdit ? (spot) => void addAt(spot) : undefined} onDelete={canEdit ? (node) => void removeAt(node) : undefined} />
        {presetName && <p class="wfe-preset"><Icon name="info" size={16} />{t("of_preset", { name: presetName })} {!locked && preset.data && <button type="button" class="link" onClick={() => {
          const { preset: _, ...rest } = definition;
          change({ ...rest, activity: structuredClone(presetActivities) });
        }}>{t("own")}</button>}</p>}
        {!presetName && activities === 0 && !locked && <p class="wfe-preset">{t("empty")} <button type="button" class="link" onClick={() => void addAt({ after: START })}>{t("first")}</button></p>}
        <p class="wfe-keys">{t("keys")}</p>
        <Findings findings={findings} open={open} />
      </Card>
      <div class="wfe-views">
        <div class="segments" role="radiogroup" aria-label={t("views")}>
          {(["form", "both", "toml"] as const).map((one) => <button type="button" key={one} role="radio" aria-checked={view === one} class={`wfe-view-${one}`} onClick={() => setQuery({ view: one })}>{t(one)}</button>)}
        </div>
      </div>
      <div class={`wfe-panes wfe-show-${view}`}>
        {view !== "toml" && (
          <Card class="wfe-form" title={chosen === START ? t("start_title") : chosen === END ? t("end_title") : `${chosen} · ${typeName(activity?.type ?? "")}`}>
            {chosen === START && <StartForm context={context} definition={definition} onChange={change} />}
            {chosen === END && <EndForm context={context} definition={definition} onChange={change} />}
            {activity && <NodeForm context={presetName ? { ...context, disabled: true } : context} definition={whole} activity={activity} path={`activity[${place}]`} templates={templates.items} onChange={edit} />}
          </Card>
        )}
        {view !== "form" && (
          <Card class="wfe-toml" title={t("toml")}>
            <TomlEditor label={t("toml_label")} value={text} onInput={type} disabled={locked} error={unread ? tomlWhy(unread.error) : null} marked={lines} />
          </Card>
        )}
      </div>
    </div>
  );
}

/// Where it takes objects from, as far as that is said.
function sourceOf(definition: Definition): { storage: string | null; prefix: string } {
  const source = isTable(definition.source) ? definition.source : {};
  return { storage: typeof source.storage === "string" ? source.storage : null, prefix: typeof source.prefix === "string" ? source.prefix : "" };
}

function marksOf(findings: Finding[], definition: Definition): Map<string, NodeMark> {
  const marks = new Map<string, NodeMark>();
  const put = (id: string, why: string) => !marks.has(id) && marks.set(id, { tone: "bad", text: why });
  for (const one of findings) {
    if (one.activity && find(definition, one.activity)) put(one.activity, one.why);
    else if (/^(output|callback)\b/.test(one.path)) put(END, one.why);
    else put(START, one.why);
  }
  return marks;
}

function Locked({ workflow, refresh }: { workflow: Whole | null; refresh: () => void }) {
  const text = !isOperator.value ? t("viewer_note") : workflow?.origin !== "api" ? t("file_note") : t("enabled_note");
  return (
    <div class="wfe-locked" role="status">
      <Icon name="lock" size={18} />
      <p>{text}</p>
      {isOperator.value && workflow?.origin === "api" && <button type="button" class="button" onClick={() => void setEnabled(workflow, false).then(refresh)}>{t("disable")}</button>}
    </div>
  );
}
