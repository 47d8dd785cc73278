// The facts of a file as people read them: the container, each track, colour, chapters, tags.
import type { ComponentChildren } from "preact";
import { Facts } from "../../parts/page.tsx";
import { number, size, timecode } from "../../parts/format.ts";
import { words } from "../../words.ts";
import { type MediaFacts, type Ratio, shownSize, type Stream } from "./shapes.ts";

const t = words({
  none: ["Not looked at yet.", "尚未分析。"],
  file: ["File", "文件"],
  format: ["Format", "封装格式"],
  length: ["Length", "时长"],
  bytes: ["Size", "大小"],
  bitrate: ["Bit rate", "码率"],
  starts: ["Begins at", "起始时间"],
  timecode: ["Timecode", "时间码"],
  video: ["Video", "视频"],
  audio: ["Audio", "音频"],
  subtitle: ["Subtitles", "字幕"],
  data: ["Data", "数据"],
  track: ["Track {n}", "轨道 {n}"],
  codec: ["Codec", "编码"],
  picture: ["Picture", "画面"],
  stored: ["{width}×{height} stored", "存储尺寸 {width}×{height}"],
  rate: ["Frame rate", "帧率"],
  fps: ["{n} fps", "{n} 帧/秒"],
  scan: ["Scan", "扫描方式"],
  progressive: ["progressive", "逐行"],
  tff: ["interlaced, top field first", "隔行，上场优先"],
  bff: ["interlaced, bottom field first", "隔行，下场优先"],
  unknown: ["not said", "未标明"],
  colour: ["Colour", "色彩"],
  primaries: ["Primaries", "色域"],
  transfer: ["Transfer", "传递函数"],
  matrix: ["Matrix", "矩阵"],
  range: ["Range", "量化范围"],
  limited: ["limited", "有限范围"],
  full: ["full", "全范围"],
  dynamic: ["Dynamic range", "动态范围"],
  sdr: ["SDR", "SDR"],
  samples: ["Pixel format", "像素格式"],
  bits: ["{n} bits", "{n} 位"],
  turned: ["Turned", "旋转"],
  mirrored: ["mirrored", "镜像"],
  frames: ["Frames", "帧数"],
  channels: ["Channels", "声道"],
  sampling: ["Sampling", "采样率"],
  language: ["Language", "语言"],
  title: ["Title", "标题"],
  marks: ["Marked as", "标记"],
  default: ["default", "默认"],
  undecodable: ["cannot be decoded here", "此处无法解码"],
  cover: ["cover picture", "封面图"],
  chapters: ["Chapters", "章节"],
  tags: ["Tags of the file", "文件标签"],
});

const ratio = (value: Ratio | null | undefined): number | null => (value && value.den ? value.num / value.den : null);
const kbps = (value: number | null | undefined): string => (value === null || value === undefined ? "–" : value >= 1000 ? `${number(value / 1000, 2)} Mbit/s` : `${number(value)} kbit/s`);

type Row = [string, ComponentChildren] | null | false;

function videoRows(stream: Stream): Row[] {
  const shown = shownSize(stream);
  const square = shown && (shown.width !== stream.width || shown.height !== stream.height);
  const fps = ratio(stream.average_frame_rate) ?? ratio(stream.frame_rate);
  const scan = { progressive: t("progressive"), tt: t("tff"), tb: t("tff"), bb: t("bff"), bt: t("bff") }[stream.field_order ?? ""] ?? t("unknown");
  const known = (value: string | undefined) => (!value || value === "unknown" ? t("unknown") : value);
  const range = stream.color_range === "tv" ? t("limited") : stream.color_range === "pc" ? t("full") : t("unknown");
  return [
    [t("picture"), shown ? <>{shown.width}×{shown.height}{square && <span class="muted"> ({t("stored", { width: stream.width ?? 0, height: stream.height ?? 0 })})</span>}</> : "–"],
    [t("rate"), fps === null ? "–" : t("fps", { n: number(fps, 3) })],
    [t("scan"), scan],
    [t("samples"), <>{stream.pixel_format ?? "–"}{stream.bit_depth ? `, ${t("bits", { n: stream.bit_depth })}` : ""}</>],
    [t("dynamic"), stream.hdr === "sdr" || !stream.hdr ? t("sdr") : <b>{stream.hdr.toUpperCase()}</b>],
    [t("colour"), `${known(stream.color_primaries)} / ${known(stream.color_transfer)} / ${known(stream.color_space)}`],
    [t("range"), range],
    !!stream.rotation_degrees && [t("turned"), `${stream.rotation_degrees}°${stream.mirrored ? `, ${t("mirrored")}` : ""}`],
  ];
}

function audioRows(stream: Stream): Row[] {
  return [
    [t("channels"), `${stream.channels ?? "–"} (${stream.channel_layout ?? "–"})`],
    [t("sampling"), stream.sample_rate_hz ? `${number(stream.sample_rate_hz / 1000, 1)} kHz` : "–"],
  ];
}

function Track({ stream }: { stream: Stream }) {
  const kind = stream.type === "video" ? "video" : stream.type === "audio" ? "audio" : stream.type === "subtitle" ? "subtitle" : "data";
  const marks = [stream.default ? t("default") : "", stream.attached_picture ? t("cover") : "", ...(stream.dispositions ?? [])].filter(Boolean);
  return (
    <section class="media-track">
      <h3>{t(kind)} <span class="muted">{t("track", { n: stream.index })}</span></h3>
      <Facts rows={[
        [t("codec"), <>{stream.codec_long_name || stream.codec_name}{stream.profile && <span class="muted"> {stream.profile}{stream.level ? ` L${stream.codec_name === "h264" ? stream.level / 10 : stream.level}` : ""}</span>}{!stream.decodable && <span class="media-bad"> {t("undecodable")}</span>}</>],
        ...(kind === "video" ? videoRows(stream) : kind === "audio" ? audioRows(stream) : []),
        stream.bitrate_kbps !== null && [t("bitrate"), kbps(stream.bitrate_kbps)],
        stream.duration_s !== null && [t("length"), timecode(stream.duration_s, 3)],
        kind === "video" && stream.frame_count !== null && [t("frames"), number(stream.frame_count)],
        !!stream.language && [t("language"), stream.language],
        !!stream.title && [t("title"), stream.title],
        marks.length > 0 && [t("marks"), marks.join(", ")],
      ]} />
    </section>
  );
}

export function FactSheet({ facts, onSeek }: { facts: MediaFacts | null | undefined; onSeek?: (to_s: number) => void }) {
  if (!facts) return <p class="muted">{t("none")}</p>;
  const tags = Object.entries(facts.tags ?? {});
  return (
    <div class="media-facts">
      <section class="media-track">
        <h3>{t("file")}</h3>
        <Facts rows={[
          [t("format"), facts.format_long_name || facts.format_name],
          [t("length"), timecode(facts.duration_s, 3)],
          [t("bytes"), size(facts.size_bytes)],
          [t("bitrate"), kbps(facts.bitrate_kbps)],
          !!facts.start_time_s && [t("starts"), `${number(facts.start_time_s, 3)} s`],
          !!facts.timecode && [t("timecode"), <><span class="mono">{facts.timecode.start}</span> <span class="muted">{t("fps", { n: number(ratio(facts.timecode.rate), 3) })}</span></>],
        ]} />
      </section>
      {facts.streams.map((stream) => <Track key={stream.index} stream={stream} />)}
      {(facts.chapters?.length ?? 0) > 0 && (
        <section class="media-track">
          <h3>{t("chapters")}</h3>
          <ol class="media-chapters">
            {facts.chapters?.map((chapter, at) => (
              <li key={at}><button type="button" class="link" disabled={!onSeek} onClick={() => onSeek?.(chapter.start_s)}>{timecode(chapter.start_s, 1)}</button> {chapter.title ?? at + 1}</li>
            ))}
          </ol>
        </section>
      )}
      {tags.length > 0 && (
        <section class="media-track">
          <h3>{t("tags")}</h3>
          <Facts rows={tags.map(([name, value]): Row => [name, value])} />
        </section>
      )}
    </div>
  );
}
