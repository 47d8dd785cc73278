// How far something is.
import { number } from "./format.ts";

export function Bar({ percent, label, tone = "run" }: { percent: number; label: string; tone?: string }) {
  const value = Math.max(0, Math.min(100, percent));
  return (
    <div class={`bar tone-${tone}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(value)} aria-valuetext={`${number(value, 0)} %`}>
      <span style={{ width: `${value}%` }} />
    </div>
  );
}
