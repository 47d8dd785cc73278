// How a storage is doing, in a word, a bar and a box.
import type { ComponentChildren } from "preact";
import { words } from "../../words.ts";
import { Bar } from "../../parts/bar.tsx";
import { number, percent, size } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Status } from "../../parts/status.tsx";
import type { Storage } from "./storage.ts";

const t = words({
  available: ["well", "正常"],
  scanning: ["first scan", "首次扫描"],
  waiting: ["not looked at yet", "尚未检查"],
  unavailable: ["not reachable", "不可用"],
  frozen: ["frozen", "已冻结"],
  broken: ["cannot be used", "无法使用"],
  free: ["{free} of {total} free", "可用 {free}，共 {total}"],
  room: ["Room in use", "已用空间"],
  no_room: ["room is the service's matter", "空间由服务管理"],
  scan: ["Scan", "扫描"],
  found: ["{n} objects so far", "已发现 {n} 个对象"],
  found_of: ["{n} of about {of} objects", "已发现 {n} 个，共约 {of} 个对象"],
  first_scan: ["The first scan: what it meets triggers nothing.", "首次扫描：扫描到的已有文件不会触发任务。"],
  watch_inotify: ["told at once (inotify)", "即时通知（inotify）"],
  watch_poll: ["scanned again and again", "轮询扫描"],
  watch_list: ["listed again and again", "轮询列举"],
  watch_notify: ["told by notifications", "事件通知"],
  watch_off: ["not watched", "不监视"],
  watch_waiting: ["not looked at yet", "尚未检查"],
  folder: ["Folder", "目录"],
  s3: ["Bucket", "存储桶"],
});

const WORDS = { available: "ok", scanning: "Processing", waiting: "Waiting", unavailable: "unavailable", frozen: "frozen", broken: "Failed" } as const;

export const kindName = (kind: string): string => t(kind === "s3" ? "s3" : "folder");

export function watchName(watch: string): string {
  const key = `watch_${watch}` as Parameters<typeof t>[0];
  return ["inotify", "poll", "list", "notify", "off", "waiting"].includes(watch) ? t(key) : watch;
}

export function Health({ storage }: { storage: Storage }) {
  return <Status status={WORDS[storage.status] ?? "Waiting"} text={t(storage.status)} />;
}

export function KindIcon({ storage, size: edge = 20 }: { storage: Storage; size?: number }) {
  return <Icon name={storage.kind === "s3" ? "bucket" : "folder"} size={edge} />;
}

/// How full its file system is.
export function Room({ storage }: { storage: Storage }) {
  const { free_bytes: free, total_bytes: total } = storage;
  if (free === null || !total) return storage.kind === "s3" ? <p class="muted">{t("no_room")}</p> : null;
  const used = ((total - free) * 100) / total;
  return (
    <div class="st-room">
      <Bar percent={used} label={t("room")} tone={used > 95 ? "bad" : used > 85 ? "wait" : "run"} />
      <span>{t("free", { free: size(free), total: size(total) })} <span class="muted">({percent(100 - used)})</span></span>
    </div>
  );
}

/// The whole scan that goes on.
export function ScanProgress({ storage }: { storage: Storage }) {
  const scan = storage.scan;
  if (!scan) return null;
  const of = scan.expected;
  const text = of ? t("found_of", { n: number(scan.found), of: number(of) }) : t("found", { n: number(scan.found) });
  return (
    <div class="st-scan">
      {of ? <Bar percent={(scan.found * 100) / of} label={t("scan")} /> : null}
      <p class="muted">{t("scan")}: {text}{scan.first ? ` · ${t("first_scan")}` : ""}</p>
    </div>
  );
}

/// What somebody should read, with what can be done about it.
export function Trouble({ tone, text, children }: { tone: "bad" | "wait"; text: string; children?: ComponentChildren }) {
  return (
    <div class={`st-trouble tone-${tone}`}>
      <Icon name={tone === "bad" ? "warn" : "snow"} size={18} />
      <div><p>{text}</p>{children}</div>
    </div>
  );
}
