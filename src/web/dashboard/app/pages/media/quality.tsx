// Everything that was measured of a media: findings of quality control, loudness, bit rates, quality of each rendition.
import { Card } from "../../parts/page.tsx";
import { words } from "../../words.ts";
import { Findings, type Inspection } from "./findings.tsx";
import { BitrateGraph, LoudnessGraph, noSeries, QualityTable } from "./graphs.tsx";
import { fromOlder } from "./playable.ts";
import type { Playhead } from "./playhead.ts";
import { mainVideo, type Measured, type MediaDetail, type QcReport, shownSize } from "./shapes.ts";

const t = words({ found: ["Quality control", "质量检测"] });

/// The newest report: the whole one where there is one over time, else what the media itself says.
export function newestReport(media: MediaDetail, measured: Measured | null): Inspection | undefined {
  const whole = measured?.qc?.[0];
  if (whole) return whole;
  const said = media.qc[0];
  return said && { ...(said.said as QcReport), task: said.task, activity: said.activity, at: said.at };
}

export function QualityPanel({ media, measured, head, length }: { media: MediaDetail; measured: Measured | null; head: Playhead; length: number }) {
  const from = fromOlder(media);
  const groupName = (output: { group: string; kind: string; task: string }) => `${from(output.task)}${output.kind === "file" ? output.group || output.kind : output.kind.toUpperCase()}`;
  const rows = media.outputs.flatMap((output) => {
    const measuredOutput = measured?.outputs.find((one) => one.output === output.id);
    const rungs = output.detail?.renditions?.length ? output.detail.renditions : output.kind === "file" && output.detail?.facts ? [{ id: output.id, name: output.name, size_bytes: output.size_bytes, facts: output.detail.facts, quality: output.detail.quality ?? null }] : [];
    return rungs.filter((rung) => mainVideo(rung.facts)).map((rung) => {
      // A copy is measured by what it is a copy of.
      const ofOriginal = () => measured?.outputs.flatMap((one) => one.renditions).find((one) => one.tracks && one.name === rung.name && one.size_bytes === rung.size_bytes)?.tracks;
      const tracks = (measuredOutput?.renditions.find((one) => one.id === rung.id)?.tracks ?? ofOriginal())?.find((track) => track.kind === "video")?.bitrate;
      const shown = shownSize(mainVideo(rung.facts));
      return {
        id: `${output.id}-${rung.id}`,
        group: groupName(output),
        name: rung.name,
        size: shown ? `${shown.width}×${shown.height}` : "–",
        bytes: rung.size_bytes,
        mean: tracks?.average_kbps ?? mainVideo(rung.facts)?.bitrate_kbps ?? rung.facts.bitrate_kbps,
        peak: tracks?.peak_kbps ?? null,
        quality: rung.quality ?? null,
      };
    });
  });
  const loudness = measured?.loudness ?? null;
  const nothing = measured !== null && !loudness && !measured.outputs.some((output) => output.renditions.some((one) => one.tracks));
  return (
    <div class="stack">
      <Card title={t("found")}><Findings report={newestReport(media, measured)} head={head} length={length} /></Card>
      {loudness && <LoudnessGraph loudness={loudness.series} of={loudness.of === "source" ? null : (loudness.rendition ?? "")} head={head} length={length} />}
      {measured && <BitrateGraph measured={measured} head={head} length={length} groupName={groupName} />}
      <QualityTable rows={rows} onSeek={head.seek} />
      {nothing && <p class="muted">{noSeries()}</p>}
    </div>
  );
}
