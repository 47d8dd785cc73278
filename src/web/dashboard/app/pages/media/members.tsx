// The files of a media that consists of several: numbered pictures, recordings in pieces, cards; and what is missing.
import { Scroll } from "../../parts/scroll.tsx";
import { Icon } from "../../parts/icon.tsx";
import { number, size } from "../../parts/format.ts";
import { words } from "../../words.ts";

const t = words({
  sequence: ["numbered pictures", "图片序列"],
  span: ["recordings one after the other", "连续录制的多个文件"],
  cut: ["one stream in several files", "切分为多个文件的单一码流"],
  count: ["{n} files, {kind}", "{n} 个文件，{kind}"],
  fps: ["{n} fps", "{n} 帧/秒"],
  film: ["film", "画面"],
  sound: ["sound", "声音"],
  beside: ["goes along, is not read", "随附，不读取"],
  file: ["File", "文件"],
  role: ["Role", "用途"],
  bytes: ["Size", "大小"],
  shown: ["The first {n} are shown.", "仅显示前 {n} 个。"],
});

export interface Members {
  kind: string;
  fps: number | null;
  gaps: string | null;
  count: number;
  files: { object: string; size_bytes: number; role: string }[];
}

/// `240 files, numbered pictures, 25 fps`.
export function membersLine(members: Members): string {
  const kind = members.kind === "sequence" || members.kind === "cut" ? t(members.kind) : t("span");
  return [t("count", { n: number(members.count), kind }), members.fps !== null && t("fps", { n: number(members.fps, 3) })].filter(Boolean).join(" · ");
}

/// What is missing of it; nothing where it is whole.
export function Gaps({ members }: { members: Members }) {
  return members.gaps ? <p class="members-gaps tone-wait"><Icon name="warn" size={17} /> {members.gaps}</p> : null;
}

export function MemberTable({ members }: { members: Members }) {
  const read = members.files.filter((file) => file.role !== "beside").length;
  return (
    <>
      <p>{membersLine(members)}</p>
      <Gaps members={members} />
      <Scroll class="members-scroll" label={membersLine(members)}>
        <table class="members-table">
          <thead><tr><th scope="col">{t("file")}</th><th scope="col">{t("role")}</th><th scope="col" class="end">{t("bytes")}</th></tr></thead>
          <tbody>
            {members.files.map((file) => (
              <tr key={file.object}>
                <td class="mono">{file.object}</td>
                <td>{file.role === "sound" || file.role === "beside" ? t(file.role) : t("film")}</td>
                <td class="end nowrap">{size(file.size_bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {read < members.count && <p class="muted">{t("shown", { n: number(members.files.length) })}</p>}
    </>
  );
}
