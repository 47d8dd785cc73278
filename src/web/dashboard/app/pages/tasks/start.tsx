// Starting a task by hand: an enabled workflow over an object.
import { useState } from "preact/hooks";
import { type Page, post } from "../../api.ts";
import { openDialog } from "../../parts/dialog.tsx";
import { NumberField, SelectField, SwitchField, TextField } from "../../parts/form.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { useResource } from "../../resource.ts";
import { go } from "../../router.ts";
import { words } from "../../words.ts";
import type { Task } from "./shapes.ts";

const t = words({
  title: ["Start a task", "启动任务"],
  workflow: ["Workflow", "工作流"],
  choose: ["Choose one …", "请选择…"],
  none: ["No workflow is enabled. Enable one first.", "没有已启用的工作流，请先启用。"],
  storage: ["Storage", "存储"],
  key: ["Object", "对象"],
  key_help: ["The path within the storage, as films/a.mov.", "存储内的路径，例如 films/a.mov。"],
  user_data: ["User data", "用户数据"],
  user_data_help: ["Echoed in every event of the task.", "会原样出现在该任务的所有事件中。"],
  priority: ["Priority", "优先级"],
  priority_help: ["Larger first.", "数值大者优先。"],
  skip: ["Run it though it lies outside the workflow's storage or prefix", "即使不在工作流的存储或前缀内也运行"],
  start: ["Start", "启动"],
  cancel: ["Cancel", "取消"],
});

interface Workflow {
  id: string;
  name: string;
  status: string;
  enabled?: boolean;
}

export const startTask = (given: { workflow?: string; storage?: string; key?: string } = {}): Promise<unknown> =>
  openDialog(t("title"), (close) => <StartForm given={given} close={close} />);

function StartForm({ given, close }: { given: { workflow?: string; storage?: string; key?: string }; close: () => void }) {
  const workflows = useResource<Page<Workflow>>("workflows", { limit: 500 });
  const storages = useResource<Page<{ id: string; name: string }>>("storages");
  const [workflow, setWorkflow] = useState(given.workflow ?? "");
  const [storage, setStorage] = useState(given.storage ?? "");
  const [key, setKey] = useState(given.key ?? "");
  const [userData, setUserData] = useState("");
  const [priority, setPriority] = useState<number | null>(0);
  const [skip, setSkip] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const enabled = (workflows.data?.items ?? []).filter((one) => one.status === "enabled");
  const start = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const task = await post<Task>("tasks", {
        workflow,
        object: `${storage}:${key}`,
        priority: priority ?? 0,
        skip_path_check: skip,
        ...(userData ? { user_data: userData } : {}),
      });
      close();
      go(`/tasks/${task.id}`);
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void start(event)}>
      <SelectField label={t("workflow")} required value={workflow} onInput={setWorkflow} help={workflows.data && enabled.length === 0 ? t("none") : undefined}
        choices={[{ value: "", text: t("choose"), disabled: true }, ...enabled.map((one) => ({ value: one.name, text: one.name }))]} />
      <div class="fields">
        <SelectField label={t("storage")} required value={storage} onInput={setStorage} choices={[{ value: "", text: t("choose"), disabled: true }, ...(storages.data?.items ?? []).map(({ name }) => ({ value: name, text: name }))]} />
        <TextField label={t("key")} required mono value={key} onInput={setKey} help={t("key_help")} />
      </div>
      <TextField label={t("user_data")} value={userData} onInput={setUserData} help={t("user_data_help")} />
      <NumberField label={t("priority")} value={priority} onInput={setPriority} min={-10} max={10} step={1} help={t("priority_help")} />
      <SwitchField label={t("skip")} value={skip} onInput={setSkip} />
      <ErrorBox error={error} />
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => close()}>{t("cancel")}</button>
        <button type="submit" class="button primary" disabled={busy || !workflow || !storage || !key}>{t("start")}</button>
      </div>
    </form>
  );
}
