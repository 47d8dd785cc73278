// What a job waits for, in a sentence.
import { between, span } from "../../parts/format.ts";
import { words } from "../../words.ts";
import type { Activity, Job, TaskDetail } from "./shapes.ts";

const t = words({
  person: ["for a person who decides", "等待人工审核"],
  needs: ["for {names}", "等待前置活动：{names}"],
  next_try: ["for its next try, in {span}", "{span}后重试"],
  device: ["for a free place on a device", "等待设备空闲"],
  place: ["for a free place", "等待空闲资源"],
});

/// Null: it waits for nothing. What the daemon says of it comes first; the rest follows from what is known of the task.
export function waitingFor(task: TaskDetail, activity: Activity, job: Job): string | null {
  if (job.status === "Waiting" && activity.type === "review") return t("person");
  if (job.status !== "Init" || task.status === "Canceled") return null;
  if (job.waits) return job.waits;
  const before = activity.needs.filter((id) => task.jobs.some((other) => other.activity === id && !other.ended_at));
  if (before.length > 0) return t("needs", { names: before.join(", ") });
  if (job.next_try_at && Date.parse(job.next_try_at) > Date.now()) return t("next_try", { span: span(between(new Date().toISOString(), job.next_try_at)) });
  if (!job.ready_at) return null;
  return t(activity.parameters.backend === "gpu" ? "device" : "place");
}
