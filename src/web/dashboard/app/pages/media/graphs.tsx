// How loud a media is over its length, how many bits each rendition spends, and how like the source each of them is.
import { Scroll } from "../../parts/scroll.tsx";
import { Chart, type Series } from "../../parts/chart.tsx";
import { Card, Facts } from "../../parts/page.tsx";
import { number, size, timecode } from "../../parts/format.ts";
import { query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";
import type { Playhead } from "./playhead.ts";
import type { Loudness, Measured, Quality } from "./shapes.ts";

const t = words({
  loudness: ["Loudness", "响度"],
  of_source: ["of the source, EBU R128", "源文件，EBU R128"],
  of_output: ["of {name}, EBU R128", "{name}，EBU R128"],
  short: ["Short-term", "短期响度"],
  peak: ["True peak", "真峰值"],
  integrated: ["Integrated", "综合响度"],
  range: ["Loudness range", "响度范围"],
  max_short: ["Largest short-term", "最大短期响度"],
  max_peak: ["Largest true peak", "最大真峰值"],
  r128: ["−23 LUFS (EBU R128)", "−23 LUFS（EBU R128）"],
  bitrate: ["Bit rate over time", "码率随时间变化"],
  output: ["Output", "输出"],
  average: ["average", "平均"],
  quality: ["Quality per rendition", "各版本画质"],
  rendition: ["Rendition", "版本"],
  picture: ["Picture", "画面"],
  bytes: ["Size", "大小"],
  mean_rate: ["Average", "平均码率"],
  peak_rate: ["Peak", "峰值码率"],
  psnr: ["PSNR", "PSNR"],
  ssim: ["SSIM", "SSIM"],
  vmaf: ["VMAF", "VMAF"],
  no_vmaf: ["not measured: {why}", "未测量：{why}"],
  worst: ["Worst picture", "最差画面"],
  unasked: ["PSNR and SSIM are measured where a transcode says quality = {}.", "在转码活动中设置 quality = {} 后会测量 PSNR 和 SSIM。"],
  no_series: ["Nothing was measured over time of this media. Renditions made from now on are measured.", "此媒资没有随时间变化的测量数据；之后生成的版本会进行测量。"],
  silence: ["silence", "静音"],
  sound: ["sound", "音频"],
});

const lufs = (value: number | null | undefined): string => (value === null || value === undefined ? t("silence") : `${number(value, 1)} LUFS`);
const dbtp = (value: number | null | undefined): string => (value === null || value === undefined ? t("silence") : `${number(value, 1)} dBTP`);
const rate = (kbps: number): string => (kbps >= 1000 ? `${number(kbps / 1000, 2)} Mbit/s` : `${number(kbps)} kbit/s`);

/// A value of each step, drawn in the middle of its step.
const spread = <T,>(values: readonly T[], step_s: number): [number, T][] => values.map((value, at) => [(at + 0.5) * step_s, value]);

export function LoudnessGraph({ loudness, of, head, length }: { loudness: Loudness; of: string | null; head: Playhead; length: number }) {
  const quiet = loudness.short_term_lufs.filter((value): value is number => value !== null);
  const low = Math.min(-40, Math.floor(Math.min(...quiet, -23) / 10) * 10);
  return (
    <Card title={`${t("loudness")} · ${of === null ? t("of_source") : t("of_output", { name: of })}`}>
      <Chart label={t("loudness")} from={0} to={length} now={head.slow.value} low={Math.max(-70, low)} high={3} height={150} formatX={(x) => timecode(x, 1)} formatY={(y) => number(y, 1)} onPick={head.seek} marks={[{ y: -23, text: t("r128") }]} series={[
        { name: `${t("short")} (LUFS)`, points: spread(loudness.short_term_lufs, loudness.step_s) },
        { name: `${t("peak")} (dBTP)`, points: spread(loudness.true_peak_dbtp, loudness.step_s), tone: 2 },
      ]} />
      <Facts rows={[
        [t("integrated"), <b>{lufs(loudness.integrated_lufs)}</b>],
        [t("range"), `${number(loudness.range_lu, 1)} LU`],
        [t("max_short"), lufs(loudness.max_short_term_lufs)],
        [t("max_peak"), dbtp(loudness.max_true_peak_dbtp)],
      ]} />
    </Card>
  );
}

export function BitrateGraph({ measured, head, length, groupName }: { measured: Measured; head: Playhead; length: number; groupName: (output: Measured["outputs"][number]) => string }) {
  const groups = new Map<string, Measured["outputs"][number]["renditions"]>();
  for (const output of measured.outputs) {
    const withTracks = output.renditions.filter((rendition) => rendition.tracks?.some((track) => track.bitrate));
    if (withTracks.length > 0) groups.set(groupName(output), [...(groups.get(groupName(output)) ?? []), ...withTracks]);
  }
  if (groups.size === 0) return null;
  const names = [...groups.keys()];
  const asked = query.value.get("plot");
  const chosen = asked !== null && groups.has(asked) ? asked : (names[0] ?? "");
  const series: Series[] = (groups.get(chosen) ?? []).slice(0, 12).map((rendition) => {
    const tracks = (rendition.tracks ?? []).filter((track) => track.bitrate);
    const pictures = tracks.filter((track) => track.kind === "video");
    const shown = pictures.length > 0 ? pictures : tracks;
    const step = shown[0]?.bitrate?.step_s ?? 1;
    const count = Math.max(...shown.map((track) => track.bitrate?.kbps.length ?? 0));
    const sums = Array.from({ length: count }, (_, at) => shown.reduce((sum, track) => sum + (track.bitrate?.kbps[at] ?? 0), 0));
    return { name: pictures.length > 0 ? rendition.name : `${rendition.name} (${t("sound")})`, points: spread(sums, step) };
  });
  return (
    <Card title={t("bitrate")} deeds={names.length > 1 && (
      <select aria-label={t("output")} value={chosen} onChange={(event) => setQuery({ plot: event.currentTarget.value === names[0] ? null : event.currentTarget.value })}>
        {names.map((name) => <option key={name} value={name} selected={name === chosen}>{name}</option>)}
      </select>
    )}>
      <Chart label={`${t("bitrate")}, ${chosen}`} from={0} to={length} now={head.slow.value} series={series} height={190} formatX={(x) => timecode(x, 1)} formatY={rate} onPick={head.seek} />
    </Card>
  );
}

interface Row {
  id: string;
  group: string;
  name: string;
  size: string;
  bytes: number;
  mean: number | null;
  peak: number | null;
  quality: Quality | null;
}

export function QualityTable({ rows, onSeek }: { rows: Row[]; onSeek: (to_s: number) => void }) {
  if (rows.length === 0) return null;
  const any = rows.some((row) => row.quality);
  const vmaf = rows.some((row) => row.quality?.vmaf != null || row.quality?.vmaf_missing != null);
  const missing = rows.find((row) => row.quality?.vmaf_missing != null)?.quality?.vmaf_missing;
  return (
    <Card title={t("quality")}>
      <Scroll>
        <table class="media-table">
          <thead><tr><th>{t("rendition")}</th><th>{t("picture")}</th><th class="end">{t("bytes")}</th><th class="end">{t("mean_rate")}</th><th class="end">{t("peak_rate")}</th><th class="end">{t("psnr")}</th><th class="end">{t("ssim")}</th>{vmaf && <th class="end">{t("vmaf")}</th>}<th class="end">{t("worst")}</th></tr></thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <th scope="row">{row.group} <b>{row.name}</b></th>
                <td>{row.size}</td>
                <td class="end">{size(row.bytes)}</td>
                <td class="end">{row.mean === null ? "–" : rate(row.mean)}</td>
                <td class="end">{row.peak === null ? "–" : rate(row.peak)}</td>
                <td class="end">{row.quality?.psnr_db == null ? "–" : `${number(row.quality.psnr_db, 2)} dB`}</td>
                <td class="end">{row.quality?.ssim == null ? "–" : number(row.quality.ssim, 4)}</td>
                {vmaf && <td class="end" title={row.quality?.vmaf_missing == null ? undefined : t("no_vmaf", { why: row.quality.vmaf_missing })}>{row.quality?.vmaf == null ? "–" : number(row.quality.vmaf, 2)}</td>}
                <td class="end">{row.quality?.worst_at_s == null ? "–" : <button type="button" class="link" onClick={() => onSeek(row.quality?.worst_at_s ?? 0)}>{timecode(row.quality.worst_at_s, 1)}</button>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {missing != null && <p class="help">{t("vmaf")}: {t("no_vmaf", { why: missing })}</p>}
      {!any && <p class="help">{t("unasked")}</p>}
    </Card>
  );
}

export const noSeries = (): string => t("no_series");
