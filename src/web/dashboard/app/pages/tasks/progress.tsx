// How far a task is, as the stream tells it.
import { Bar } from "../../parts/bar.tsx";
import { number, percent, span } from "../../parts/format.ts";
import { type Progress, progress } from "../../live.ts";
import { words } from "../../words.ts";

const t = words({
  how_far: ["How far {name} is", "{name} 的进度"],
  left: ["{span} left", "剩余 {span}"],
  starting: ["starting …", "启动中…"],
});

/// The jobs of one attempt ride one pass and are equally far: what is told of any is told of the task.
export function progressOf(task: string): Progress | null {
  let found: Progress | null = null;
  for (const told of progress.value.values()) {
    if (told.task === task && (!found || told.percent < found.percent)) found = told;
  }
  return found;
}

export function TaskProgress({ task, name }: { task: string; name: string }) {
  const told = progressOf(task);
  const line = told ? [percent(told.percent), told.eta_s !== null && t("left", { span: span(told.eta_s) })].filter(Boolean).join(" · ") : t("starting");
  return (
    <div class="tasks-progress">
      <Bar percent={told?.percent ?? 0} label={t("how_far", { name })} />
      <span class="tasks-progress-line">{line}</span>
    </div>
  );
}

/// Frames a second, and how many seconds of film a second.
export const speedLine = (told: Progress): string => [told.fps > 0 && `${number(told.fps, told.fps < 10 ? 1 : 0)} fps`, told.speed > 0 && `${number(told.speed, told.speed < 10 ? 2 : 1)}×`].filter(Boolean).join(" · ");
