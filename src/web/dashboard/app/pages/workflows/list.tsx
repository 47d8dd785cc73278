// All workflows: what each watches, whether it runs, and what can be done with it.
import { said } from "../../flow/said.ts";
import { useState } from "preact/hooks";
import { usePaged } from "../../resource.ts";
import { go, query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { Switch } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Menu, type MenuItem } from "../../parts/menu.tsx";
import { PageHead } from "../../parts/page.tsx";
import { Badge, Status } from "../../parts/status.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { copyWorkflow, deleteWorkflow, editWorkflow, setEnabled } from "./deeds.tsx";
import type { Workflow } from "./workflow.ts";

const t = words({
  title: ["Workflows", "工作流"],
  note: ["What happens to media of a place, by itself or by hand.", "定义各存储中的媒体如何处理，自动或手动触发。"],
  make: ["New workflow", "新建工作流"],
  search: ["Search by name", "按名称搜索"],
  origin: ["Made by", "来源"],
  any_origin: ["All origins", "全部来源"],
  any_state: ["Any state", "全部状态"],
  state: ["State", "状态"],
  enabled: ["Enabled", "已启用"],
  disabled: ["Disabled", "已停用"],
  name: ["Name", "名称"],
  storage: ["Storage", "存储"],
  prefix: ["Prefix", "前缀"],
  created: ["Created", "创建时间"],
  runs: ["Enabled", "启用"],
  library: ["media library", "媒资库"],
  any_storage: ["any storage", "任意存储"],
  whole: ["whole storage", "整个存储"],
  manual: ["started by hand", "手动启动"],
  preset: ["preset", "预置"],
  from_file: ["from a file", "来自文件"],
  api: ["made here", "自定义"],
  switch_on: ["Enable {name}", "启用 {name}"],
  switch_off: ["Disable {name}", "停用 {name}"],
  more: ["What can be done with {name}", "{name} 的操作"],
  edit: ["Edit", "编辑"],
  copy: ["Copy", "复制"],
  test: ["Test", "测试"],
  remove: ["Delete", "删除"],
  none: ["No workflow fits", "没有符合条件的工作流"],
  none_hint: ["Take the search or a filter away.", "请清除搜索或筛选条件。"],
  clear: ["Show all", "显示全部"],
  first: ["No workflow yet", "还没有工作流"],
  first_hint: ["A workflow watches a folder or bucket and says what is made of every film that lands there.", "工作流监视一个目录或存储桶，并规定落入其中的每个视频如何处理。"],
});

export function WorkflowList() {
  const asked = query.value;
  const by = asked.get("sort") === "name" ? "name" : "created";
  const descending = (asked.get("order") ?? (by === "name" ? "asc" : "desc")) === "desc";
  const filtered = Boolean(asked.get("name") || asked.get("origin") || asked.get("enabled"));
  const list = usePaged<Workflow>(
    "workflows",
    { name: asked.get("name"), origin: asked.get("origin"), enabled: asked.get("enabled"), sort: by, order: descending ? "desc" : "asc" },
    { every: 15_000 },
  );
  // What was just switched is shown at once; the list follows.
  const [busy, setBusy] = useState<string | null>(null);
  const toggle = async (workflow: Workflow) => {
    setBusy(workflow.id);
    await setEnabled(workflow, !workflow.enabled);
    list.refresh();
    setBusy(null);
  };
  const columns: Column<Workflow>[] = [
    { key: "name", title: t("name"), sort: "name", width: "minmax(9rem, 2.4fr)", cell: (row) => (
      <span class="wf-name">
        <span><a href={`/workflows/${row.id}`}>{row.name}</a> <OriginBadge origin={row.origin} /></span>
        {row.description && <small title={said(row.description)}>{said(row.description)}</small>}
      </span>
    ) },
    { key: "storage", title: t("storage"), from: 2, width: "minmax(7rem, 1fr)", cell: (row) => <SourcePlace workflow={row} /> },
    { key: "prefix", title: t("prefix"), from: 2, width: "minmax(6rem, 1fr)", cell: (row) => (row.source.kind === "library" ? "–" : row.source.prefix ? <code title={row.source.prefix}>{row.source.prefix}</code> : <span class="muted">{t("whole")}</span>) },
    { key: "created", title: t("created"), sort: "created", from: 3, width: "8rem", cell: (row) => <Time at={row.created_at} /> },
    { key: "runs", title: t("runs"), width: isOperator.value ? "4.5rem" : "7rem", cell: (row) => (isOperator.value
      ? <Switch value={row.enabled} disabled={busy === row.id} label={t(row.enabled ? "switch_off" : "switch_on", { name: row.name })} onInput={() => void toggle(row)} />
      : <Status status={row.status} />) },
    ...(isOperator.value ? [{ key: "deeds", title: "", width: "2.5rem", cell: (row: Workflow) => <RowMenu workflow={row} refresh={list.refresh} /> }] : []),
  ];
  return (
    <>
      <PageHead title={t("title")} note={t("note")}>
        {isOperator.value && <a class="button primary" href="/workflows/new"><Icon name="plus" size={18} />{t("make")}</a>}
      </PageHead>
      <div class="wf-filters">
        <input type="search" value={asked.get("name") ?? ""} placeholder={t("search")} aria-label={t("search")} onInput={(event) => setQuery({ name: event.currentTarget.value || null })} />
        <select aria-label={t("state")} value={asked.get("enabled") ?? ""} onChange={(event) => setQuery({ enabled: event.currentTarget.value || null })}>
          <option value="">{t("any_state")}</option>
          <option value="true">{t("enabled")}</option>
          <option value="false">{t("disabled")}</option>
        </select>
        <select aria-label={t("origin")} value={asked.get("origin") ?? ""} onChange={(event) => setQuery({ origin: event.currentTarget.value || null })}>
          <option value="">{t("any_origin")}</option>
          <option value="api">{t("api")}</option>
          <option value="file">{t("from_file")}</option>
          <option value="preset">{t("preset")}</option>
        </select>
      </div>
      <Table
        label={t("title")}
        columns={columns}
        list={list}
        rowHeight={58}
        href={(row) => `/workflows/${row.id}`}
        sorted={{ by, descending }}
        onSort={(key) => setQuery({ sort: key === "created" ? null : key, order: key === by ? (descending ? "asc" : "desc") : null })}
        empty={filtered
          ? <><h2>{t("none")}</h2><p>{t("none_hint")}</p><button type="button" class="button" onClick={() => setQuery({ name: null, origin: null, enabled: null })}>{t("clear")}</button></>
          : <><h2>{t("first")}</h2><p>{t("first_hint")}</p>{isOperator.value && <a class="button primary" href="/workflows/new">{t("make")}</a>}</>}
      />
    </>
  );
}

export function OriginBadge({ origin }: { origin: Workflow["origin"] }) {
  if (origin === "api") return null;
  return <Badge tone={origin === "preset" ? "run" : "idle"}>{origin === "preset" ? t("preset") : t("from_file")}</Badge>;
}

export function SourcePlace({ workflow }: { workflow: Workflow }) {
  const { source } = workflow;
  if (source.kind === "library") return <span class="muted">{t("library")}</span>;
  const name = source.storage === "*" ? t("any_storage") : (source.storage ?? "–");
  return <span title={source.trigger === "manual" ? `${name}, ${t("manual")}` : name}>{name}{source.trigger === "manual" && <small class="muted"> · {t("manual")}</small>}</span>;
}

function RowMenu({ workflow, refresh }: { workflow: Workflow; refresh: () => void }) {
  const items: MenuItem[] = [];
  if (workflow.origin === "api") items.push({ text: t("edit"), icon: "edit", act: () => void editWorkflow(workflow) });
  if (workflow.source.kind === "storage") {
    items.push({ text: t("test"), icon: "play", act: () => go(`/workflows/${workflow.id}?tab=test`) });
  }
  if (workflow.origin !== "preset") items.push({ text: t("copy"), icon: "copy", act: () => void copyWorkflow(workflow) });
  if (workflow.origin === "api") items.push({ text: t("remove"), icon: "trash", danger: true, act: () => void deleteWorkflow(workflow).then((gone) => gone && refresh()) });
  return items.length > 0 ? <Menu label={t("more", { name: workflow.name })} icon="more" items={items} /> : null;
}
