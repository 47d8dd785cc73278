// A workflow over the storage: the shipped one, one that is there, or a new one with the activities of a preset.
import { useState } from "preact/hooks";
import { post } from "../../api.ts";
import { words } from "../../words.ts";
import { SelectField, TextField } from "../../parts/form.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { attempt } from "../../parts/toast.tsx";
import type { Storage } from "../storages/storage.ts";

const t = words({
  why: ["A workflow says what is made of every film that lands. Take one that ships, or begin with a preset and change it later in the editor.", "工作流规定如何处理到达的每部影片。可使用自带的工作流，或从预置开始，之后在编辑器中修改。"],
  there: ["Workflows over {name} that are not enabled", "{name} 上未启用的工作流"],
  enable: ["Enable {name}", "启用 {name}"],
  make: ["Make one from a preset", "由预置创建"],
  name: ["Name", "名称"],
  preset: ["What it makes", "处理内容"],
  output: ["Results go to", "结果存入"],
  same: ["{name}, beside the films", "{name}，与影片相同的存储"],
  make_do: ["Make and enable it", "创建并启用"],
  ladder: ["web-ladder: MP4 and HLS renditions, sprite, poster", "web-ladder：MP4 与 HLS 多码率、雪碧图、封面"],
  proxy: ["edit-proxy: a proxy for editing", "edit-proxy：剪辑代理文件"],
  audio: ["audio-only: the sound as AAC", "audio-only：仅音频（AAC）"],
  sheet: ["contact-sheet: still pictures and sheets", "contact-sheet：截图与拼图"],
  editor: ["Or draw one in the editor", "或在编辑器中绘制"],
});

export interface Flow {
  id: string;
  name: string;
  origin: "file" | "api" | "preset";
  enabled: boolean;
  source: { kind: string; storage: string | null; prefix: string; trigger: string };
  output: { storage: string | null; prefix: string | null };
}

/// It takes by itself what lands in the storage.
export const isOver = (flow: Flow, storage: string): boolean => flow.source.kind === "storage" && flow.source.trigger === "automatic" && (flow.source.storage === storage || flow.source.storage === null || flow.source.storage === "*");

export function FlowStep({ storage, storages, flows, done }: { storage: Storage; storages: Storage[]; flows: Flow[]; done: (id: string) => void }) {
  const sleeping = flows.filter((flow) => !flow.enabled && isOver(flow, storage.name));
  const others = storages.filter((one) => one.name !== storage.name && one.status !== "broken");
  const taken = new Set(flows.map((flow) => flow.name));
  const free = (wish: string): string => {
    let name = wish;
    for (let n = 2; taken.has(name); n += 1) name = `${wish}-${n}`;
    return name;
  };
  const [preset, setPreset] = useState("web-ladder");
  const [given, setGiven] = useState<string | null>(null);
  const [output, setOutput] = useState(others.find((one) => one.watch === "off")?.name ?? storage.name);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const name = given ?? free(`${storage.name}-${preset}`);
  const make = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const made = await post<Flow>("workflows", { name, preset, enabled: true, source: { storage: storage.name }, output: { storage: output } });
      if (!made.enabled) await post(`workflows/${made.id}/enable`);
      done(made.id);
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <p class="fr-why">{t("why")}</p>
      {sleeping.length > 0 && (
        <>
          <h3>{t("there", { name: storage.name })}</h3>
          <ul class="fr-choices">
            {sleeping.map((flow) => (
              <li key={flow.id}>
                <span><b>{flow.name}</b></span>
                <button type="button" class="button small" onClick={() => void attempt(() => post(`workflows/${flow.id}/enable`).then(() => done(flow.id)))}>{t("enable", { name: flow.name })}</button>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>{t("make")}</h3>
      <form onSubmit={(event) => void make(event)}>
        <div class="fields">
          <SelectField label={t("preset")} value={preset} onInput={setPreset} choices={[
            { value: "web-ladder", text: t("ladder") },
            { value: "edit-proxy", text: t("proxy") },
            { value: "audio-only", text: t("audio") },
            { value: "contact-sheet", text: t("sheet") },
          ]} />
          <TextField label={t("name")} value={name} onInput={setGiven} required maxLength={128} />
          <SelectField label={t("output")} value={output} onInput={setOutput} choices={[
            { value: storage.name, text: t("same", { name: storage.name }) },
            ...others.map((one) => ({ value: one.name, text: one.name })),
          ]} />
        </div>
        <ErrorBox error={error} />
        <div class="row">
          <button type="submit" class="button primary" disabled={busy}>{t("make_do")}</button>
          <a class="button ghost" href="/workflows/new">{t("editor")}</a>
        </div>
      </form>
    </>
  );
}
