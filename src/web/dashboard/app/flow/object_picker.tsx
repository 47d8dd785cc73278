// Choosing an object of a storage: typed as `storage:key`, or found folder by folder.
import { useState } from "preact/hooks";
import { usePaged } from "../resource.ts";
import { words } from "../words.ts";
import { openDialog } from "../parts/dialog.tsx";
import { size } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { ErrorBox } from "../parts/problem.tsx";
import { Skeleton } from "../parts/skeleton.tsx";
import { Time } from "../parts/time.tsx";
import "./object_picker.css";

const t = words({
  choose: ["Choose a file", "选择文件"],
  choose_folder: ["Choose a folder", "选择目录"],
  storage: ["Storage", "存储"],
  empty: ["Nothing lies here.", "此处没有文件。"],
  up: ["One folder up", "上一级目录"],
  take_folder: ["Take this folder", "使用此目录"],
  more: ["Show more", "显示更多"],
  none: ["No storage is configured", "尚未配置存储"],
});

interface Storage {
  id: string;
  name: string;
}

interface Entry {
  id: string;
  kind: "file" | "folder" | "other";
  name: string;
  key: string;
  size_bytes: number | null;
  modified_at: string | null;
}

/// Asks for a file (or a folder of `storage`); answers `storage:key`, of folders the key alone.
export const pickObject = (options: { storage?: string | null; prefix?: string; folder?: boolean } = {}): Promise<string | undefined> =>
  openDialog<string>(t(options.folder ? "choose_folder" : "choose"), (close) => <Picker {...options} close={close} />, { wide: true });

function Picker({ storage, prefix, folder, close }: { storage?: string | null; prefix?: string; folder?: boolean; close: (chosen?: string) => void }) {
  const storages = usePaged<Storage>("storages");
  const [chosen, setChosen] = useState(storage && storage !== "*" ? storage : null);
  const [place, setPlace] = useState(prefix ?? "");
  const name = chosen ?? storages.items[0]?.id ?? null;
  const fixed = Boolean(folder && storage);
  return (
    <div class="picker">
      <div class="picker-head">
        {!fixed && (
          <select aria-label={t("storage")} value={name ?? ""} onChange={(event) => {
            setChosen(event.currentTarget.value);
            setPlace("");
          }}>
            {storages.items.map((one) => <option key={one.id} value={one.id}>{one.name ?? one.id}</option>)}
          </select>
        )}
        <span class="picker-place mono">{name}:{place}</span>
        {folder && <button type="button" class="button primary small" onClick={() => close(place)}>{t("take_folder")}</button>}
      </div>
      {storages.error ? <ErrorBox error={storages.error} retry={storages.refresh} /> : name ? <Folder key={`${name}:${place}`} storage={name} prefix={place} folder={folder} open={setPlace} take={close} /> : storages.loading ? <Skeleton /> : <p class="muted">{t("none")}</p>}
    </div>
  );
}

function Folder({ storage, prefix, folder, open, take }: { storage: string; prefix: string; folder?: boolean; open: (prefix: string) => void; take: (id: string) => void }) {
  const list = usePaged<Entry>("objects", { storage, prefix });
  if (list.error) return <ErrorBox error={list.error} retry={list.refresh} />;
  if (list.loading && list.items.length === 0) return <Skeleton />;
  const entries = list.items.filter((one) => (folder ? one.kind === "folder" : one.kind !== "other"));
  return (
    <ul class="picker-list">
      {prefix && <li><button type="button" onClick={() => open(prefix.replace(/[^/]*\/$/, ""))}><Icon name="back" size={18} /><span>{t("up")}</span></button></li>}
      {entries.map((one) => (
        <li key={one.id}>
          <button type="button" onClick={() => (one.kind === "folder" ? open(one.key) : take(one.id))}>
            <Icon name={one.kind === "folder" ? "folder" : "file"} size={18} />
            <span>{one.name}</span>
            {one.kind === "file" && <small>{size(one.size_bytes)} · <Time at={one.modified_at} /></small>}
          </button>
        </li>
      ))}
      {entries.length === 0 && !list.loading && <li class="muted picker-none">{t("empty")}</li>}
      {list.more && <li><button type="button" onClick={list.fetchMore}>{t("more")}</button></li>}
    </ul>
  );
}
