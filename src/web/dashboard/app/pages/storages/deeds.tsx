// What people do with a storage: scan, thaw, try, remove, a test clip.
import { millis } from "../../parts/format.ts";
import { get, post, remove } from "../../api.ts";
import { words } from "../../words.ts";
import { confirm, openDialog } from "../../parts/dialog.tsx";
import { Icon } from "../../parts/icon.tsx";
import { attempt } from "../../parts/toast.tsx";
import { type Storage, type Trial, at } from "./storage.ts";

const t = words({
  scan_begun: ["A scan of {name} begins", "{name} 开始扫描"],
  thaw: ["Thaw {name}?", "解冻 {name}？"],
  thaw_why: ["It was frozen because: {why}", "冻结原因：{why}"],
  thaw_text: ["What lies there now is taken for the storage: what is missing is noted as gone, and what is new runs. Do so only when the change is meant; when the same mount comes back, it thaws by itself.", "现有内容将被视为该存储的内容：缺失的文件记为已删除，新文件会触发任务。仅在确认变化属实时解冻；原挂载恢复后会自动解冻。"],
  thaw_do: ["Thaw", "解冻"],
  thawed: ["{name} is believed again", "{name} 已解冻"],
  remove: ["Remove {name}?", "移除 {name}？"],
  remove_text: ["It is not watched any more and its objects are unknown here. Everything that lies in it stays as it is.", "将不再监视该存储，系统会忘记其中的对象；存储里的文件保持不变。"],
  remove_do: ["Remove storage", "移除存储"],
  removed: ["{name} was removed", "{name} 已移除"],
  trying: ["Trying {name}", "测试 {name}"],
  well: ["Everything went well.", "全部正常。"],
  not_well: ["Not everything went well.", "部分步骤失败。"],
  read_only: ["A storage of sources alone need not be writable, unless a workflow moves or deletes them.", "仅作为源的存储可以只读，除非工作流要移动或删除源文件。"],
  list: ["List", "列举"],
  write: ["Write", "写入"],
  read: ["Read back", "读回"],
  remove_step: ["Remove again", "删除"],
  close: ["Close", "关闭"],
});

export const scan = (storage: Storage): Promise<unknown> => attempt(() => post(at(storage.name, "/scan")), t("scan_begun", { name: storage.name }));

export async function thaw(storage: Storage): Promise<boolean> {
  const text = <><p>{t("thaw_why", { why: storage.why ?? "" })}</p><p>{t("thaw_text")}</p></>;
  if (!(await confirm(t("thaw", { name: storage.name }), text, t("thaw_do")))) return false;
  return (await attempt(() => post(at(storage.name, "/thaw")).then(() => true), t("thawed", { name: storage.name }))) ?? false;
}

export async function removeStorage(storage: Storage): Promise<boolean> {
  if (!(await confirm(t("remove", { name: storage.name }), t("remove_text"), t("remove_do"), { danger: true }))) return false;
  return (await attempt(() => remove(at(storage.name)).then(() => true), t("removed", { name: storage.name }))) ?? false;
}

/// Tries a storage and shows each step.
export async function tryStorage(name: string): Promise<void> {
  const trial = await attempt(() => post<Trial>(at(name, "/test")));
  if (!trial) return;
  await openDialog(t("trying", { name }), (close) => (
    <>
      <p>{trial.ok ? t("well") : t("not_well")}</p>
      <TrialSteps trial={trial} />
      {!trial.ok && trial.steps[0]?.ok && <p class="help">{t("read_only")}</p>}
      <div class="dialog-buttons"><button type="button" class="button" autofocus onClick={() => close()}>{t("close")}</button></div>
    </>
  ));
}

export function TrialSteps({ trial }: { trial: Trial }) {
  const names = { list: t("list"), write: t("write"), read: t("read"), remove: t("remove_step") } as Record<string, string>;
  return (
    <ul class="st-steps">
      {trial.steps.map((step) => (
        <li key={step.step} class={step.ok ? "tone-good" : "tone-bad"}>
          <Icon name={step.ok ? "check" : "cross"} size={18} />
          <div>
            <p>{names[step.step] ?? step.step} <span class="muted">{millis(step.took_ms)}</span></p>
            {step.error && <p>{step.error}</p>}
            {step.remedy && <p class="remedy">{step.remedy}</p>}
          </div>
        </li>
      ))}
    </ul>
  );
}

/// Fetches one storage once.
export const fetchStorage = (name: string): Promise<Storage> => get<Storage>(at(name));
