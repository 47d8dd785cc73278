// The activities of a task as a drawn graph: state, how long, how far, and what was carried out in one pass.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { progress } from "../../live.ts";
import { between, percent, span } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { statusName, statusTone } from "../../parts/status.tsx";
import { query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";
import { kindIcon, kindName } from "./kinds.ts";
import { END, START, isPassage, layOut } from "./layout.ts";
import type { Activity, Attempt, Job, TaskDetail } from "./shapes.ts";

const t = words({
  graph: ["Activities and how they follow one another", "活动及其先后关系"],
  start: ["Start", "开始"],
  end: ["End", "结束"],
  one_pass: ["attempt {n}: one pass", "第 {n} 次执行：一次解码"],
  optional: ["optional", "可选"],
  tries: ["try {n}", "第 {n} 次"],
  when_failure: ["on failure", "失败时"],
  when_always: ["always", "总是"],
  when_blocked: ["if blocked", "被屏蔽时"],
});

/// Activities are as wide as there is room for.
const NODE = { narrow: 138, wide: 200, height: 64 };
/// The height of the place of an edge that passes.
const PASSAGE = 14;
const GAP = { x: 46, y: 20 };
const CAP = { width: 62, height: 34 };
/// Room for the line that says what a frame means.
const ABOVE = 26;
const EDGE = 14;

export function Graph({ task }: { task: TaskDetail }) {
  const jobs = new Map(task.jobs.map((job) => [job.activity, job]));
  const shape = task.activities.map((activity) => `${activity.id}<${activity.needs.join()}@${jobs.get(activity.id)?.attempt ?? ""}`).join(";");
  const layout = useMemo(() => layOut(task.activities.map((activity) => ({ id: activity.id, needs: activity.needs, group: jobs.get(activity.id)?.attempt ?? null }))), [shape]);
  const chosen = query.value.get("activity");
  const field = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(0);
  useEffect(() => {
    const element = field.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setRoom(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const inner = Math.max(0, layout.layers.length - 2);
  const fixed = 2 * CAP.width + (inner + 1) * GAP.x + EDGE * 2;
  const wide = Math.max(NODE.narrow, Math.min(NODE.wide, Math.floor((room - fixed - 16) / Math.max(1, inner))));
  const tallOf = (id: string) => (isPassage(id) ? PASSAGE : NODE.height);
  const talls = layout.layers.map((layer) => layer.reduce((sum, id) => sum + tallOf(id) + GAP.y, -GAP.y));
  const height = Math.max(CAP.height, ...talls) + ABOVE + EDGE * 2;
  const width = fixed + inner * wide;
  const middle = (height + ABOVE) / 2;
  const box = (id: string) => {
    const node = layout.nodes.get(id) ?? { layer: 0, place: 0 };
    const cap = id === START || id === END;
    const x = EDGE + (node.layer === 0 ? 0 : CAP.width + GAP.x + (node.layer - 1) * (wide + GAP.x));
    if (cap) return { x, y: middle - CAP.height / 2, ...CAP };
    const before = (layout.layers[node.layer] ?? []).slice(0, node.place).reduce((sum, other) => sum + tallOf(other) + GAP.y, 0);
    return { x, y: middle - (talls[node.layer] ?? 0) / 2 + before, width: wide, height: tallOf(id) };
  };
  const line = (ids: string[]) => ids.slice(1).map((to, at) => {
    const [a, b] = [box(ids[at] ?? START), box(to)];
    const [x1, y1, x2, y2] = [a.x + a.width, a.y + a.height / 2, b.x, b.y + b.height / 2];
    const bend = Math.max(16, (x2 - x1) / 2);
    const across = isPassage(to) ? ` L${b.x + b.width} ${y2}` : "";
    return `${at === 0 ? `M${x1} ${y1} ` : ""}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}${across}`;
  }).join(" ");
  const choose = (id: string) => setQuery({ activity: chosen === id ? null : id });
  return (
    <div class="tasks-graph" ref={field} tabIndex={0} role="group" aria-label={t("graph")}>
      <div class="tasks-graph-field" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
          {frames(layout.layers, jobs, task.attempts).map(({ first, last, attempt }) => {
            const [a, b] = [box(first), box(last)];
            return (
              <g key={`${attempt.id}-${first}`} class={`tasks-frame series-${((attempt.number - 1) % 6) + 1}`}>
                <rect x={a.x - 9} y={a.y - 9} width={a.width + 18} height={b.y + b.height - a.y + 18} rx={12} />
                <text x={a.x - 4} y={a.y - 14}>{t("one_pass", { n: attempt.number })}</text>
              </g>
            );
          })}
          {layout.edges.map(({ from, to, through }) => <path key={`${from}>${to}`} class={`tasks-edge ${edgeState(jobs.get(from), jobs.get(to), from, to)}`} d={line([from, ...through, to])} />)}
        </svg>
        {[START, END].map((id) => {
          const { x, y, width: w, height: h } = box(id);
          return <span key={id} class="tasks-cap" style={{ left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` }}>{t(id === START ? "start" : "end")}</span>;
        })}
        {task.activities.map((activity) => {
          const { x, y } = box(activity.id);
          const job = jobs.get(activity.id);
          return <Node key={activity.id} activity={activity} job={job} attempt={task.attempts.find((one) => one.id === job?.attempt)} x={x} y={y} width={wide} chosen={chosen === activity.id} onChoose={() => choose(activity.id)} />;
        })}
      </div>
    </div>
  );
}

function Node({ activity, job, attempt, x, y, width, chosen, onChoose }: { activity: Activity; job: Job | undefined; attempt: Attempt | undefined; x: number; y: number; width: number; chosen: boolean; onChoose: () => void }) {
  const status = job?.status ?? "Init";
  const told = job && (progress.value.get(job.id) ?? job.progress);
  const runs = status === "Processing";
  const took = job?.ended_at && job.started_at && status !== "Skipped" ? span(between(job.started_at, job.ended_at)) : "";
  // Colour and mark say that it went well; where there is little room the word is only for screen readers.
  const short = status === "Success" && took !== "" && width < 185;
  const line = runs && told ? percent(told.percent) : took && !short ? `${statusName(status)} · ${took}` : short ? took : statusName(status);
  const when = activity.when === "failure" ? t("when_failure") : activity.when === "always" ? t("when_always") : activity.when === "blocked" ? t("when_blocked") : null;
  return (
    <button type="button" class={`tasks-node tone-${statusTone(status)}${chosen ? " tasks-node-chosen" : ""} tasks-node-${status}`} aria-pressed={chosen}
      title={kindName(activity.type)} style={{ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${NODE.height}px` }} onClick={onChoose}>
      <span class="tasks-node-name"><Icon name={kindIcon(activity.type)} size={16} /><b title={activity.id}>{activity.id}</b><span class="visually-hidden">{kindName(activity.type)}</span></span>
      <span class="tasks-node-line"><span class={`status tone-${statusTone(status)}`}><i />{short && <span class="visually-hidden">{statusName(status)}</span>}{line}</span>
        {when && <em>{when}</em>}
        {!when && activity.optional && <em>{t("optional")}</em>}
        {!when && !activity.optional && job && job.tries > 0 && status !== "Fail" && <em>{t("tries", { n: job.tries + 1 })}</em>}
      </span>
      {attempt && <span class={`tasks-node-attempt series-${((attempt.number - 1) % 6) + 1}`}>#{attempt.number}</span>}
      {runs && <span class="tasks-node-bar"><span style={{ width: `${told?.percent ?? 0}%` }} /></span>}
    </button>
  );
}

function edgeState(from: Job | undefined, to: Job | undefined, fromId: string, toId: string): string {
  if (to?.status === "Skipped" || (from?.status === "Skipped" && toId === END)) return "tasks-edge-off";
  if (from?.status === "Fail" && to?.status !== "Processing") return "tasks-edge-bad";
  const over = fromId === START || from?.status === "Success";
  if (to?.status === "Processing") return "tasks-edge-run";
  return over && (toId === END || (to && to.status !== "Init")) ? "tasks-edge-done" : "";
}

/// Neighbours in a layer that one attempt carried out.
function frames(layers: string[][], jobs: Map<string, Job>, attempts: Attempt[]): { first: string; last: string; attempt: Attempt }[] {
  const found: { first: string; last: string; attempt: Attempt }[] = [];
  for (const layer of layers) {
    let at = 0;
    while (at < layer.length) {
      const held = jobs.get(layer[at] ?? "")?.attempt;
      let to = at;
      while (held && jobs.get(layer[to + 1] ?? "")?.attempt === held) to += 1;
      const attempt = attempts.find((one) => one.id === held);
      const [first, last] = [layer[at], layer[to]];
      if (attempt && to > at && first !== undefined && last !== undefined) found.push({ first, last, attempt });
      at = to + 1;
    }
  }
  return found;
}
