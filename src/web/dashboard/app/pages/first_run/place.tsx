// A storage that films land in: one that is there, or a folder beneath what the configuration opens.
import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useResource } from "../../resource.ts";
import { words } from "../../words.ts";
import { SelectField, TextField } from "../../parts/form.tsx";
import { size } from "../../parts/format.ts";
import { ErrorBox } from "../../parts/problem.tsx";
import { Health, KindIcon } from "../storages/state.tsx";
import type { Ground, Storage } from "../storages/storage.ts";

const t = words({
  why: ["A storage is a folder of a NAS or of this host, or a bucket. What lands in it starts the workflows that watch it.", "存储可以是 NAS 或本机上的目录，也可以是存储桶。文件到达后会触发监视它的工作流。"],
  take: ["Take {name}", "使用 {name}"],
  there: ["Storages that are there", "已有的存储"],
  make: ["Make a new one", "新建存储"],
  name: ["Name", "名称"],
  beneath: ["Beneath", "位于"],
  folder: ["Folder", "目录"],
  free: ["{free} free", "可用 {free}"],
  make_do: ["Make the storage", "创建存储"],
  others: ["A bucket, or more settings", "存储桶或更多设置"],
  no_roots: ["The configuration opens no folder for new storages: name some in security.storage_roots of reelmill.toml and start the daemon again. A bucket can be added now.", "配置尚未开放新建存储的目录：请在 reelmill.toml 的 security.storage_roots 中添加目录并重启服务。现在可以添加存储桶。"],
});

export function PlaceStep({ storages, chosen, done }: { storages: Storage[]; chosen?: string; done: (name: string) => void }) {
  const ground = useResource<Ground>("system/storages");
  return (
    <>
      <p class="fr-why">{t("why")}</p>
      {storages.length > 0 && (
        <>
          <h3>{t("there")}</h3>
          <ul class="fr-choices">
            {storages.map((storage) => (
              <li key={storage.id} class={storage.name === chosen ? "fr-chosen" : undefined}>
                <KindIcon storage={storage} />
                <span><b>{storage.name}</b><small class="mono">{storage.location}</small></span>
                <Health storage={storage} />
                <button type="button" class="button small" onClick={() => done(storage.name)}>{t("take", { name: storage.name })}</button>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>{t("make")}</h3>
      {ground.error ? <ErrorBox error={ground.error} retry={ground.refresh} /> : null}
      {ground.data && (ground.data.roots.length > 0 ? <Make ground={ground.data} done={done} /> : <p class="help">{t("no_roots")}</p>)}
      <p><a href="/storages/+">{t("others")}</a></p>
    </>
  );
}

function Make({ ground, done }: { ground: Ground; done: (name: string) => void }) {
  const [name, setName] = useState("films");
  const [root, setRoot] = useState((ground.roots.find((one) => one.is_there) ?? ground.roots[0])?.path ?? "");
  const [folder, setFolder] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const within = folder ?? name;
  const make = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const path = `${root.replace(/\/$/, "")}/${within.replace(/^\/+|\/+$/g, "")}`;
      await call("storages", { method: "POST", query: { make_folder: true }, json: { name, kind: "folder", path } });
      done(name);
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void make(event)}>
      <div class="fields">
        <TextField label={t("name")} value={name} onInput={setName} required maxLength={128} />
        <SelectField label={t("beneath")} value={root} onInput={setRoot} choices={ground.roots.map((one) => ({ value: one.path, text: `${one.path} · ${t("free", { free: size(one.free_bytes) })}`, disabled: !one.is_there }))} />
        <TextField label={t("folder")} value={within} onInput={setFolder} mono required />
      </div>
      <ErrorBox error={error} />
      <button type="submit" class="button primary" disabled={busy}>{t("make_do")}</button>
    </form>
  );
}
