// What the keys of definitions are called on forms. English names are the keys themselves, made readable.
import { language } from "../words.ts";

const CHINESE: Record<string, string> = {
  name: "名称", description: "说明", success: "成功条件", preset: "预设", storage: "存储", library: "媒资库", prefix: "目录", trigger: "触发方式", extensions: "扩展名", existing: "已有文件", after: "处理后的源文件",
  path: "输出路径", on_conflict: "同名文件", kind: "类型", destination: "回调目标", url: "地址", profile: "规格", auth_key: "鉴权密钥", also_unified: "同时发统一回调", legacy_events: "旧版转码事件",
  id: "ID", needs: "前置活动", when: "执行条件", optional: "可选", backend: "计算后端", template: "模板", enabled: "启用",
  group: "输出组", clip: "裁剪", head: "片头", inputs: "拼接文件", tail: "片尾", partial: "允许部分成功", quality: "质量", watermark: "水印", mosaic: "马赛克", burn: "烧录字幕", text: "文字", subtitle: "字幕文件", metadata: "元数据",
  start_s: "开始时间", end_s: "结束时间", start: "开始", end: "结束", source: "来源", language: "语言", metrics: "指标", every_s: "采样间隔", min_psnr_db: "最低 PSNR", min_ssim: "最低 SSIM", min_vmaf: "最低 VMAF",
  container: "封装格式", segment_s: "切片时长", segment_format: "切片格式", single_file: "单文件", iframe_playlists: "I 帧播放列表", encryption: "加密", ladder: "自动阶梯", output: "输出",
  min_rungs: "最少档数", max_rungs: "最多档数", max_height: "最大高度", max_bitrate_kbps: "最大码率", min_bitrate_kbps: "最小码率", target_psnr_db: "目标 PSNR", method: "方式", key_uri: "密钥地址", key: "密钥文件", iv: "初始向量",
  video: "视频", audio: "音频", rendition: "在集合中的位置", type: "类型", audio_group: "音频组", subtitle_group: "字幕组", default: "默认", autoselect: "自动选择", forced: "强制",
  codec: "编码", width: "宽", height: "高", long_short: "按长短边", upscale: "允许放大", fps: "帧率", max_fps: "最大帧率", level: "级别", bit_depth: "位深", rate: "码率控制", bitrate_kbps: "码率", bufsize_kbps: "缓冲区", crf: "CRF", two_pass: "两遍编码", clamp_to_source: "不超过源码率", gop_s: "关键帧间隔", gop_frames: "关键帧间隔（帧）", bframes: "B 帧",
  sample_rate_hz: "采样率", channels: "声道", float: "浮点", tracks: "音轨", merge: "合并声道", channel_map: "声道映射", loudness: "响度", target_lufs: "目标响度", true_peak_dbtp: "最大真峰值", range_lu: "响度范围",
  image: "图片", svg: "SVG", corner: "位置", x: "水平边距", y: "垂直边距", opacity: "不透明度", font_size: "字号", font: "字体", color: "颜色", border: "描边", border_color: "描边颜色", margin: "边距", strength: "强度",
  mode: "模式", interval_s: "间隔", count: "数量", times: "指定时刻", frame_type: "取帧方式", fill: "填充方式", format: "格式", lossless: "无损", columns: "列数", lines: "行数", cell_width: "单图宽", cell_height: "单图高", padding: "单图间距", keep_cells: "保留单图", vtt: "VTT 指向", image_playlist: "图片播放列表", black_level: "黑帧阈值", pixel_black_threshold: "黑像素阈值",
  duration_s: "时长", pieces: "片段数", colors: "颜色数", dither: "抖动", loops: "循环次数", checks: "检查项", fail_on: "判为失败",
  black_min_s: "最短黑场", black_pixel: "黑像素亮度", black_picture_percent: "黑画面占比", freeze_min_s: "最短静帧", freeze_noise_db: "静帧噪声", silence_min_s: "最短静音", silence_db: "静音电平", clipping_db: "削波电平", clipping_samples: "连续削波样本", loudness_lufs: "目标响度", loudness_tolerance_lu: "响度容差", loudness_range_max_lu: "最大响度范围", true_peak_max_dbtp: "最大真峰值", luma_range: "亮度范围", chroma_range: "色度范围", levels_percent: "越界占比", repeats_percent: "重复帧占比", interlace_percent: "隔行占比", av_start_max_ms: "音画开始偏差", av_end_max_ms: "音画结束偏差", phase_correlation: "相位相关", phase_min_s: "最短反相",
  timeout_s: "超时", on_timeout: "超时处理", instructions: "审核说明", exec: "本机程序", answer_within_s: "异步答复期限", on_review: "判为待审时", review: "人工审核", parameters: "参数", outputs_of: "复制哪些活动的输出",
};

const ENGLISH: Record<string, string> = {
  id: "Id", group: "Output groups", output: "Renditions", watermark: "Watermarks", mosaic: "Boxes that hide", subtitle: "Subtitle files", clip: "Part of the source", success: "Succeeds when", fail_on: "Fails on", partial: "Accept parts", rendition: "Place in the set", url: "Address", exec: "Program", needs: "Runs after", when: "Runs when", gop_s: "Key frame interval", gop_frames: "Key frame interval in frames", bframes: "B-frames", crf: "CRF", svg: "SVG", vtt: "VTT names", iv: "IV", fps: "Frame rate", max_fps: "Most frames a second",
  auth_key: "Auth key", long_short: "Width is the long edge", on_conflict: "When a name is taken", after: "Source afterwards", existing: "Existing files", count: "Number", times: "At these moments", on_timeout: "When nobody answers", outputs_of: "Outputs of", library: "Media library", rate: "Rate control", text: "Text", burn: "Burnt-in subtitles", head: "Opening slates", tail: "Closing slates", inputs: "Joined files", bufsize_kbps: "Buffer",
};

const UNITS = /_(s|ms|kbps|hz|db|dbtp|lufs|lu|percent|bytes)$/;

export function keyName(key: string): string {
  if (language.value === "zh") return CHINESE[key] ?? key;
  const known = ENGLISH[key];
  if (known) return known;
  const text = key.replace(UNITS, "").replace(/_/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
