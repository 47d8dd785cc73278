// Adding a file to a media: subtitles, pictures, a rendition made elsewhere; sent from here, or standing in a storage.
import { useState } from "preact/hooks";
import { ask, call, post } from "../../api.ts";
import { openDialog } from "../../parts/dialog.tsx";
import { SelectField, TextField } from "../../parts/form.tsx";
import { attempt } from "../../parts/toast.tsx";
import { words } from "../../words.ts";

const t = words({
  add: ["Add a file", "添加文件"],
  what: ["What it is", "类型"],
  subtitle: ["Subtitles", "字幕"],
  watermark: ["Watermark", "水印"],
  image: ["Picture", "图片"],
  other: ["Something else", "其他"],
  rendition: ["Rendition made elsewhere", "外部版本"],
  from: ["Where it is", "文件位置"],
  here: ["On this computer", "本机"],
  there: ["In a storage", "存储中"],
  file: ["File", "文件"],
  object: ["Object", "对象"],
  object_help: ["Written as STORAGE:KEY.", "格式为 存储:路径。"],
  title: ["Title", "标题"],
  language: ["Language", "语言"],
  language_help: ["As en, zh-Hans, de.", "例如 en、zh-Hans、de。"],
  cancel: ["Cancel", "取消"],
  deed: ["Add", "添加"],
  added: ["The file was added.", "文件已添加。"],
});

interface Wanted {
  kind: string;
  object: string;
  file: File | null;
  title: string;
  language: string;
}

export async function addFile(media: string): Promise<boolean> {
  const wanted = await openDialog<Wanted>(t("add"), (close) => <Form close={close} />);
  if (!wanted) return false;
  return (await attempt(() => send(media, wanted), t("added"))) !== undefined;
}

async function send(media: string, wanted: Wanted): Promise<true> {
  const rendition = wanted.kind === "rendition";
  const said = { title: wanted.title, language: wanted.language || undefined };
  if (!wanted.file) {
    await post(`media/${media}/${rendition ? "renditions" : "attachments"}`, { ...said, object: wanted.object.trim(), kind: rendition ? undefined : wanted.kind });
    return true;
  }
  const upload = await call<{ id: string }>("uploads", { json: { ...said, media, role: rendition ? "rendition" : "attachment", kind: rendition ? undefined : wanted.kind, file_name: wanted.file.name, size_bytes: wanted.file.size } });
  if (wanted.file.size > 0) await ask(`uploads/${upload.id}`, { method: "PUT", body: wanted.file });
  return true;
}

function Form({ close }: { close: (wanted?: Wanted) => void }) {
  const [kind, setKind] = useState("subtitle");
  const [from, setFrom] = useState("here");
  const [object, setObject] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [title, setTitle] = useState("");
  const [language, setLanguage] = useState("");
  const ready = from === "here" ? file !== null : object.includes(":");
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      if (ready) close({ kind, object, file: from === "here" ? file : null, title: title.trim(), language: language.trim() });
    }}>
      <SelectField label={t("what")} value={kind} onInput={setKind} choices={(["subtitle", "watermark", "image", "rendition", "other"] as const).map((value) => ({ value, text: t(value) }))} />
      <SelectField label={t("from")} value={from} onInput={setFrom} choices={[{ value: "here", text: t("here") }, { value: "there", text: t("there") }]} />
      {from === "here"
        ? <div class="field"><label for="media-add-file">{t("file")}</label><input id="media-add-file" type="file" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} /></div>
        : <TextField label={t("object")} value={object} onInput={setObject} help={t("object_help")} mono placeholder="renditions:clip/en.vtt" />}
      <TextField label={t("title")} value={title} onInput={setTitle} />
      <TextField label={t("language")} value={language} onInput={setLanguage} help={t("language_help")} />
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => close()}>{t("cancel")}</button>
        <button type="submit" class="button primary" disabled={!ready}>{t("deed")}</button>
      </div>
    </form>
  );
}
