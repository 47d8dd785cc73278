// Output groups of a transcode: each a packaging and a table of its renditions, edited in place. A rung is added as the
// next smaller one, or copied; everything about it opens beneath its row.
import { useState } from "preact/hooks";
import { words } from "../words.ts";
import { Icon } from "../parts/icon.tsx";
import { Draft } from "./fields.tsx";
import { PartField, TableForm, type FormContext } from "./form.tsx";
import { keyName } from "./key_names.ts";
import { set } from "./definition.ts";
import { type Schema, asTable, deref } from "./schema.ts";
import type { Table, Value } from "./toml.ts";

const t = words({
  group: ["Group {n}: {name}", "输出组 {n}：{name}"],
  add_group: ["Add a group", "添加输出组"],
  copy_group: ["Copy this group", "复制此输出组"],
  remove_group: ["Delete this group", "删除此输出组"],
  renditions: ["Renditions", "转码档"],
  name: ["Name", "名称"],
  video: ["Video", "视频"],
  height: ["Height", "高"],
  rate: ["Rate", "码控"],
  quality: ["Bitrate or CRF", "码率或 CRF"],
  cap: ["Cap", "上限"],
  audio: ["Audio", "音频"],
  audio_rate: ["Audio bitrate", "音频码率"],
  none: ["none", "无"],
  source: ["source", "同源"],
  auto: ["auto", "自动"],
  add: ["Add a rung", "添加一档"],
  add_audio: ["Add audio alone", "添加纯音频"],
  copy: ["Copy {name}", "复制 {name}"],
  remove: ["Delete {name}", "删除 {name}"],
  open: ["All settings of {name}", "{name} 的全部设置"],
  of: ["{what} of {name}", "{name} 的{what}"],
  wrong: ["{name}: something is wrong", "{name}：存在问题"],
});

/// Usual rungs: height, average, cap (kbit/s).
const RUNGS: [number, number, number][] = [[2160, 16000, 24000], [1440, 9000, 13500], [1080, 6000, 9000], [720, 3000, 4500], [540, 2000, 3000], [480, 1400, 2100], [360, 800, 1200], [240, 400, 600], [144, 200, 300]];

export const rung = (height: number): Table => {
  const [, bitrate, cap] = RUNGS.find(([one]) => one <= height) ?? [0, 200, 300];
  return { name: `${height}p`, video: { codec: "h264", height, preset: "veryfast", rate: "vbr", bitrate_kbps: bitrate, max_bitrate_kbps: cap, bufsize_kbps: bitrate * 2 }, audio: { codec: "aac", bitrate_kbps: 128 } };
};

export function Groups({ context, schema, path, value, onChange }: { context: FormContext; schema: Schema; path: string; value: Table[]; onChange: (value: Value | undefined) => void }) {
  const group = deref(context.root, schema.items ?? {});
  const put = (next: Table[]) => onChange(next);
  return (
    <div class="sf-entries">
      {value.map((entry, at) => (
        <div class="sf-entry" key={at}>
          <header>
            <h5>{t("group", { n: at + 1, name: String(entry.name || entry.kind || "") })}</h5>
            {!context.disabled && <span class="sf-entry-deeds">
              <button type="button" class="icon-button" disabled={context.disabled} aria-label={t("copy_group")} title={t("copy_group")} onClick={() => put(value.toSpliced(at + 1, 0, set(structuredClone(entry), "name", undefined)))}><Icon name="copy" size={16} /></button>
              <button type="button" class="icon-button" disabled={context.disabled} aria-label={t("remove_group")} title={t("remove_group")} onClick={() => put(value.toSpliced(at, 1))}><Icon name="trash" size={16} /></button>
            </span>}
          </header>
          <TableForm context={context} schema={group} of="group" path={`${path}[${at}]`} hide={["output"]} value={entry} onChange={(next) => put(value.with(at, next))} />
          <Outputs context={context} schema={deref(context.root, group.properties?.output ?? {})} path={`${path}[${at}].output`} value={(Array.isArray(entry.output) ? entry.output : []).map((one) => asTable(one) ?? {})} onChange={(outputs) => put(value.with(at, set(entry, "output", outputs)))} />
        </div>
      ))}
      {!context.disabled && <button type="button" class="button small" onClick={() => put([...value, value.length === 0 ? { kind: "file", container: "mp4", output: [rung(1080), rung(720), rung(480)] } : { kind: "hls", output: structuredClone(value[0]?.output ?? [rung(720)]) }])}><Icon name="plus" size={16} />{t("add_group")}</button>}
    </div>
  );
}

/// A name that no other rung of the group has.
function freeName(outputs: Table[], wish: string): string {
  const taken = new Set(outputs.map((one) => one.name));
  if (!taken.has(wish)) return wish;
  for (let number = 2; ; number += 1) if (!taken.has(`${wish}-${number}`)) return `${wish}-${number}`;
}

function nextRung(outputs: Table[]): Table {
  const heights = outputs.map((one) => Number(asTable(one.video)?.height)).filter((height) => height > 0);
  const below = RUNGS.find(([height]) => height < Math.min(...heights, 2161))?.[0] ?? 144;
  const made = rung(heights.length > 0 ? below : 1080);
  // The new one is like the last in all but size and rate.
  const last = asTable(outputs.at(-1)?.video);
  const video = made.video as Table;
  if (last) {
    const like: Table = { ...structuredClone(last), height: video.height as number };
    delete like.width;
    for (const key of ["bitrate_kbps", "max_bitrate_kbps", "bufsize_kbps"]) if (last[key] !== undefined) like[key] = video[key] as number;
    made.video = like;
  }
  const audio = asTable(outputs.at(-1)?.audio);
  if (outputs.length > 0) {
    if (audio) made.audio = structuredClone(audio);
    else delete made.audio;
  }
  return { ...made, name: freeName(outputs, String(made.name)) };
}

function Outputs({ context, schema, path, value, onChange }: { context: FormContext; schema: Schema; path: string; value: Table[]; onChange: (value: Table[]) => void }) {
  const [open, setOpen] = useState<number | null>(null);
  const output = deref(context.root, schema.items ?? {});
  const video = deref(context.root, output.properties?.video ?? {});
  const audio = deref(context.root, output.properties?.audio ?? {});
  const wrong = (at: number) => context.findings.filter((one) => one.path === `${path}[${at}]` || one.path.startsWith(`${path}[${at}].`));
  return (
    <div class="sf-outputs">
      <div class="sf-outputs-scroll">
        <table>
          <caption class="sf-hidden">{t("renditions")}</caption>
          <thead>
            <tr><th>{t("name")}</th><th>{t("video")}</th><th>{t("height")}</th><th>{t("rate")}</th><th>{t("quality")}</th><th>{t("cap")}</th><th>{t("audio")}</th><th>{t("audio_rate")}</th><th /></tr>
          </thead>
          <tbody>
            {value.map((one, at) => (
              <Row key={at} {...{ context, output: one, video, audio, findings: wrong(at), path: `${path}[${at}]` }}
                open={open === at} toggle={() => setOpen(open === at ? null : at)}
                onChange={(next) => onChange(value.with(at, next))}
                copy={() => {
                  onChange(value.toSpliced(at + 1, 0, { ...structuredClone(one), name: freeName(value, String(one.name ?? "rung")) }));
                  setOpen(null);
                }}
                remove={() => {
                  onChange(value.toSpliced(at, 1));
                  setOpen(null);
                }} />
            ))}
          </tbody>
        </table>
      </div>
      {open !== null && value[open] && (
        <div class="sf-output-whole">
          <h5>{t("open", { name: String(value[open].name ?? open + 1) })}</h5>
          {(["video", "audio", "rendition"] as const).map((key) => (
            <PartField key={key} context={context} name={key} schema={output.properties?.[key] ?? {}} path={`${path}[${open}].${key}`} value={value[open]?.[key]} help={output.properties?.[key]?.description} onChange={(next) => onChange(value.with(open, set(value[open] as Table, key, next)))} />
          ))}
        </div>
      )}
      {!context.disabled && <div class="row">
        <button type="button" class="button small" disabled={value.length >= 30} onClick={() => onChange([...value, nextRung(value)])}><Icon name="plus" size={16} />{t("add")}</button>
        <button type="button" class="button small ghost" disabled={value.length >= 30} onClick={() => onChange([...value, { name: freeName(value, "audio"), audio: { codec: "aac", bitrate_kbps: 128 } }])}><Icon name="volume" size={16} />{t("add_audio")}</button>
      </div>}
    </div>
  );
}

interface RowProps {
  context: FormContext;
  output: Table;
  video: Schema;
  audio: Schema;
  findings: { path: string; why: string }[];
  path: string;
  open: boolean;
  toggle: () => void;
  onChange: (output: Table) => void;
  copy: () => void;
  remove: () => void;
}

function Row({ context, output, video, audio, findings, path, open, toggle, onChange, copy, remove }: RowProps) {
  const name = String(output.name ?? "");
  const pictures = asTable(output.video);
  const sound = asTable(output.audio);
  const inVideo = (key: string, value: Value | undefined) => onChange({ ...output, video: set(pictures ?? {}, key, value) });
  const inAudio = (key: string, value: Value | undefined) => onChange({ ...output, audio: set(sound ?? {}, key, value) });
  const label = (what: string) => t("of", { what, name });
  const bad = (key: string) => (findings.some((one) => one.path === `${path}.${key}`) ? true : undefined);
  const number = (text: string): Value | undefined => (text.trim() === "" ? undefined : Number.isFinite(Number(text)) ? Number(text) : text);
  const cell = (table: "video" | "audio", key: string, placeholder: string, there: boolean, put: (key: string, value: Value | undefined) => void) => (
    <td>{there && <Draft value={asTable(output[table])?.[key] === undefined ? "" : String(asTable(output[table])?.[key])} placeholder={placeholder} inputMode="decimal" disabled={context.disabled} aria-label={label(keyName(key))} aria-invalid={bad(`${table}.${key}`)} onDraft={(text) => put(key, number(text))} />}</td>
  );
  const codecs = (schema: Schema) => schema.properties?.codec?.enum ?? [];
  const rated = pictures !== undefined && ["h264", "hevc", "av1", "vp9", "mpeg2"].includes(String(pictures.codec));
  const rate = String(pictures?.rate ?? "crf");
  return (
    <>
      <tr class={findings.length > 0 ? "sf-row-bad" : undefined}>
        <td><Draft value={name} disabled={context.disabled} aria-label={label(t("name"))} aria-invalid={bad("name")} onDraft={(text) => onChange({ ...output, name: text })} /></td>
        <td>
          <select value={String(pictures?.codec ?? "")} disabled={context.disabled} aria-label={label(t("video"))} onChange={(event) => {
            const codec = event.currentTarget.value;
            if (codec) inVideo("codec", codec);
            else onChange(set(output, "video", undefined));
          }}>
            <option value="">{t("none")}</option>
            {codecs(video).map((one) => <option key={String(one)} value={String(one)} selected={one === pictures?.codec}>{String(one)}</option>)}
          </select>
        </td>
        {cell("video", "height", t("source"), pictures !== undefined && pictures.codec !== "copy", inVideo)}
        <td>{rated && (
          <select value={String(pictures?.rate ?? "")} disabled={context.disabled} aria-label={label(t("rate"))} onChange={(event) => inVideo("rate", event.currentTarget.value || undefined)}>
            <option value="">crf</option>
            {(video.properties?.rate?.enum ?? []).filter((one) => one !== "crf" || pictures?.rate === "crf").map((one) => <option key={String(one)} value={String(one)} selected={one === pictures?.rate}>{String(one)}</option>)}
          </select>
        )}</td>
        {rate === "crf" ? cell("video", "crf", t("auto"), rated, inVideo) : cell("video", "bitrate_kbps", "kbit/s", rated, inVideo)}
        {cell("video", "max_bitrate_kbps", t("none"), rated, inVideo)}
        <td>
          <select value={String(sound?.codec ?? "")} disabled={context.disabled} aria-label={label(t("audio"))} onChange={(event) => {
            const codec = event.currentTarget.value;
            if (codec) inAudio("codec", codec);
            else onChange(set(output, "audio", undefined));
          }}>
            <option value="">{t("none")}</option>
            {codecs(audio).map((one) => <option key={String(one)} value={String(one)} selected={one === sound?.codec}>{String(one)}</option>)}
          </select>
        </td>
        {cell("audio", "bitrate_kbps", t("auto"), sound !== undefined && !["flac", "pcm", "copy"].includes(String(sound.codec)), inAudio)}
        <td class="sf-row-deeds">
          <button type="button" class="icon-button" aria-expanded={open} aria-label={t("open", { name })} title={t("open", { name })} onClick={toggle}><Icon name="settings" size={16} /></button>
          {!context.disabled && <button type="button" class="icon-button" aria-label={t("copy", { name })} title={t("copy", { name })} onClick={copy}><Icon name="copy" size={16} /></button>}
          {!context.disabled && <button type="button" class="icon-button" aria-label={t("remove", { name })} title={t("remove", { name })} onClick={remove}><Icon name="trash" size={16} /></button>}
        </td>
      </tr>
      {findings.length > 0 && <tr class="sf-row-why"><td colSpan={9} role="alert">{findings.map((one) => `${one.path.slice(path.length + 1)} ${one.why}`).join("; ")}</td></tr>}
    </>
  );
}
