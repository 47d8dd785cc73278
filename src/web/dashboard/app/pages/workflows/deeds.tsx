// What is done to a whole workflow: enable, disable, copy, delete. Each asks first where there is something to lose.
import { useState } from "preact/hooks";
import { post, remove } from "../../api.ts";
import { go } from "../../router.ts";
import { words } from "../../words.ts";
import { confirm, openDialog } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/form.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { attempt } from "../../parts/toast.tsx";
import type { Whole, Workflow } from "./workflow.ts";

const t = words({
  enabled: ["{name} is enabled", "已启用 {name}"],
  disabled: ["{name} is disabled", "已停用 {name}"],
  copy: ["Copy a workflow", "复制工作流"],
  copy_text: ["The copy is disabled until you enable it.", "副本默认停用，启用后才会运行。"],
  new_name: ["Name of the copy", "副本名称"],
  name_help: ["1 to 128 letters of any script, digits, - and _", "1 至 128 个字符，支持中文、字母、数字、- 和 _"],
  make_copy: ["Copy", "复制"],
  cancel: ["Cancel", "取消"],
  copied: ["{name} was made", "已创建 {name}"],
  remove: ["Delete {name}?", "删除 {name}？"],
  remove_text: ["New files start it no more. Its ended tasks and everything it made stay.", "新文件将不再触发它。已结束的任务和已生成的文件都会保留。"],
  remove_deed: ["Delete", "删除"],
  removed: ["{name} was deleted", "已删除 {name}"],
  first_disable: ["Disable {name} first?", "先停用 {name}？"],
  edit_text: ["An enabled workflow cannot be edited. Disabled, it takes no new files until it is enabled again; running tasks keep the version they began with.", "启用中的工作流不能编辑。停用后不再接收新文件，重新启用后恢复；运行中的任务继续使用其开始时的版本。"],
  delete_text: ["An enabled workflow cannot be deleted. It is disabled and deleted: new files start it no more, its ended tasks and everything it made stay.", "启用中的工作流不能删除。将先停用再删除：新文件不再触发，已结束的任务和已生成的文件都会保留。"],
  disable_edit: ["Disable and edit", "停用并编辑"],
  disable_delete: ["Disable and delete", "停用并删除"],
});

export async function setEnabled(workflow: Pick<Workflow, "id" | "name">, enabled: boolean): Promise<Workflow | undefined> {
  return attempt(() => post<Workflow>(`workflows/${encodeURIComponent(workflow.id)}/${enabled ? "enable" : "disable"}`), t(enabled ? "enabled" : "disabled", { name: workflow.name }));
}

/// Asks for a name and copies; goes to the copy.
export async function copyWorkflow(workflow: Pick<Workflow, "id" | "name">): Promise<void> {
  const made = await openDialog<Whole>(t("copy"), (close) => <CopyForm workflow={workflow} close={close} />);
  if (made) go(`/workflows/${made.id}`);
}

function CopyForm({ workflow, close }: { workflow: Pick<Workflow, "id" | "name">; close: (made?: Whole) => void }) {
  const [name, setName] = useState(`${workflow.name}-2`);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      setBusy(true);
      post<Whole>(`workflows/${encodeURIComponent(workflow.id)}/copy`, { name }).then(close, (refused: unknown) => {
        setError(refused);
        setBusy(false);
      });
    }}>
      <p class="dialog-text">{t("copy_text")}</p>
      <TextField label={t("new_name")} help={t("name_help")} value={name} onInput={setName} required maxLength={128} autofocus name="name" />
      <ErrorBox error={error} />
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => close()}>{t("cancel")}</button>
        <button type="submit" class="button primary" disabled={busy || !name}>{t("make_copy")}</button>
      </div>
    </form>
  );
}

/// Asks and deletes; an enabled one is disabled before. True: it is gone.
export async function deleteWorkflow(workflow: Workflow): Promise<boolean> {
  const sure = workflow.enabled
    ? await confirm(t("first_disable", { name: workflow.name }), t("delete_text"), t("disable_delete"), { danger: true })
    : await confirm(t("remove", { name: workflow.name }), t("remove_text"), t("remove_deed"), { danger: true });
  if (!sure) return false;
  if (workflow.enabled && !(await setEnabled(workflow, false))) return false;
  const gone = await attempt(async () => {
    await remove(`workflows/${encodeURIComponent(workflow.id)}`);
    return true;
  }, t("removed", { name: workflow.name }));
  return gone === true;
}

/// Opens the editor; an enabled one is disabled before, when that is agreed to.
export async function editWorkflow(workflow: Workflow): Promise<void> {
  if (workflow.enabled) {
    const sure = await confirm(t("first_disable", { name: workflow.name }), t("edit_text"), t("disable_edit"));
    if (!sure || !(await setEnabled(workflow, false))) return;
  }
  go(`/workflows/${workflow.id}/edit`);
}
