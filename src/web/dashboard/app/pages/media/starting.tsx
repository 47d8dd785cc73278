// Starting a workflow on a media.
import { useState } from "preact/hooks";
import { get, type Page, post } from "../../api.ts";
import { openDialog } from "../../parts/dialog.tsx";
import { NumberField, SelectField, SwitchField } from "../../parts/form.tsx";
import { attempt } from "../../parts/toast.tsx";
import { go } from "../../router.ts";
import { words } from "../../words.ts";
import type { Media } from "./shapes.ts";

const t = words({
  start: ["Start a workflow on {title}", "对“{title}”运行工作流"],
  workflow: ["Workflow", "工作流"],
  priority: ["Priority", "优先级"],
  anywhere: ["Run it though the source lies elsewhere", "即使源文件不在其范围内也运行"],
  anywhere_help: ["Else it is refused where storage, prefix or extension are not those of the workflow.", "否则，当存储、前缀或扩展名不符合工作流设置时会被拒绝。"],
  cancel: ["Cancel", "取消"],
  go: ["Start", "运行"],
  started: ["The task was started.", "任务已启动。"],
  none: ["No workflow is enabled. Enable one first.", "没有已启用的工作流，请先启用。"],
});

interface Flow {
  id: string;
  name: string;
  status: string;
  description?: string;
}

interface Wanted {
  workflow: string;
  priority: number;
  skip_path_check: boolean;
}

export async function startOn(media: Media): Promise<boolean> {
  const flows = await attempt(() => get<Page<Flow>>("workflows", { limit: 500 }));
  if (!flows) return false;
  const enabled = flows.items.filter((flow) => flow.status === "enabled" || flow.status === "Active");
  const wanted = await openDialog<Wanted>(t("start", { title: media.title }), (close) => <Form flows={enabled} close={close} />);
  if (!wanted) return false;
  const task = await attempt(() => post<{ id: string }>("tasks", { ...wanted, media: media.id }), t("started"));
  if (task) go(`/tasks/${task.id}`);
  return task !== undefined;
}

function Form({ flows, close }: { flows: Flow[]; close: (wanted?: Wanted) => void }) {
  const [workflow, setWorkflow] = useState(flows[0]?.id ?? "");
  const [priority, setPriority] = useState<number | null>(0);
  const [anywhere, setAnywhere] = useState(true);
  if (flows.length === 0) return <p>{t("none")}</p>;
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      close({ workflow, priority: priority ?? 0, skip_path_check: anywhere });
    }}>
      <SelectField label={t("workflow")} value={workflow} onInput={setWorkflow} choices={flows.map((flow) => ({ value: flow.id, text: flow.name }))} help={flows.find((flow) => flow.id === workflow)?.description} />
      <NumberField label={t("priority")} value={priority} onInput={setPriority} min={-10} max={10} step={1} />
      <SwitchField label={t("anywhere")} help={t("anywhere_help")} value={anywhere} onInput={setAnywhere} />
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => close()}>{t("cancel")}</button>
        <button type="submit" class="button primary">{t("go")}</button>
      </div>
    </form>
  );
}
