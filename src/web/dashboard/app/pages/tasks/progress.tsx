// How far a task is, as the stream tells it.
import { Bar } from "../../parts/bar.tsx";
import { between, number, percent, span } from "../../parts/format.ts";
import { type Progress, progress } from "../../live.ts";
import type { Task } from "./shapes.ts";
import { words } from "../../words.ts";

const t = words({
  how_far: ["How far {name} is", "{name} 的进度"],
  left: ["{span} left", "剩余 {span}"],
  processors: ["processors", "CPU"],
  since: ["for {span}", "已进行 {span}"],
});

/// The jobs of one attempt ride one pass and are equally far: what is told of any is told of the task.
export function progressOf(task: string): Progress | null {
  let found: Progress | null = null;
  for (const told of progress.value.values()) {
    if (told.task === task && (!found || told.percent < found.percent)) found = told;
  }
  return found;
}

/// While nothing is told the task waits for a person, for capacity, or publishes: then how long it has been going.
export function TaskProgress({ task, name }: { task: Task; name: string }) {
  const told = progressOf(task.id);
  if (!told) return <span class="muted">{t("since", { span: span(between(task.started_at ?? task.created_at)) })}</span>;
  return (
    <div class="tasks-progress">
      <Bar percent={told.percent} label={t("how_far", { name })} />
      <span class="tasks-progress-line">{[percent(told.percent), told.eta_s !== null && t("left", { span: span(told.eta_s) })].filter(Boolean).join(" · ")}</span>
    </div>
  );
}

/// The bar alone, for little room; nothing while nothing is told.
export function TaskBar({ task, name }: { task: Task; name: string }) {
  const told = progressOf(task.id);
  return told && <Bar percent={told.percent} label={t("how_far", { name })} />;
}

/// Where the work is done: the device by its name, or the processors.
export const placeOf = (told: Pick<Progress, "device">): string => told.device ?? t("processors");

/// Frames a second, and how many seconds of film a second.
export const speedLine = (told: Progress): string => [told.fps > 0 && `${number(told.fps, told.fps < 10 ? 1 : 0)} fps`, told.speed > 0 && `${number(told.speed, told.speed < 10 ? 2 : 1)}×`].filter(Boolean).join(" · ");
