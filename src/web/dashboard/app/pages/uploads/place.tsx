// Where files go and what becomes of them: storage, folder, workflow, what happens when a name is taken. Kept in the query.
import { useEffect } from "preact/hooks";
import type { Page } from "../../api.ts";
import { SelectField, TextField } from "../../parts/form.tsx";
import { useResource } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";

const t = words({
  storage: ["Storage", "存储"],
  configured: ["as the configuration says", "按配置"],
  folder: ["Folder", "文件夹"],
  folder_help: ["Made where it is missing. Empty: that of the configuration.", "不存在时自动创建。留空则按配置。"],
  workflow: ["Workflow", "工作流"],
  no_workflow: ["those that watch the folder", "由监控该位置的工作流处理"],
  conflict: ["When the name is taken", "重名时"],
  version: ["Keep both", "保留两者"],
  overwrite: ["Replace it", "覆盖"],
  fail: ["Refuse", "拒绝"],
});

export interface Place {
  storage: string | null;
  folder: string;
  workflow: string | null;
  on_conflict: string | null;
}

interface Storage {
  name: string;
  watch: string;
  status: string;
}

export function usePlace(): { place: Place; storages: Storage[]; workflows: { id: string; name: string; status: string }[] } {
  const storages = useResource<Page<Storage>>("storages").data?.items ?? [];
  const workflows = useResource<Page<{ id: string; name: string; status: string }>>("workflows", { limit: 500 }).data?.items ?? [];
  const asked = query.value;
  const reachable = storages.filter((one) => one.status === "available" || one.status === "scanning");
  const watched = reachable.find((one) => one.watch !== "off") ?? reachable[0] ?? storages[0];
  useEffect(() => {
    if (watched && asked.get("storage") === null) setQuery({ storage: watched.name });
  }, [watched?.name, asked.get("storage") === null]);
  const storage = asked.get("storage");
  return {
    place: { storage: storage === "-" ? null : storage, folder: asked.get("folder") ?? "", workflow: asked.get("workflow"), on_conflict: asked.get("conflict") },
    storages,
    workflows: workflows.filter((one) => one.status === "enabled"),
  };
}

/// The key of a file in its place; null: as the configuration says.
export function keyIn(place: Place, way: string): string | null {
  const folder = place.folder.trim().replace(/^\/+|\/+$/g, "");
  if (folder) return `${folder}/${way}`;
  return way.includes("/") ? way : null;
}

export function PlaceFields({ place, storages, workflows }: ReturnType<typeof usePlace>) {
  return (
    <div class="fields">
      <SelectField label={t("storage")} value={place.storage ?? "-"} onInput={(storage) => setQuery({ storage })} choices={[...storages.map(({ name }) => ({ value: name, text: name })), { value: "-", text: t("configured") }]} />
      <TextField label={t("folder")} value={place.folder} onInput={(folder) => setQuery({ folder })} help={t("folder_help")} mono placeholder="incoming/2026" name="folder" />
      <SelectField label={t("workflow")} value={place.workflow ?? ""} onInput={(workflow) => setQuery({ workflow })} choices={[{ value: "", text: t("no_workflow") }, ...workflows.map(({ name }) => ({ value: name, text: name }))]} />
      <SelectField label={t("conflict")} value={place.on_conflict ?? ""} onInput={(conflict) => setQuery({ conflict })} choices={[{ value: "", text: t("configured") }, ...(["version", "overwrite", "fail"] as const).map((value) => ({ value, text: t(value) }))]} />
    </div>
  );
}
