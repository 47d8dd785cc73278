// Deleting media: what of them goes is chosen each time.
import { useState } from "preact/hooks";
import { ask, post } from "../../api.ts";
import { openDialog } from "../../parts/dialog.tsx";
import { SwitchField } from "../../parts/form.tsx";
import { attempt, tellDone, tellError } from "../../parts/toast.tsx";
import { words } from "../../words.ts";

const t = words({
  title_one: ["Delete {title}", "删除“{title}”"],
  title_many: ["Delete {n} media", "删除 {n} 个媒资"],
  what: ["What goes", "删除范围"],
  media: ["The record alone", "仅删除记录"],
  media_help: ["Its files stay where they are.", "文件保留在原处。"],
  outputs: ["What was made of it", "仅删除产物"],
  outputs_help: ["Renditions, pictures and reports go; record and source stay.", "删除转码、截图与报告；保留记录和源文件。"],
  source: ["The source", "仅删除源文件"],
  source_help: ["The original file goes; record and outputs stay.", "删除原始文件；保留记录和产物。"],
  all: ["Everything", "全部删除"],
  all_help: ["Record, outputs and source. This cannot be undone.", "记录、产物和源文件全部删除，无法恢复。"],
  cancel_tasks: ["Cancel its running tasks first", "先取消正在运行的任务"],
  cancel_tasks_help: ["Otherwise it is refused while one of them runs.", "否则在任务运行期间会被拒绝。"],
  additions: ["Remove the files of attachments and added renditions too", "同时删除附件和外部版本的文件"],
  additions_help: ["Those that another media has stay in any case.", "被其他媒资使用的文件始终保留。"],
  keep: ["Keep", "保留"],
  delete: ["Delete", "删除"],
  begun: ["It is being deleted.", "正在删除。"],
  begun_many: ["{n} are being deleted.", "正在删除 {n} 个。"],
});

const CHOICES = ["media", "outputs", "source", "all"] as const;
type What = (typeof CHOICES)[number];
interface Wanted {
  what: What;
  cancel: boolean;
  additions: boolean;
}

function Form({ close }: { close: (wanted?: Wanted) => void }) {
  const [what, setWhat] = useState<What>("media");
  const [cancel, setCancel] = useState(false);
  const [additions, setAdditions] = useState(false);
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      close({ what, cancel, additions: what === "all" && additions });
    }}>
      <fieldset class="media-choices">
        <legend class="visually-hidden">{t("what")}</legend>
        {CHOICES.map((choice) => (
          <label key={choice}>
            <input type="radio" name="what" checked={what === choice} onChange={() => setWhat(choice)} />
            <span><b>{t(choice)}</b><small>{t(`${choice}_help`)}</small></span>
          </label>
        ))}
      </fieldset>
      <SwitchField label={t("cancel_tasks")} help={t("cancel_tasks_help")} value={cancel} onInput={setCancel} />
      {what === "all" && <SwitchField label={t("additions")} help={t("additions_help")} value={additions} onInput={setAdditions} />}
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => close()}>{t("keep")}</button>
        <button type="submit" class="button danger">{t("delete")}</button>
      </div>
    </form>
  );
}

/// Asks what shall go of one media, and has it deleted. Answers what was chosen, undefined when nothing was.
export async function deleteOne(id: string, title: string): Promise<What | undefined> {
  const wanted = await openDialog<Wanted>(t("title_one", { title }), (close) => <Form close={close} />);
  if (!wanted) return undefined;
  const query = { what: wanted.what, cancel: wanted.cancel || null, additions: wanted.additions || null };
  const done = await attempt(() => ask(`media/${id}`, { method: "DELETE", query }), t("begun"));
  return done && wanted.what;
}

/// The same for several.
export async function deleteMany(ids: string[]): Promise<boolean> {
  const wanted = await openDialog<Wanted>(t("title_many", { n: ids.length }), (close) => <Form close={close} />);
  if (!wanted) return false;
  const told = await attempt(() => post<{ deleting: string[]; refused: { id: string; detail: string }[] }>("media/delete", { ids, ...wanted }));
  if (!told) return false;
  if (told.deleting.length > 0) tellDone(t("begun_many", { n: told.deleting.length }));
  for (const refused of told.refused.slice(0, 3)) tellError(new Error(refused.detail));
  return told.deleting.length > 0;
}
