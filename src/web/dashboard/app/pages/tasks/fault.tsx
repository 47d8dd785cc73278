// Why something failed and what to do, in the daemon's words.
import type { ComponentChildren } from "preact";
import { Icon } from "../../parts/icon.tsx";
import { words } from "../../words.ts";
import type { Fault, Job } from "./shapes.ts";

const t = words({
  failed: ["{operation} of {subject} failed", "{subject} 的 {operation} 操作失败"],
  of: ["Concerns: {names}", "涉及活动：{names}"],
  again: ["It is tried again by itself.", "系统会自动重试。"],
});

export function FaultBox({ fault, note, children }: { fault: Fault; note?: string; children?: ComponentChildren }) {
  return (
    <div class="problem">
      <Icon name="warn" />
      <div>
        <p><b>{fault.code}</b> · {t("failed", { operation: fault.operation, subject: fault.subject })}</p>
        <p>{fault.cause}</p>
        {fault.remedy && <p class="tasks-remedy"><Icon name="check" size={15} />{fault.remedy}</p>}
        {note && <p class="remedy">{note}</p>}
        {children}
      </div>
    </div>
  );
}

/// Each different fault of the failed jobs once, with the activities that it concerns.
export function Faults({ jobs, children }: { jobs: Job[]; children?: ComponentChildren }) {
  const found = new Map<string, { fault: Fault; names: string[]; again: boolean }>();
  for (const job of jobs) {
    if (!job.fault || job.status === "Success") continue;
    const key = `${job.fault.code}\n${job.fault.cause}`;
    const there = found.get(key) ?? { fault: job.fault, names: [], again: false };
    there.names.push(job.activity);
    there.again ||= job.status !== "Fail" && job.next_try_at !== null;
    found.set(key, there);
  }
  if (found.size === 0) return null;
  return (
    <div>
      {[...found.values()].map(({ fault, names, again }, at) => (
        <FaultBox key={fault.code + fault.cause} fault={fault} note={[t("of", { names: names.join(", ") }), again && t("again")].filter(Boolean).join(" ")}>
          {at === 0 && children}
        </FaultBox>
      ))}
    </div>
  );
}
