// The activities of a task as a drawn graph: state, how long, how far, and what was carried out in one pass.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { progress } from "../../live.ts";
import { between, percent, span } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { statusName, statusTone } from "../../parts/status.tsx";
import { query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";
import { kindIcon, kindName } from "./kinds.ts";
import { END, START, type Layout, isPassage, layOut } from "./layout.ts";
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
/// Where there is no room beside one another, layers stand beneath one another, their activities in rows of so many.
const IN_A_ROW = 2;
/// Wider than this it is a tablet, where the graph is pushed aside instead.
const PHONE = 560;
const LANES = 40;
const DOWN = { gap: 44, row: 14, beside: 14 };

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Drawing {
  width: number;
  height: number;
  box: (id: string) => Box;
  line: (ids: string[]) => string;
}

const NOWHERE: Box = { x: 0, y: 0, width: 0, height: 0 };

/// From left to right, as on every screen with room for it.
function across({ nodes, layers }: Layout, room: number): Drawing {
  const inner = Math.max(0, layers.length - 2);
  const fixed = 2 * CAP.width + (inner + 1) * GAP.x + EDGE * 2;
  const wide = Math.max(NODE.narrow, Math.min(NODE.wide, Math.floor((room - fixed - 16) / Math.max(1, inner))));
  const tallOf = (id: string) => (isPassage(id) ? PASSAGE : NODE.height);
  const talls = layers.map((layer) => layer.reduce((sum, id) => sum + tallOf(id) + GAP.y, -GAP.y));
  const height = Math.max(CAP.height, ...talls) + ABOVE + EDGE * 2;
  const middle = (height + ABOVE) / 2;
  const box = (id: string): Box => {
    const node = nodes.get(id) ?? { layer: 0, place: 0 };
    const x = EDGE + (node.layer === 0 ? 0 : CAP.width + GAP.x + (node.layer - 1) * (wide + GAP.x));
    if (id === START || id === END) return { x, y: middle - CAP.height / 2, ...CAP };
    const before = (layers[node.layer] ?? []).slice(0, node.place).reduce((sum, other) => sum + tallOf(other) + GAP.y, 0);
    return { x, y: middle - (talls[node.layer] ?? 0) / 2 + before, width: wide, height: tallOf(id) };
  };
  const line = (ids: string[]) => ids.slice(1).map((to, at) => {
    const [a, b] = [box(ids[at] ?? START), box(to)];
    const [x1, y1, x2, y2] = [a.x + a.width, a.y + a.height / 2, b.x, b.y + b.height / 2];
    const bend = Math.max(16, (x2 - x1) / 2);
    const over = isPassage(to) ? ` L${b.x + b.width} ${y2}` : "";
    return `${at === 0 ? `M${x1} ${y1} ` : ""}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}${over}`;
  }).join(" ");
  return { width: fixed + inner * wide, height, box, line };
}

/// From the top down, no wider than the room.
function down({ layers }: Layout, room: number): Drawing {
  const width = Math.max(260, room - 16);
  const boxes = new Map<string, Box>();
  let y = EDGE;
  for (const layer of layers) {
    const real = layer.filter((id) => !isPassage(id));
    const passing = layer.filter(isPassage);
    // However many pass by, most of the width is for activities.
    const lane = Math.min(PASSAGE + 4, LANES / Math.max(1, passing.length));
    const field = width - EDGE * 2 - passing.length * lane;
    const rows = Math.max(1, Math.ceil(real.length / IN_A_ROW));
    const isCap = real[0] === START || real[0] === END;
    const tall = isCap ? CAP.height : NODE.height;
    real.forEach((id, at) => {
      const row = Math.floor(at / IN_A_ROW);
      const count = Math.min(IN_A_ROW, real.length - row * IN_A_ROW);
      const wide = isCap ? CAP.width : Math.min(NODE.wide + 40, (field - DOWN.beside * (count - 1)) / count);
      const left = EDGE + (field - wide * count - DOWN.beside * (count - 1)) / 2;
      boxes.set(id, { x: left + (at - row * IN_A_ROW) * (wide + DOWN.beside), y: y + row * (tall + DOWN.row), width: wide, height: tall });
    });
    const height = rows * tall + (rows - 1) * DOWN.row;
    passing.forEach((id, at) => boxes.set(id, { x: width - EDGE - (passing.length - at) * lane, y, width: Math.max(1, lane - 4), height }));
    y += height + DOWN.gap;
  }
  const box = (id: string) => boxes.get(id) ?? NOWHERE;
  const line = (ids: string[]) => ids.slice(1).map((to, at) => {
    const [a, b] = [box(ids[at] ?? START), box(to)];
    const [x1, y1, x2, y2] = [a.x + a.width / 2, a.y + a.height, b.x + b.width / 2, b.y];
    const bend = Math.max(12, Math.min(30, (y2 - y1) / 2));
    const over = isPassage(to) ? ` L${x2} ${b.y + b.height}` : "";
    return `${at === 0 ? `M${x1} ${y1} ` : ""}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}${over}`;
  }).join(" ");
  return { width, height: y - DOWN.gap + EDGE, box, line };
}

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
  const beside = across(layout, room);
  const { width, height, box, line } = room > 0 && beside.width > room && room < PHONE ? down(layout, room) : beside;
  const choose = (id: string) => setQuery({ activity: chosen === id ? null : id });
  return (
    <div class="tasks-graph" ref={field} tabIndex={0} role="group" aria-label={t("graph")}>
      <div class="tasks-graph-field" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
          {frames(layout.layers, jobs, task.attempts).map(({ ids, attempt }) => {
            const held = ids.map(box);
            const [left, top] = [Math.min(...held.map((one) => one.x)), Math.min(...held.map((one) => one.y))];
            const [right, bottom] = [Math.max(...held.map((one) => one.x + one.width)), Math.max(...held.map((one) => one.y + one.height))];
            return (
              <g key={`${attempt.id}-${ids[0]}`} class={`tasks-frame series-${((attempt.number - 1) % 6) + 1}`}>
                <rect x={left - 9} y={top - 9} width={right - left + 18} height={bottom - top + 18} rx={12} />
                <text x={left - 4} y={top - 14}>{t("one_pass", { n: attempt.number })}</text>
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
          const { x, y, width: wide } = box(activity.id);
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
function frames(layers: string[][], jobs: Map<string, Job>, attempts: Attempt[]): { ids: string[]; attempt: Attempt }[] {
  const found: { ids: string[]; attempt: Attempt }[] = [];
  for (const layer of layers) {
    let at = 0;
    while (at < layer.length) {
      const held = jobs.get(layer[at] ?? "")?.attempt;
      let to = at;
      while (held && jobs.get(layer[to + 1] ?? "")?.attempt === held) to += 1;
      const attempt = attempts.find((one) => one.id === held);
      if (attempt && to > at) found.push({ ids: layer.slice(at, to + 1), attempt });
      at = to + 1;
    }
  }
  return found;
}
