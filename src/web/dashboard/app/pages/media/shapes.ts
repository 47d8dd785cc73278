// What the REST API says of media, as far as these pages use it.
import type { Members } from "./members.tsx";

export interface Ratio {
  num: number;
  den: number;
}

export interface Stream {
  index: number;
  type: "video" | "audio" | "subtitle" | "data";
  codec_name: string;
  codec_long_name: string;
  profile: string | null;
  level: number | null;
  codec_tag_string: string;
  duration_s: number | null;
  bitrate_kbps: number | null;
  frame_count: number | null;
  language: string | null;
  title?: string | null;
  default: boolean;
  dispositions?: string[];
  decodable: boolean;
  width?: number;
  height?: number;
  sample_aspect_ratio?: Ratio | null;
  rotation_degrees?: number;
  mirrored?: boolean;
  pixel_format?: string | null;
  bit_depth?: number | null;
  frame_rate?: Ratio | null;
  average_frame_rate?: Ratio | null;
  field_order?: string;
  color_range?: string;
  color_primaries?: string;
  color_transfer?: string;
  color_space?: string;
  hdr?: string;
  attached_picture?: boolean;
  sample_rate_hz?: number;
  channels?: number;
  channel_layout?: string;
}

export interface MediaFacts {
  format_name: string;
  format_long_name: string;
  duration_s: number | null;
  start_time_s: number | null;
  size_bytes: number;
  bitrate_kbps: number | null;
  streams: Stream[];
  chapters?: { start_s: number; end_s: number; title: string | null }[];
  tags?: Record<string, string>;
  timecode?: { start: string; rate: Ratio; origin: string } | null;
}

export interface Fault {
  code: string;
  operation: string;
  subject: string;
  cause: string;
  remedy: string;
}

export interface Media {
  id: string;
  created_at: string;
  status: string;
  object: string;
  size_bytes: number;
  type: string | null;
  origin: string;
  title: string;
  description: string;
  tags: string[];
  category: string | null;
  cover: string | null;
  cover_url: string | null;
  user_data: string | null;
  fault: Fault | null;
  modified_at: string;
  facts: MediaFacts | null;
}

export interface Quality {
  frames: number;
  psnr_db: number | null;
  psnr_min_db: number | null;
  ssim: number | null;
  ssim_min: number | null;
  vmaf: number | null;
  vmaf_min: number | null;
  vmaf_missing: string | null;
  worst_at_s: number | null;
}

export interface Check {
  name: string;
  expected: string;
  found: string;
  ok: boolean;
}

export interface Rung {
  id: string;
  name: string;
  key: string;
  size_bytes: number;
  facts: MediaFacts;
  quality?: Quality | null;
}

export interface Output {
  id: string;
  created_at: string;
  status: string;
  job: string;
  task: string;
  group: string;
  name: string;
  kind: string;
  object: string;
  size_bytes: number;
  md5: string | null;
  detail: {
    facts?: MediaFacts | null;
    proof?: { checks: Check[] };
    renditions?: Rung[];
    quality?: Quality | null;
    picture_count?: number | null;
    pattern?: string | null;
    webvtt?: string | null;
  } | null;
  file_count: number;
  url: string | null;
}

export interface Addition {
  id: string;
  created_at: string;
  role: string;
  type: string;
  kind: string;
  object: string;
  size_bytes: number;
  title: string;
  language: string | null;
  url: string;
}

export interface Task {
  id: string;
  created_at: string;
  status: string;
  workflow: { id: string; name: string; version: number };
  trigger: string;
  runs: number;
  started_at: string | null;
  ended_at: string | null;
}

export interface QcCheck {
  check: string;
  verdict: string;
  found: string;
  /// Left out where there are none.
  events?: { start_s: number; end_s: number; value?: number | null }[];
  events_left_out?: number;
  total_s: number;
}

export interface QcReport {
  verdict: string;
  checks: QcCheck[];
  pictures?: Record<string, number> | null;
  sound?: Record<string, number | null> | null;
}

export interface Said {
  job: string;
  task: string;
  activity: string;
  kind: string;
  at: string | null;
  said: unknown;
}

export interface ReviewBrief {
  id: string;
  created_at: string;
  status: string;
  task: string | null;
  auditor: string | null;
  reason: string;
  comment: string;
  ended_at: string | null;
}

export interface MediaDetail extends Media {
  parts: Members | null;
  deleting: string | null;
  attachments: Addition[];
  renditions: Addition[];
  tasks: Task[];
  outputs: Output[];
  qc: Said[];
  opinions: Said[];
  reviews: ReviewBrief[];
}

export interface Loudness {
  step_s: number;
  short_term_lufs: (number | null)[];
  true_peak_dbtp: (number | null)[];
  integrated_lufs: number | null;
  range_lu: number;
  max_short_term_lufs: number | null;
  max_true_peak_dbtp: number | null;
}

export interface TrackSeries {
  stream: number;
  kind: string;
  codec: string | null;
  language: string | null;
  bitrate: { step_s: number; kbps: number[]; average_kbps: number; peak_kbps: number } | null;
  loudness: Loudness | null;
}

/// What was measured over time of a media and of all that was made of it.
export interface Measured {
  duration_s: number | null;
  loudness: { of: string; job: string; output: string | null; rendition: string | null; series: Loudness } | null;
  qc: (QcReport & { job: string; task: string; activity: string; status: string; at: string | null; loudness: Loudness | null })[] | null;
  outputs: {
    output: string;
    task: string;
    group: string;
    name: string;
    kind: string;
    renditions: { id: string; name: string; size_bytes: number; duration_s: number | null; width: number | null; height: number | null; tracks: TrackSeries[] | null; quality: Quality | null }[];
  }[];
}

export interface Category {
  id: string;
  name: string;
  parent: string | null;
}

/// The same link on this origin: links carry the daemon's public address, and this page may have been opened under
/// another one of the same daemon.
export function here(url: string): string {
  const link = new URL(url, location.href);
  return link.pathname + link.search;
}

/// A picture that this page may load: those of other hosts are not asked for.
export function pictureHere(url: string | null): string | null {
  if (!url) return null;
  const link = new URL(url, location.href);
  return link.pathname.startsWith("/o/") ? link.pathname + link.search : null;
}

export const fileOf = (object: string): string => object.slice(object.lastIndexOf("/") + 1).replace(/^[^:/]*:/, "");

/// `storage:key` apart.
export function placeOf(object: string): { storage: string; key: string } {
  const at = object.indexOf(":");
  return { storage: object.slice(0, at), key: object.slice(at + 1) };
}

export const mainVideo = (facts: MediaFacts | null | undefined): Stream | undefined => facts?.streams.find((stream) => stream.type === "video" && !stream.attached_picture);
export const mainAudio = (facts: MediaFacts | null | undefined): Stream | undefined => facts?.streams.find((stream) => stream.type === "audio");

/// Frames a second as its makers mean it.
export function rateOf(facts: MediaFacts | null | undefined): number | null {
  const video = mainVideo(facts);
  const value = (ratio: Ratio | null | undefined) => (ratio && ratio.den ? ratio.num / ratio.den : null);
  const [average, finest] = [value(video?.average_frame_rate), value(video?.frame_rate)];
  if (average && finest && average > 1.5 * finest) return finest;
  return average ?? finest;
}

/// Pixels as shown: square, turned.
export function shownSize(video: Stream | undefined): { width: number; height: number } | null {
  if (!video?.width || !video.height) return null;
  const sar = video.sample_aspect_ratio ? video.sample_aspect_ratio.num / video.sample_aspect_ratio.den : 1;
  const [width, height] = sar >= 1 ? [Math.round(video.width * sar), video.height] : [video.width, Math.round(video.height / sar)];
  return (video.rotation_degrees ?? 0) % 180 === 90 ? { width: height, height: width } : { width, height };
}
