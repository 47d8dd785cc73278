// A workflow drawn: boxes in layers, ways between them with their conditions. Arrow keys walk along the ways, Enter opens
// a box; where it can be edited, A adds after it, B beside it, Delete takes it away.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { language, words } from "../words.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { END, START, type Graph, type Node, type Spot } from "./definition.ts";
import { BOX, END_BOX, isEnd, layout, type Layout, type Placed, type Way } from "./layout.ts";
import { typeName } from "./labels.ts";
import "./graph.css";

const t = words({
  graph: ["Graph of the workflow", "工作流图"],
  start: ["Start", "开始"],
  end: ["End", "结束"],
  optional: ["optional", "可选"],
  on_failure: ["on failure", "失败时"],
  on_blocked: ["when blocked", "被屏蔽时"],
  always: ["always", "总是"],
  add_between: ["Add an activity between {from} and {to}", "在 {from} 与 {to} 之间添加活动"],
  add_after: ["Add after {name}", "在 {name} 之后添加"],
  add_beside: ["Add beside {name}", "与 {name} 并行添加"],
  zoom_in: ["Larger", "放大"],
  zoom_out: ["Smaller", "缩小"],
  fit: ["Fit", "适应宽度"],
});

const ICONS: Record<string, IconName> = {
  transcode: "film", snapshot: "grid", cover: "image", dynamic_image: "play", analysis: "search", qc: "pulse", review: "eye",
  hook: "link", moderation: "lock", recognition: "users", content_analysis: "list", copy: "copy", noop: "minus",
};
export const typeIcon = (type: string): IconName => ICONS[type] ?? "flow";

export interface NodeMark {
  tone: string;
  text: string;
}

export interface GraphProps {
  graph: Graph;
  selected?: string | null;
  onSelect?: (id: string) => void;
  /// Says something of a node: what a test found, how many findings there are.
  marks?: ReadonlyMap<string, NodeMark>;
  onAdd?: (spot: Spot) => void;
  onDelete?: (id: string) => void;
}

export const nodeName = (node: Pick<Node, "id" | "type">): string => (node.type === "Start" ? t("start") : node.type === "End" ? t("end") : node.id);

export function FlowGraph(props: GraphProps) {
  const box = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(900);
  const [zoom, setZoom] = useState<number | null>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => setRoom(element.clientWidth);
    look();
    const watch = new ResizeObserver(look);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const down = room < 560;
  const placed = useMemo(() => layout(props.graph, down, wayWords), [props.graph, down, language.value]);
  const fitting = Math.max(0.75, Math.min(1, room / placed.width));
  const scale = zoom ?? fitting;
  // What is chosen is in view, without moving the page.
  useEffect(() => {
    const element = box.current;
    const at = placed.nodes.find((one) => one.node.id === props.selected);
    if (!element || !at) return;
    const [left, top] = [at.x * scale, at.y * scale];
    if (left < element.scrollLeft + 90 || left > element.scrollLeft + element.clientWidth - 90) element.scrollLeft = left - element.clientWidth / 2;
    if (top < element.scrollTop + 30 || top > element.scrollTop + element.clientHeight - 30) element.scrollTop = top - element.clientHeight / 2;
  }, [props.selected, placed]);
  const wide = placed.width * scale > room + 1;
  return (
    <div class="flow">
      <div class="flow-scroll" ref={box} tabIndex={wide ? 0 : -1}>
        <svg class={`flow-svg${props.onAdd ? " flow-edit" : ""}`} role="group" aria-label={t("graph")} width={placed.width * scale} height={placed.height * scale} viewBox={`0 0 ${placed.width} ${placed.height}`} onKeyDown={(event) => keys(event, placed, props)}>
          {placed.ways.map((way) => <WayLine key={`${way.edge.from}>${way.edge.to}`} way={way} down={down} lit={way.edge.from === props.selected || way.edge.to === props.selected} />)}
          {placed.ways.map((way) => <WayWords key={`${way.edge.from}>${way.edge.to}`} way={way} names={props.graph} onAdd={props.onAdd} />)}
          {placed.nodes.map((one) => <NodeBox key={one.node.id} placed={one} down={down} first={one.node.id === (props.selected && props.graph.nodes.some((node) => node.id === props.selected) ? props.selected : START)} {...props} />)}
        </svg>
      </div>
      <div class="flow-zoom">
        <button type="button" class="icon-button" aria-label={t("zoom_out")} title={t("zoom_out")} onClick={() => setZoom(Math.max(0.4, scale / 1.2))}><Icon name="minus" size={16} /></button>
        <button type="button" class="icon-button" title={t("fit")} onClick={() => setZoom(zoom === null ? 1 : null)}>{`${Math.round(scale * 100)}%`}</button>
        <button type="button" class="icon-button" aria-label={t("zoom_in")} title={t("zoom_in")} onClick={() => setZoom(Math.min(1.6, scale * 1.2))}><Icon name="plus" size={16} /></button>
      </div>
    </div>
  );
}

function keys(event: KeyboardEvent, placed: Layout, props: GraphProps): void {
  const element = event.target instanceof Element ? event.target.closest<SVGElement>("[data-node]") : null;
  const at = placed.nodes.find((one) => one.node.id === element?.dataset.node);
  if (!element || !at || event.target !== element || event.metaKey || event.ctrlKey || event.altKey) return;
  const name = event.key;
  const turned: Record<string, string> = { ArrowDown: "ArrowRight", ArrowUp: "ArrowLeft", ArrowRight: "ArrowDown", ArrowLeft: "ArrowUp" };
  const way = placed.down ? (turned[name] ?? name) : name;
  const goto = (one: Placed | undefined) => {
    if (!one) return;
    event.preventDefault();
    const next = element.ownerSVGElement?.querySelector<SVGElement>(`[data-node="${CSS.escape(one.node.id)}"]`);
    next?.focus();
    next?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const across = (one: Placed) => (placed.down ? one.x : one.y);
  const near = (list: Placed[]) => [...list].sort((a, b) => Math.abs(across(a) - across(at)) - Math.abs(across(b) - across(at)))[0];
  const linked = (side: "from" | "to", other: "from" | "to") =>
    placed.nodes.filter((one) => placed.ways.some((line) => line.edge[side] === at.node.id && line.edge[other] === one.node.id));
  if (way === "ArrowRight") goto(near(linked("from", "to")));
  else if (way === "ArrowLeft") goto(near(linked("to", "from")));
  else if (way === "ArrowDown") goto(near(placed.nodes.filter((one) => one.layer === at.layer && across(one) > across(at))));
  else if (way === "ArrowUp") goto(near(placed.nodes.filter((one) => one.layer === at.layer && across(one) < across(at))));
  else if (name === "Home") goto(placed.nodes[0]);
  else if (name === "End") goto(placed.nodes.at(-1));
  else if (name === "Enter" || name === " ") {
    event.preventDefault();
    props.onSelect?.(at.node.id);
  } else if (name.toLowerCase() === "a" && props.onAdd && at.node.id !== END) {
    event.preventDefault();
    props.onAdd({ after: at.node.id });
  } else if (name.toLowerCase() === "b" && props.onAdd && !isEnd(at.node)) {
    event.preventDefault();
    props.onAdd({ beside: at.node.id });
  } else if ((name === "Delete" || name === "Backspace") && props.onDelete && !isEnd(at.node)) {
    event.preventDefault();
    props.onDelete(at.node.id);
  }
}

function curve(points: [number, number][], down: boolean): string {
  const [first, ...rest] = points as [[number, number], ...[number, number][]];
  let [x, y] = first;
  let path = `M${x} ${y}`;
  for (const [nx, ny] of rest) {
    path += down ? `C${x} ${(y + ny) / 2} ${nx} ${(y + ny) / 2} ${nx} ${ny}` : `C${(x + nx) / 2} ${y} ${(x + nx) / 2} ${ny} ${nx} ${ny}`;
    [x, y] = [nx, ny];
  }
  return path;
}

const tone = (when: string): string => (when === "failure" ? "bad" : when === "blocked" ? "wait" : when === "success" || when === "always" ? "plain" : "run");

function WayLine({ way, down, lit }: { way: Way; down: boolean; lit: boolean }) {
  const points = way.points.map(([x, y]): [number, number] => [x, y]);
  const last = points.at(-1) as [number, number];
  const arrow = down ? `M${last[0] - 4} ${last[1] - 7}L${last[0]} ${last[1] - 1}L${last[0] + 4} ${last[1] - 7}` : `M${last[0] - 7} ${last[1] - 4}L${last[0] - 1} ${last[1]}L${last[0] - 7} ${last[1] + 4}`;
  return (
    <g class={`flow-way flow-way-${tone(way.edge.when)}${lit ? " flow-way-lit" : ""}`}>
      <path d={curve(points, down)} />
      <path d={arrow} />
    </g>
  );
}

function whenWords(when: string): string {
  if (when === "success") return "";
  if (when === "failure") return t("on_failure");
  if (when === "blocked") return t("on_blocked");
  if (when === "always") return t("always");
  return when.length > 20 ? `${when.slice(0, 19)}…` : when;
}

const wayWords = (edge: { from: string; to: string; when: string }): string => (edge.from === START || edge.to === END ? "" : whenWords(edge.when));

function WayWords({ way, names, onAdd }: { way: Way; names: Graph; onAdd?: (spot: Spot) => void }) {
  const { edge, points } = way;
  // The stretch just before the box it leads to: there ways that part have parted.
  const [a, b] = [points.at(-2) as [number, number], points.at(-1) as [number, number]];
  const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const name = (id: string) => nodeName(names.nodes.find((node) => node.id === id) ?? { id, type: "" });
  const text = wayWords(edge);
  return (
    <>
      {text && <text class={`flow-when flow-way-${tone(edge.when)}`} x={x} y={y - (onAdd ? 14 : 6)} text-anchor="middle"><title>{edge.when}</title>{text}</text>}
      {onAdd && (
        <g class="flow-plus" role="button" tabindex={-1} aria-label={t("add_between", { from: name(edge.from), to: name(edge.to) })} transform={`translate(${x} ${y})`} onClick={() => onAdd(edge.to === END ? { after: edge.from } : { between: [edge.from, edge.to] })}>
          <title>{t("add_between", { from: name(edge.from), to: name(edge.to) })}</title>
          <circle class="flow-plus-area" r="13" />
          <circle r="8.5" />
          <path d="M-4 0H4M0 -4V4" />
        </g>
      )}
    </>
  );
}

function NodeBox({ placed, down, first, selected, onSelect, marks, onAdd }: GraphProps & { placed: Placed; down: boolean; first: boolean }) {
  const { node, x, y } = placed;
  const end = isEnd(node);
  const { width, height } = end ? END_BOX : BOX;
  const chosen = selected === node.id;
  const mark = marks?.get(node.id);
  const label = [nodeName(node), end ? "" : typeName(node.type), node.optional ? t("optional") : "", mark?.text ?? ""].filter(Boolean).join(", ");
  const button = (spot: Spot, text: string, bx: number, by: number) => (
    <g class="flow-plus flow-plus-node" role="button" tabindex={-1} aria-label={text} transform={`translate(${bx} ${by})`} onClick={(event) => {
      event.stopPropagation();
      onAdd?.(spot);
    }}>
      <title>{text}</title>
      <circle class="flow-plus-area" r="14" />
      <circle r="9.5" />
      <path d="M-4.5 0H4.5M0 -4.5V4.5" />
    </g>
  );
  return (
    <g class={`flow-spot${chosen ? " flow-chosen" : ""}`} transform={`translate(${x} ${y})`}>
      <g class={`flow-node${end ? " flow-end" : ""}${node.optional ? " flow-optional" : ""}${mark ? ` tone-${mark.tone} flow-marked` : ""}`} data-node={node.id} role="button" aria-pressed={onSelect ? chosen : undefined} tabindex={first ? 0 : -1} onClick={() => onSelect?.(node.id)}>
        <title>{label}</title>
        <rect x={-width / 2} y={-height / 2} width={width} height={height} rx={end ? height / 2 : 9} />
        {end ? <text class="flow-name" text-anchor="middle" y="5">{nodeName(node)}</text> : (
          <>
            <svg x={-width / 2 + 10} y={-10} width="20" height="20"><Icon name={typeIcon(node.type)} size={20} /></svg>
            <text class="flow-name" x={-width / 2 + 38} y="-5">{clipped(node.id, 17)}</text>
            <text class="flow-note" x={-width / 2 + 38} y="13">{clipped(mark?.text || `${typeName(node.type)}${node.note ? ` · ${node.note}` : ""}`, 22)}</text>
          </>
        )}
      </g>
      {onAdd && !end && (down
        ? <>{button({ after: node.id }, t("add_after", { name: node.id }), 0, height / 2)}{button({ beside: node.id }, t("add_beside", { name: node.id }), width / 2, 0)}</>
        : <>{button({ after: node.id }, t("add_after", { name: node.id }), width / 2, 0)}{button({ beside: node.id }, t("add_beside", { name: node.id }), 0, height / 2)}</>)}
    </g>
  );
}

/// Cut where the box ends; full-width letters take two places.
function clipped(text: string, places: number): string {
  let used = 0;
  let end = 0;
  for (const letter of text) {
    used += /[\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/.test(letter) ? 1.75 : 1;
    if (used > places) return `${text.slice(0, Math.max(0, end - 1))}…`;
    end += letter.length;
  }
  return text;
}
