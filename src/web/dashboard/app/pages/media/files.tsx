// The files of a media: source, outputs with their proof, renditions made elsewhere, attachments; to download, to link to.
import { Scroll } from "../../parts/scroll.tsx";
import { useState } from "preact/hooks";
import { remove } from "../../api.ts";
import { copyText } from "../../parts/copy.tsx";
import { confirm, openDialog } from "../../parts/dialog.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Card } from "../../parts/page.tsx";
import { Badge } from "../../parts/status.tsx";
import { number, size } from "../../parts/format.ts";
import { attempt, tellDone } from "../../parts/toast.tsx";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { addFile } from "./adding.tsx";
import { MemberTable } from "./members.tsx";
import { FactSheet } from "./facts.tsx";
import { type Addition, fileOf, here, type MediaDetail, type Output } from "./shapes.ts";

const t = words({
  source: ["Source", "源文件"],
  outputs: ["Outputs", "产物"],
  no_outputs: ["Nothing was made of it yet.", "尚无产物。"],
  renditions: ["Renditions made elsewhere", "外部版本"],
  attachments: ["Attachments", "附件"],
  no_attachments: ["None. Subtitles added here can be shown in the player.", "无。在此添加的字幕可在播放器中显示。"],
  name: ["Name", "名称"],
  kind: ["Kind", "类型"],
  bytes: ["Size", "大小"],
  files: ["{n} files", "{n} 个文件"],
  proof: ["Proof", "校验"],
  proved: ["proved ({n})", "已校验（{n}）"],
  proof_of: ["Proof of {name}", "“{name}”的校验"],
  check: ["Check", "检查项"],
  expected: ["Expected", "期望"],
  found: ["Found", "实际"],
  md5: ["MD5", "MD5"],
  download: ["Download {name}", "下载 {name}"],
  open: ["Open {name}", "打开 {name}"],
  copy: ["Copy the URL of {name}", "复制 {name} 的链接"],
  copied: ["The URL was copied. It works for six hours, without a token.", "链接已复制，六小时内有效，无需令牌。"],
  facts: ["Facts of {name}", "“{name}”的媒体信息"],
  publishing: ["publishing", "发布中"],
  task: ["Task", "任务"],
  add: ["Add a file", "添加文件"],
  drop: ["Remove {name}", "移除 {name}"],
  drop_text: ["It is no longer part of this media.", "它将不再属于此媒资。"],
  drop_file: ["Delete the file too", "同时删除文件"],
  dropped: ["It was removed.", "已移除。"],
  remove: ["Remove", "移除"],
});

const share = (url: string, name: string) => (
  <>
    <a class="icon-button" href={here(url)} target="_blank" rel="noopener" aria-label={t("open", { name })} title={t("open", { name })}><Icon name="external" size={17} /></a>
    <a class="icon-button" href={here(url)} download={name} aria-label={t("download", { name })} title={t("download", { name })}><Icon name="download" size={17} /></a>
    <button type="button" class="icon-button" aria-label={t("copy", { name })} title={t("copy", { name })} onClick={() => void copyText(url).then((ok) => ok && tellDone(t("copied")))}><Icon name="copy" size={17} /></button>
  </>
);

export function Files({ media, source, onChange }: { media: MediaDetail; source: string | null; onChange: () => void }) {
  const tasks = [...new Set(media.outputs.map((output) => output.task))];
  return (
    <div class="stack">
      <Card title={t("source")}>
        <p class="media-file"><span class="media-file-name mono" title={media.object}>{media.object}</span><span class="muted nowrap">{size(media.size_bytes)}</span><span class="media-file-deeds">{source && share(source, fileOf(media.object))}</span></p>
        {media.parts && <MemberTable members={media.parts} />}
      </Card>
      <Card title={t("outputs")}>
        {media.outputs.length === 0 && <p class="muted">{t("no_outputs")}</p>}
        {tasks.map((task) => (
          <section key={task} class="media-made">
            <h3>{media.tasks.find((one) => one.id === task)?.workflow.name ?? task} <a href={`/tasks/${task}`}>{t("task")}</a></h3>
            {media.outputs.filter((output) => output.task === task).map((output) => <OutputLine key={output.id} output={output} />)}
          </section>
        ))}
      </Card>
      {media.renditions.length > 0 && <Card title={t("renditions")}>{media.renditions.map((one) => <AdditionLine key={one.id} media={media.id} addition={one} onChange={onChange} />)}</Card>}
      <Card title={t("attachments")} deeds={isOperator.value && <button type="button" class="button small" onClick={() => void addFile(media.id).then((done) => done && onChange())}><Icon name="plus" size={16} />{t("add")}</button>}>
        {media.attachments.length === 0 && <p class="muted">{t("no_attachments")}</p>}
        {media.attachments.map((one) => <AdditionLine key={one.id} media={media.id} addition={one} onChange={onChange} />)}
      </Card>
    </div>
  );
}

function OutputLine({ output }: { output: Output }) {
  const checks = output.detail?.proof?.checks ?? [];
  const name = fileOf(output.object);
  const facts = output.detail?.facts;
  return (
    <div class="media-file">
      <span class="media-file-kind"><Badge>{output.group || output.kind}</Badge></span>
      <span class="media-file-name"><b>{output.name}</b> <span class="mono muted" title={output.object}>{name}</span></span>
      <span class="muted nowrap">{output.file_count > 1 && `${t("files", { n: number(output.file_count) })}, `}{size(output.size_bytes)}</span>
      <span class="media-file-deeds">
        {output.status !== "published" && <Badge tone="run">{t("publishing")}</Badge>}
        {facts && <button type="button" class="icon-button" aria-label={t("facts", { name: output.name })} title={t("facts", { name: output.name })} onClick={() => void openDialog(t("facts", { name: output.name }), () => <FactSheet facts={facts} />, { wide: true })}><Icon name="info" size={17} /></button>}
        {checks.length > 0 && <button type="button" class="button small ghost media-proved" onClick={() => void openDialog(t("proof_of", { name: output.name }), () => <ProofTable output={output} />, { wide: true })}><Icon name="check" size={15} />{t("proved", { n: checks.length })}</button>}
        {output.url && share(output.url, name)}
      </span>
    </div>
  );
}

function ProofTable({ output }: { output: Output }) {
  return (
    <Scroll>
      {output.md5 && <p class="row"><span class="muted">{t("md5")}</span><code>{output.md5}</code></p>}
      <table class="media-table">
        <thead><tr><th>{t("check")}</th><th>{t("expected")}</th><th>{t("found")}</th></tr></thead>
        <tbody>{output.detail?.proof?.checks.map((check) => <tr key={check.name}><th scope="row"><Icon name={check.ok ? "check" : "cross"} size={15} /> {check.name}</th><td>{check.expected}</td><td>{check.found}</td></tr>)}</tbody>
      </table>
    </Scroll>
  );
}

function AdditionLine({ media, addition, onChange }: { media: string; addition: Addition; onChange: () => void }) {
  const name = addition.title || fileOf(addition.object);
  const drop = async () => {
    const wish = { file: false };
    const yes = await confirm(t("drop", { name }), <DropText wish={wish} />, t("remove"), { danger: true });
    if (!yes) return;
    const path = `media/${media}/${addition.role === "attachment" ? "attachments" : "renditions"}/${addition.id}${wish.file ? "?file=true" : ""}`;
    if ((await attempt(() => remove(path).then(() => true), t("dropped"))) !== undefined) onChange();
  };
  return (
    <div class="media-file">
      <span class="media-file-kind"><Badge>{addition.kind}</Badge></span>
      <span class="media-file-name"><b>{name}</b>{addition.language && <span> {addition.language}</span>} <span class="mono muted" title={addition.object}>{addition.object}</span></span>
      <span class="muted nowrap">{size(addition.size_bytes)}</span>
      <span class="media-file-deeds">
        {share(addition.url, fileOf(addition.object))}
        {isOperator.value && <button type="button" class="icon-button" aria-label={t("drop", { name })} title={t("drop", { name })} onClick={() => void drop()}><Icon name="trash" size={17} /></button>}
      </span>
    </div>
  );
}

function DropText({ wish }: { wish: { file: boolean } }) {
  const [file, setFile] = useState(false);
  return (
    <>
      <p>{t("drop_text")}</p>
      <label class="row"><input type="checkbox" checked={file} onChange={() => {
        wish.file = !file;
        setFile(!file);
      }} />{t("drop_file")}</label>
    </>
  );
}
