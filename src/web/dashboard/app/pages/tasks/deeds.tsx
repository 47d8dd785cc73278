// What can be done with tasks: one, the marked ones, or all that a list's filters find.
import { call, type Query, post, remove } from "../../api.ts";
import { confirm } from "../../parts/dialog.tsx";
import { number } from "../../parts/format.ts";
import { attempt, tellDone, tellError } from "../../parts/toast.tsx";
import { words } from "../../words.ts";
import { type Task, canRetry, hasEnded, objectName } from "./shapes.ts";

const t = words({
  cancel: ["Cancel task", "取消任务"],
  cancel_ask: ["Cancel this task?", "取消此任务？"],
  cancel_text: ["{name}: what runs is stopped. What is being published is finished first.", "{name}：停止正在运行的作业；正在发布的内容会先完成。"],
  cancelled: ["The task is being cancelled", "正在取消任务"],
  retried: ["The task runs again", "任务已重新排队"],
  job_retried: ["The activity runs again", "活动已重新排队"],
  forget: ["Remove from the list", "从列表移除"],
  forget_ask: ["Remove this task from the list?", "从列表移除此任务？"],
  forget_text: ["{name}: its jobs, attempts and events are forgotten. Files stay where they are.", "{name}：其作业、执行记录和事件将被删除，文件保留不动。"],
  forgotten: ["The task was removed", "任务已移除"],
  many_retry: ["Run again", "重新运行"],
  many_cancel: ["Cancel tasks", "取消任务"],
  many_forget: ["Remove", "移除"],
  ask_retry: ["Run {n} tasks again?", "重新运行 {n} 个任务？"],
  ask_cancel: ["Cancel {n} tasks?", "取消 {n} 个任务？"],
  ask_forget: ["Remove {n} tasks from the list?", "从列表移除 {n} 个任务？"],
  ask_text_retry: ["What failed or was cancelled of them is done again; what succeeded is kept.", "失败或被取消的部分会重做，已成功的部分保留。"],
  ask_text_cancel: ["What runs of them is stopped. What is being published is finished first.", "停止正在运行的部分；正在发布的内容会先完成。"],
  ask_text_forget: ["Their jobs, attempts and events are forgotten. Files stay where they are.", "其作业、执行记录和事件将被删除，文件保留不动。"],
  left_out: ["{n} of the marked ones are left out: this cannot be done with them as they are.", "已选任务中有 {n} 个状态不符，将被忽略。"],
  none: ["This can be done with none of the marked tasks as they are.", "已选任务的状态均不允许此操作。"],
  done_retry: ["{n} tasks run again", "{n} 个任务已重新排队"],
  done_cancel: ["{n} tasks are being cancelled", "正在取消 {n} 个任务"],
  done_forget: ["{n} tasks were removed", "已移除 {n} 个任务"],
  found_retry: ["Run all again that failed or were cancelled?", "重新运行全部失败或已取消的任务？"],
  found_cancel: ["Cancel all that have not ended?", "取消全部未结束的任务？"],
  found_forget: ["Remove all that have ended?", "移除全部已结束的任务？"],
  found_all: ["The list is not filtered: this is for all tasks of this appliance.", "列表未设筛选：将作用于本机全部任务。"],
  found_some: ["This is for every task that these filters find, shown or not:", "将作用于以下筛选条件命中的全部任务（不论是否已显示）："],
});

export type Deed = "retry" | "cancel" | "forget";

const fits: Record<Deed, (task: Task) => boolean> = { retry: canRetry, cancel: (task) => !hasEnded(task), forget: hasEnded };
const ends = (deed: Deed, id: string) => (deed === "forget" ? remove(`tasks/${id}`) : post(`tasks/${id}/${deed}`));

export async function retryTask(task: Task): Promise<boolean> {
  return (await attempt(() => post(`tasks/${task.id}/retry`), t("retried"))) !== undefined;
}

export async function retryJob(id: string): Promise<boolean> {
  return (await attempt(() => post(`jobs/${id}/retry`), t("job_retried"))) !== undefined;
}

export async function cancelTask(task: Task): Promise<boolean> {
  if (!(await confirm(t("cancel_ask"), t("cancel_text", { name: objectName(task.media.object).name }), t("cancel"), { danger: true }))) return false;
  return (await attempt(() => post(`tasks/${task.id}/cancel`), t("cancelled"))) !== undefined;
}

export async function forgetTask(task: Task): Promise<boolean> {
  if (!(await confirm(t("forget_ask"), t("forget_text", { name: objectName(task.media.object).name }), t("forget"), { danger: true }))) return false;
  return (await attempt(() => remove(`tasks/${task.id}`), t("forgotten"))) !== undefined;
}

/// Does it with each of the marked tasks that it fits, four at a time.
export async function doMarked(deed: Deed, tasks: Task[]): Promise<boolean> {
  const fitting = tasks.filter(fits[deed]);
  if (fitting.length === 0) {
    tellError(new Error(t("none")));
    return false;
  }
  const n = number(fitting.length);
  const text = (
    <>
      <p>{t(`ask_text_${deed}`)}</p>
      {fitting.length < tasks.length && <p class="remedy">{t("left_out", { n: number(tasks.length - fitting.length) })}</p>}
    </>
  );
  if (!(await confirm(t(`ask_${deed}`, { n }), text, t(`many_${deed}`), { danger: deed !== "retry" }))) return false;
  let done = 0;
  let refused: unknown = null;
  const waiting = [...fitting];
  const work = async () => {
    for (let task = waiting.shift(); task; task = waiting.shift()) {
      await ends(deed, task.id).then(() => (done += 1), (error: unknown) => (refused = error));
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  if (done > 0) tellDone(t(`done_${deed}`, { n: number(done) }));
  if (refused) tellError(refused);
  return true;
}

/// Does it with all that the filters find; the daemon knows which of them it fits.
export async function doFound(deed: Deed, filters: Query, inWords: string[]): Promise<boolean> {
  const text = (
    <>
      <p>{t(`ask_text_${deed}`)}</p>
      <p>{inWords.length === 0 ? t("found_all") : t("found_some")}</p>
      {inWords.length > 0 && <ul class="tasks-found">{inWords.map((line) => <li key={line}>{line}</li>)}</ul>}
    </>
  );
  if (!(await confirm(t(`found_${deed}`), text, t(`many_${deed}`), { danger: deed !== "retry" }))) return false;
  const json = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const path = `tasks/${deed === "forget" ? "delete" : deed}`;
  const count = await attempt(async () => {
    let sum = 0;
    for (;;) {
      const answer = await call<{ tasks: number; more?: boolean }>(path, { method: "POST", json });
      sum += answer.tasks;
      if (!answer.more) return sum;
    }
  });
  if (count === undefined) return false;
  tellDone(t(`done_${deed}`, { n: number(count) }));
  return true;
}
