// Lines over time or over a film: one or several series with an axis, values under the pointer, and a table for those
// who cannot see it.
import { useRef, useState } from "preact/hooks";
import { number } from "./format.ts";

export interface Series {
  name: string;
  /// Ascending in x; null: nothing was measured there, and no line is drawn.
  points: readonly (readonly [x: number, y: number | null])[];
  /// 1 to 6: a colour of the palette.
  tone?: number;
}

export interface ChartProps {
  label: string;
  series: Series[];
  height?: number;
  formatX: (x: number) => string;
  formatY?: (y: number) => string;
  /// Where the axis of y begins and ends; else as the values say, from 0.
  low?: number;
  high?: number;
  /// Lines across, with what they mean.
  marks?: { y: number; text: string }[];
  /// Where the axis of x begins and ends; else as the points say.
  from?: number;
  to?: number;
  /// Where the film is.
  now?: number;
  /// Told where the pointer is clicked.
  onPick?: (x: number) => void;
}

const WIDTH = 1000;

export function Chart(props: ChartProps) {
  const height = props.height ?? 180;
  const formatY = props.formatY ?? ((y: number) => number(y, 1));
  const [at, setAt] = useState<number | null>(null);
  const svg = useRef<SVGSVGElement>(null);
  const all = props.series.flatMap((series) => series.points);
  if (all.length === 0) return null;
  const first = props.from ?? Math.min(...props.series.map((series) => series.points[0]?.[0] ?? Infinity));
  const last = props.to ?? Math.max(...props.series.map((series) => series.points.at(-1)?.[0] ?? -Infinity));
  let low = props.low ?? 0;
  let high = props.high ?? 0;
  for (const [, y] of all) {
    if (y === null) continue;
    if (props.low === undefined) low = Math.min(low, y);
    if (props.high === undefined) high = Math.max(high, y);
  }
  if (high === low) high = low + 1;
  const x = (value: number) => ((value - first) / (last - first || 1)) * WIDTH;
  // A line along the edge keeps its whole width.
  const y = (value: number) => height - 1.5 - ((Math.max(low, Math.min(high, value)) - low) / (high - low)) * (height - 3);
  const pointed = (event: PointerEvent | MouseEvent) => {
    const box = svg.current?.getBoundingClientRect();
    return box ? first + ((event.clientX - box.left) / box.width) * (last - first) : first;
  };
  const nearest = (series: Series, to: number) => {
    let from = 0;
    let until = series.points.length - 1;
    while (from < until) {
      const middle = (from + until) >> 1;
      if ((series.points[middle]?.[0] ?? 0) < to) from = middle + 1;
      else until = middle;
    }
    const [here, before] = [series.points[from], series.points[from - 1]];
    return here && before && to - before[0] < here[0] - to ? before : here;
  };
  return (
    <figure class="chart" aria-label={props.label}>
      <div class="chart-y" aria-hidden="true"><span>{formatY(high)}</span><span>{formatY(low)}</span></div>
      <svg ref={svg} viewBox={`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" style={{ height: `${height}px` }} role="img" aria-label={props.label} onPointerMove={(event) => setAt(pointed(event))} onPointerLeave={() => setAt(null)} onClick={(event) => props.onPick?.(pointed(event))}>
        {[0.25, 0.5, 0.75].map((part) => <line key={part} class="chart-grid" x1={0} x2={WIDTH} y1={height * part} y2={height * part} />)}
        {props.marks?.map((mark) => <line key={mark.text} class="chart-mark" x1={0} x2={WIDTH} y1={y(mark.y)} y2={y(mark.y)}><title>{mark.text}</title></line>)}
        {props.series.map((series, index) => (
          <path key={series.name} class={`chart-line series-${series.tone ?? (index % 6) + 1}`} d={line(series.points.map(([px, py]) => (py === null ? null : `${x(px).toFixed(1)},${y(py).toFixed(1)}`)))} />
        ))}
        {props.now !== undefined && <line class="chart-now" x1={x(props.now)} x2={x(props.now)} y1={0} y2={height} />}
        {at !== null && <line class="chart-cursor" x1={x(at)} x2={x(at)} y1={0} y2={height} />}
      </svg>
      <div class="chart-x" aria-hidden="true"><span>{props.formatX(first)}</span><span>{props.formatX(last)}</span></div>
      <figcaption>
        {props.series.map((series, index) => {
          const point = at === null ? series.points.at(-1) : nearest(series, at);
          return (
            <span key={series.name}><i class={`series-${series.tone ?? (index % 6) + 1}`} aria-hidden="true" />{series.name} <b>{point && point[1] !== null ? formatY(point[1]) : "–"}</b></span>
          );
        })}
        {at !== null && <span class="chart-at">{props.formatX(at)}</span>}
      </figcaption>
    </figure>
  );
}

/// A path that is broken where there is no point.
function line(points: readonly (string | null)[]): string {
  // One value alone stands for the whole length.
  const [only] = points;
  if (points.length === 1 && only) return `M0,${only.split(",")[1]}H${WIDTH}`;
  return points.map((point, at) => (point === null ? "" : `${at > 0 && points[at - 1] !== null ? "L" : "M"}${point}`)).join("");
}

/// A small line without axes.
export function Spark({ points, low = 0, high, label }: { points: readonly number[]; low?: number; high?: number; label: string }) {
  const top = high ?? Math.max(low + 1e-9, ...points);
  const step = points.length > 1 ? 100 / (points.length - 1) : 100;
  const line = points.map((value, at) => `${(at * step).toFixed(1)},${(24 - ((Math.min(top, Math.max(low, value)) - low) / (top - low)) * 22 - 1).toFixed(1)}`).join(" ");
  return (
    <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      {points.length > 1 && <><polygon points={`0,24 ${line} 100,24`} /><polyline points={line} /></>}
    </svg>
  );
}
