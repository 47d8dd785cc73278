// What lies in a storage, folder by folder. The folder stands in the query, so it has a link.
import { usePaged } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";
import { size } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import type { Entry, Storage } from "./storage.ts";

const t = words({
  name: ["Name", "名称"],
  size: ["Size", "大小"],
  changed: ["Changed", "修改时间"],
  label: ["Objects of {name}", "{name} 中的对象"],
  way: ["Folder", "目录"],
  empty: ["Nothing lies here.", "此处没有内容。"],
  explain: ["Explain", "说明"],
});

export function ObjectBrowser({ storage }: { storage: Storage }) {
  const prefix = query.value.get("prefix") ?? "";
  const list = usePaged<Entry>("objects", { storage: storage.name, prefix }, {}, 200);
  const open = (next: string) => setQuery({ prefix: next }, {});
  const parts = prefix.split("/").filter(Boolean);
  return (
    <>
      <nav class="st-way" aria-label={t("way")}>
        <button type="button" class="link" onClick={() => open("")}>{storage.name}</button>
        {parts.map((part, at) => (
          <span key={at}>/ <button type="button" class="link" onClick={() => open(`${parts.slice(0, at + 1).join("/")}/`)}>{part}</button></span>
        ))}
      </nav>
      <Table<Entry>
        label={t("label", { name: storage.name })}
        list={list}
        empty={t("empty")}
        rowHeight={44}
        columns={[
          { key: "name", title: t("name"), width: "minmax(8rem, 3fr)", cell: (row) => (
            <span class="st-entry">
              <Icon name={row.kind === "folder" ? "folder" : "file"} size={17} />
              {row.kind === "folder" ? <button type="button" class="link" onClick={() => open(row.key)}>{row.name}</button> : <span title={row.key}>{row.name}</span>}
            </span>
          ) },
          { key: "size", title: t("size"), width: "6rem", align: "end", cell: (row) => (row.kind === "file" ? size(row.size_bytes) : "") },
          { key: "changed", title: t("changed"), width: "9rem", from: 2, cell: (row) => (row.modified_at ? <Time at={row.modified_at} /> : "") },
          { key: "explain", title: "", width: "5rem", align: "end", cell: (row) => (row.kind === "file" ? <button type="button" class="link" onClick={() => setQuery({ tab: "explain", key: row.key, prefix: null }, {})}>{t("explain")}<span class="visually-hidden"> {row.name}</span></button> : "") },
        ]}
      />
    </>
  );
}
