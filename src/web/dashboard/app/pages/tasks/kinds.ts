// The types of activities, in words and as icons.
import type { IconName } from "../../parts/icon.tsx";
import { words } from "../../words.ts";

const t = words({
  analysis: ["analysis", "媒体信息分析"],
  transcode: ["transcode", "转码"],
  snapshot: ["snapshot", "截图"],
  dynamic_image: ["animated image", "动图"],
  cover: ["cover", "封面"],
  qc: ["quality control", "质检"],
  review: ["review", "人工审核"],
  hook: ["hook", "外部程序"],
  moderation: ["moderation", "内容审核"],
  recognition: ["recognition", "内容识别"],
  content_analysis: ["content analysis", "内容分析"],
  copy: ["copy", "复制"],
  noop: ["nothing", "空操作"],
});

const ICONS: Record<string, IconName> = {
  analysis: "info", transcode: "film", snapshot: "image", dynamic_image: "play", cover: "image", qc: "gauge", review: "eye", hook: "link",
  moderation: "eye", recognition: "search", content_analysis: "search", copy: "copy", noop: "check",
};

export const kindName = (type: string): string => (type in ICONS ? t(type as Parameters<typeof t>[0]) : type);
export const kindIcon = (type: string): IconName => ICONS[type] ?? "flow";
