// What quality control found, on a time line: a lane for each check, pressed to go there.
import { Badge } from "../../parts/status.tsx";
import { number, timecode } from "../../parts/format.ts";
import { Time } from "../../parts/time.tsx";
import { words } from "../../words.ts";
import type { Playhead } from "./playhead.ts";
import type { QcReport } from "./shapes.ts";
import type { Mark } from "./timeline.tsx";

const t = words({
  none: ["No quality control was made of this media. Add a qc activity to its workflow.", "此媒资未做质量检测。可在工作流中添加 qc 活动。"],
  nothing: ["none", "无"],
  pass: ["passed", "通过"],
  warn: ["warning", "警告"],
  fail: ["failed", "不合格"],
  skipped: ["not made", "未检测"],
  at: ["{check}: {from} to {to}", "{check}：{from} 至 {to}"],
  rest: ["Checks that found nothing ({n})", "{n} 项检测未发现问题"],
  more: ["and {n} more", "另有 {n} 处"],
  task: ["Task", "任务"],
  black: ["Black", "黑场"],
  freeze: ["Freeze", "静帧"],
  levels: ["Levels", "电平越界"],
  interlace: ["Interlace", "隔行"],
  repeats: ["Repeats", "重复帧"],
  gaps: ["Gaps", "时间戳间断"],
  first_frame: ["First frame", "首帧"],
  damage: ["Damage", "画面损坏"],
  silence: ["Silence", "静音"],
  clipping: ["Clipping", "削波"],
  loudness: ["Loudness", "响度"],
  phase: ["Phase", "相位"],
  av_start: ["A/V at the start", "开头音画差"],
  av_end: ["A/V at the end", "结尾音画差"],
});

type Word = Parameters<typeof t>[0];
const TONES: Record<string, string> = { pass: "good", warn: "wait", fail: "bad", skipped: "idle" };
const DRAWN = 400;

/// What was found, in a sentence of the daemon; nothing at all is said in the language of the page.
export const foundText = (found: string): string => (found === "none" ? t("nothing") : found);
export const checkName = (check: string): string => t(check as Word);
export const verdictTone = (verdict: string): string => TONES[verdict] ?? "idle";

export interface Inspection extends QcReport {
  task: string;
  activity: string;
  at: string | null;
}

/// What the player's own time line shows of a report.
export function marksOf(report: Inspection | undefined): Mark[] {
  if (!report) return [];
  return report.checks
    .filter((check) => check.verdict === "warn" || check.verdict === "fail")
    .flatMap((check) => (check.events ?? []).slice(0, 100).map((event) => ({
      from_s: event.start_s,
      to_s: event.end_s,
      tone: verdictTone(check.verdict),
      text: t("at", { check: checkName(check.check), from: timecode(event.start_s, 1), to: timecode(event.end_s, 1) }),
    })));
}

export function Findings({ report, head, length }: { report: Inspection | undefined; head: Playhead; length: number }) {
  if (!report) return <p class="muted">{t("none")}</p>;
  const now = head.slow.value;
  const share = (time: number) => (length > 0 ? Math.max(0, Math.min(100, (time / length) * 100)) : 0);
  const told = [...report.checks].sort((a, b) => rank(b.verdict) - rank(a.verdict));
  const drawn = told.filter((check) => check.verdict === "warn" || check.verdict === "fail" || (check.events ?? []).length > 0);
  const rest = told.filter((check) => !drawn.includes(check));
  return (
    <div class="media-qc">
      <p class="row"><Badge tone={verdictTone(report.verdict)}>{t(report.verdict as Word)}</Badge><span class="muted">{report.activity}</span><span class="muted"><Time at={report.at} /></span><a href={`/tasks/${report.task}`}>{t("task")}</a></p>
      <div class="media-lanes">
        {drawn.map((check) => (
          <div key={check.check} class={`media-lane tone-${verdictTone(check.verdict)}`}>
            <span class="media-lane-name"><i aria-hidden="true" />{checkName(check.check)}<span class="visually-hidden"> {t(check.verdict as Word)}</span></span>
            <span class="media-lane-line">
              {(check.events ?? []).slice(0, DRAWN).map((event, at) => {
                const text = `${t("at", { check: checkName(check.check), from: timecode(event.start_s, 2), to: timecode(event.end_s, 2) })}${event.value === null || event.value === undefined ? "" : ` (${number(event.value, 2)})`}`;
                return <button type="button" key={at} title={text} aria-label={text} style={{ left: `${share(event.start_s)}%`, width: `max(4px, ${share(event.end_s) - share(event.start_s)}%)` }} onClick={() => head.seek(event.start_s)} />;
              })}
              <i class="media-lane-now" style={{ left: `${share(now)}%` }} />
            </span>
            <span class="media-lane-found" title={check.found}>{foundText(check.found)}{check.events_left_out ? ` (${t("more", { n: check.events_left_out })})` : ""}</span>
          </div>
        ))}
      </div>
      {rest.length > 0 && (
        <details class="media-rest" open={drawn.length === 0}>
          <summary>{t("rest", { n: rest.length })}</summary>
          <dl>{rest.map((check) => <div key={check.check}><dt class={`tone-${verdictTone(check.verdict)}`}><i aria-hidden="true" />{checkName(check.check)}</dt><dd>{check.verdict === "skipped" && `${t("skipped")}: `}{foundText(check.found)}</dd></div>)}</dl>
        </details>
      )}
    </div>
  );
}

const rank = (verdict: string): number => ["skipped", "pass", "warn", "fail"].indexOf(verdict);
