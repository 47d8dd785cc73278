// The priority of a task that waits or runs: the usual ones at hand, any other by its number.
import { patch } from "../../api.ts";
import { openDialog } from "../../parts/dialog.tsx";
import { NumberField } from "../../parts/form.tsx";
import { Menu } from "../../parts/menu.tsx";
import { attempt } from "../../parts/toast.tsx";
import { words } from "../../words.ts";
import { useState } from "preact/hooks";
import type { Task } from "./shapes.ts";

const t = words({
  priority: ["Priority", "优先级"],
  is: ["Priority {n}", "优先级 {n}"],
  help: ["What waits moves in the queue; what runs goes on.", "调整排队顺序；正在运行的部分不受影响。"],
  first: ["Before all others: 10", "最先：10"],
  sooner: ["Sooner: 5", "提前：5"],
  usual: ["As usual: 0", "正常：0"],
  later: ["Later: -5", "延后：-5"],
  last: ["When nothing else waits: -10", "最后：-10"],
  other: ["Another number …", "其他数值…"],
  number: ["Number from -10 (last) to 10 (first)", "-10（最后）到 10（最先）"],
  set: ["Set", "设置"],
  done: ["The priority is {n}", "优先级已设为 {n}"],
});

const USUAL = [[10, "first"], [5, "sooner"], [0, "usual"], [-5, "later"], [-10, "last"]] as const;

export function PriorityMenu({ task, onDone }: { task: Task; onDone: () => void }) {
  const set = (priority: number) => void attempt(() => patch(`tasks/${task.id}`, { priority }), t("done", { n: priority })).then(onDone);
  const ask = async () => {
    const chosen = await openDialog<number>(t("priority"), (close) => <Other now={task.priority} close={close} />);
    if (chosen !== undefined) set(chosen);
  };
  return (
    <Menu label={t("is", { n: task.priority })} text={t("is", { n: task.priority })} icon="list" items={[
      { text: t("help") },
      ...USUAL.map(([priority, word]) => ({ text: t(word), checked: task.priority === priority, act: () => set(priority) })),
      { text: t("other"), checked: !USUAL.some(([priority]) => priority === task.priority), act: () => void ask() },
    ]} />
  );
}

function Other({ now, close }: { now: number; close: (chosen?: number) => void }) {
  const [wanted, setWanted] = useState<number | null>(now);
  const good = wanted !== null && Number.isInteger(wanted) && wanted >= -10 && wanted <= 10;
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      if (good) close(wanted);
    }}>
      <NumberField label={t("number")} help={t("help")} value={wanted} onInput={setWanted} min={-10} max={10} />
      <div class="dialog-buttons"><button type="submit" class="button primary" disabled={!good}>{t("set")}</button></div>
    </form>
  );
}
