// How a media stands, and what it is, in words.
import { Badge } from "../../parts/status.tsx";
import { words } from "../../words.ts";

const t = words({
  Preparing: ["preparing", "准备中"],
  Normal: ["ready", "可用"],
  Failed: ["unreadable", "无法读取"],
  Blocked: ["blocked", "已屏蔽"],
  Deleted: ["deleted", "已删除"],
  video: ["video", "视频"],
  audio: ["audio", "音频"],
  image: ["image", "图片"],
  text: ["text", "文本"],
  arrival: ["arrived in a storage", "存储自动发现"],
  upload: ["uploaded", "上传"],
  pull: ["fetched by URL", "URL 拉取"],
  reference: ["registered", "登记引用"],
  waiting: ["waiting", "待审核"],
  approved: ["approved", "已通过"],
  blocked: ["blocked", "已屏蔽"],
  expired: ["expired", "已过期"],
  canceled: ["withdrawn", "已撤回"],
});

type Word = Parameters<typeof t>[0];
export const STATES = ["Preparing", "Normal", "Failed", "Blocked", "Deleted"] as const;
export const KINDS = ["video", "audio", "image", "text"] as const;
export const ORIGINS = ["arrival", "upload", "pull", "reference"] as const;
const TONES: Record<string, string> = { Preparing: "run", Normal: "good", Failed: "bad", Blocked: "bad", Deleted: "idle", waiting: "wait", approved: "good", blocked: "bad", expired: "idle", canceled: "idle" };

export const wordOf = (word: string): string => t(word as Word);

export function State({ state }: { state: string }) {
  return <Badge tone={TONES[state] ?? "idle"}>{wordOf(state)}</Badge>;
}
