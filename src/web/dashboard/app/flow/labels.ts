// What types of activities are called, in both languages.
import { words } from "../words.ts";

const t = words({
  transcode: ["Transcode", "转码"],
  snapshot: ["Snapshots", "截图"],
  cover: ["Cover", "封面"],
  dynamic_image: ["Animated picture", "动图"],
  analysis: ["Analysis", "媒体分析"],
  qc: ["Quality control", "质检"],
  review: ["Review", "人工审核"],
  hook: ["Hook", "外部程序"],
  moderation: ["Moderation", "内容审核"],
  recognition: ["Recognition", "内容识别"],
  content_analysis: ["Content analysis", "内容分析"],
  copy: ["Copy", "复制"],
  noop: ["Nothing", "空活动"],
  image_watermark: ["Image watermark", "图片水印"],
  text_watermark: ["Text watermark", "文字水印"],
  subtitle: ["Subtitle style", "字幕样式"],
});

const helps = words({
  transcode: ["Makes renditions: MP4 files, HLS or DASH sets, audio.", "生成各档转码：MP4 文件、HLS 或 DASH 切片、音频。"],
  snapshot: ["Takes stills, or sprite sheets with a WebVTT index.", "截取静帧，或带 WebVTT 索引的雪碧图。"],
  cover: ["Takes a poster: the best picture, or the one at a moment.", "生成封面：自动选最佳画面，或取指定时刻。"],
  dynamic_image: ["Makes a short silent animated picture.", "生成无声的短动图。"],
  analysis: ["Finds out the facts of the source; conditions can ask for them.", "探测源文件信息，供后续条件使用。"],
  qc: ["Looks for faults: black, freezes, silence, loudness, levels.", "检查黑场、静帧、静音、响度、电平等问题。"],
  review: ["Waits for a person to approve or block.", "等待人工通过或屏蔽。"],
  hook: ["Asks a program of this host, or a service.", "调用本机程序或外部服务。"],
  moderation: ["Asks a service whether the media may be shown.", "询问外部服务内容是否合规。"],
  recognition: ["Asks a service what is to be seen and heard.", "询问外部服务画面与声音中的内容。"],
  content_analysis: ["Asks a service for tags and descriptions.", "向外部服务获取标签与描述。"],
  copy: ["Copies outputs or the source to another storage.", "将输出或源文件复制到其他存储。"],
  noop: ["Does nothing; for trying graphs out.", "不做任何处理；用于试验流程。"],
  image_watermark: ["A mark drawn from a picture.", "由图片绘制的水印。"],
  text_watermark: ["A mark drawn from text.", "由文字绘制的水印。"],
  subtitle: ["How burnt-in subtitles look.", "烧录字幕的样式。"],
});

type Known = Parameters<typeof t>[0];

export const typeName = (type: string): string => (t(type as Known) === type ? type : t(type as Known));
export const typeHelp = (type: string): string => (helps(type as Known) === type ? "" : helps(type as Known));
