// A dry run: what the workflow would do with an object, drawn on its graph. A real run follows on request.
import { useMemo, useState } from "preact/hooks";
import { post } from "../../api.ts";
import { query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";
import { openDialog } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/form.tsx";
import { size } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Card } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Badge, Status } from "../../parts/status.tsx";
import type { Graph } from "../../flow/definition.ts";
import { FlowGraph, type NodeMark } from "../../flow/graph.tsx";
import { pickObject } from "../../flow/object_picker.tsx";
import { graphOfWhole } from "./page.tsx";
import type { Trial, Whole } from "./workflow.ts";

const t = words({
  disabled_note: ["The workflow is disabled: it can be tried, not run.", "工作流已停用：可以模拟，不能运行。"],
  unsaved_note: ["What is tried is what stands in the editor now, saved or not.", "模拟的是编辑器中的当前内容，无需保存。"],
  try_title: ["Try {name} with a file", "用文件模拟 {name}"],
  object: ["File", "文件"],
  object_help: ["storage:key. Nothing is run and nothing is written.", "格式为 存储:路径。仅模拟，不会运行或写入任何内容。"],
  browse: ["Browse", "浏览"],
  test: ["Show what it would do", "模拟运行"],
  matches: ["It takes this file", "会处理此文件"],
  passes_by: ["It passes this file by", "不会处理此文件"],
  absent: ["There is no such file", "文件不存在"],
  runs: ["runs", "会运行"],
  skips: ["is skipped", "会跳过"],
  depends: ["depends on the source", "取决于源文件"],
  outputs: ["Outputs", "输出"],
  turn: ["Pass {n}: {list}", "第 {n} 轮：{list}"],
  passes: ["One reading of the source each", "每轮读取一次源文件"],
  heavy: ["decodes the whole source", "完整解码"],
  tells: ["Tells", "通知"],
  unified: ["the unified callback", "统一回调"],
  nobody: ["nobody", "不通知"],
  unknown: ["Not known before a run", "运行前无法确定"],
  perhaps: ["perhaps", "可能"],
  new_version: ["name taken, stands under the next number", "名称已占用，将使用下一个编号"],
  overwritten: ["replaces what stands there", "将覆盖已有文件"],
  would_fail: ["name taken, would fail", "名称已占用，将失败"],
  run: ["Start a task with it now", "立即用它启动任务"],
  started: ["Task started", "任务已启动"],
  open_task: ["Open the task", "查看任务"],
});

export function TestPanel({ workflow }: { workflow: Whole }) {
  const graph = useMemo(() => graphOfWhole(workflow, null), [workflow]);
  // A disabled workflow runs nothing, and is tried like one that is not saved.
  const ask = (object: string, run: boolean) => (workflow.enabled
    ? post<Trial>(`workflows/${encodeURIComponent(workflow.id)}/test`, { object, run })
    : post<Trial>("checks/dry-run", { object, toml: workflow.definition }));
  return <Trying source={workflow.source} graph={graph} ask={ask} canRun={workflow.enabled} note={workflow.enabled ? undefined : t("disabled_note")} first={query.value.get("object") ?? ""} onAsk={(object) => setQuery({ object })} />;
}

/// The same for what stands in the editor, in a dialog.
export function tryUnsaved(name: string, toml: string, graph: Graph, source: { storage: string | null; prefix: string }): Promise<unknown> {
  return openDialog(t("try_title", { name }), () => <Trying source={source} graph={graph} ask={(object) => post<Trial>("checks/dry-run", { object, toml })} canRun={false} note={t("unsaved_note")} first={lastTried} onAsk={(object) => (lastTried = object)} />, { wide: true });
}

/// What was tried last in the editor: it is tried again after the next change.
let lastTried = "";

interface TryingProps {
  source: { storage: string | null; prefix: string };
  graph: Graph;
  ask: (object: string, run: boolean) => Promise<Trial>;
  canRun: boolean;
  note?: string;
  first: string;
  onAsk: (object: string) => void;
}

function Trying({ source, graph, ask, canRun, note, first, onAsk }: TryingProps) {
  const fixed = source.storage === "*" ? null : source.storage;
  const [object, setObject] = useState(first);
  const [trial, setTrial] = useState<Trial | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const go = async (name: string, run = false) => {
    setBusy(true);
    setError(null);
    onAsk(name);
    try {
      setTrial(await ask(name, run));
    } catch (refused) {
      setError(refused);
      setTrial(null);
    }
    setBusy(false);
  };
  return (
    <div class="stack">
      <Card>
        <form class="wf-test" onSubmit={(event) => {
          event.preventDefault();
          void go(object);
        }}>
          <TextField label={t("object")} help={t("object_help")} value={object} onInput={setObject} placeholder={`${fixed ?? "storage"}:${source.prefix}film.mp4`} mono required name="object" />
          <div class="row">
            <button type="button" class="button" onClick={() => void pickObject({ storage: fixed, prefix: source.prefix }).then((id) => {
              if (!id) return;
              setObject(id);
              void go(id);
            })}><Icon name="folder" size={18} />{t("browse")}</button>
            <button type="submit" class="button primary" disabled={busy || !object.includes(":")}>{t("test")}</button>
          </div>
        </form>
        {note && <p class="muted">{note}</p>}
        <ErrorBox error={error} />
      </Card>
      {trial && <TrialView graph={graph} trial={trial} busy={busy} run={canRun ? () => void go(trial.object, true) : null} />}
    </div>
  );
}

export function marksOf(trial: Trial): Map<string, NodeMark> {
  const tones = { yes: "good", no: "idle", depends: "wait" };
  const texts = { yes: t("runs"), no: t("skips"), depends: t("depends") };
  return new Map(trial.activities.map((one) => [one.id, { tone: tones[one.runs], text: texts[one.runs] }]));
}

function TrialView({ graph, trial, busy, run }: { graph: Graph; trial: Trial; busy: boolean; run: (() => void) | null }) {
  const marks = useMemo(() => marksOf(trial), [trial]);
  const tone = !trial.exists ? "wait" : trial.matches ? "good" : "bad";
  const told = trial.destinations.map((one) => (one.kind === "unified" ? t("unified") : (one.to ?? one.kind)));
  const conflict = (kind: string) => (kind === "version" ? t("new_version") : kind === "overwrite" ? t("overwritten") : kind === "fail" ? t("would_fail") : "");
  return (
    <>
      <Card>
        <div class="wf-verdict">
          <Badge tone={tone}>{t(!trial.exists ? "absent" : trial.matches ? "matches" : "passes_by")}</Badge>
          <p>{trial.why}{trial.size_bytes !== null && ` ${size(trial.size_bytes)}.`}</p>
          {trial.arrival && <p class="muted">{trial.arrival}</p>}
          {trial.task
            ? <p><Status status={trial.task.status} text={t("started")} /> <a href={`/tasks/${trial.task.id}`}>{t("open_task")}</a></p>
            : run && trial.exists && <p><button type="button" class="button" disabled={busy} onClick={run}><Icon name="play" size={18} />{t("run")}</button></p>}
        </div>
        <FlowGraph graph={graph} marks={marks} />
        {trial.activities.some((one) => one.why) && <ul class="wf-why">{trial.activities.filter((one) => one.why).map((one) => <li key={one.id}><b>{one.id}</b> {one.why}</li>)}</ul>}
      </Card>
      {trial.outputs.length > 0 && (
        <Card title={t("outputs")}>
          <div class="wf-outputs">
            {trial.outputs.map((one) => (
              <p key={`${one.activity}/${one.group}/${one.name}`}>
                <span>{one.activity} · {one.group ? `${one.group} · ` : ""}{one.name}{one.perhaps && <> <Badge tone="wait">{t("perhaps")}</Badge></>}</span>
                <code>{one.published_as ?? one.object}</code>
                {conflict(one.conflict) && <small class={one.conflict === "fail" ? "wf-bad" : "muted"}>{conflict(one.conflict)}</small>}
              </p>
            ))}
          </div>
        </Card>
      )}
      <div class="cards">
        {trial.passes.length > 0 && (
          <Card title={t("passes")}>
            <ul>{trial.passes.map((one, at) => <li key={at}>{t("turn", { n: one.turn, list: one.activities.join(", ") })} {one.heavy && <Badge>{t("heavy")}</Badge>}</li>)}</ul>
          </Card>
        )}
        <Card title={t("tells")}><p>{told.join(", ") || t("nobody")}</p></Card>
        {trial.unknown.length > 0 && <Card title={t("unknown")}><ul>{trial.unknown.map((one) => <li key={one}>{one}</li>)}</ul></Card>}
      </div>
    </>
  );
}
