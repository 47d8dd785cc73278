// Who did what by hand, newest first.
import { useState } from "preact/hooks";
import { usePaged } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";
import { openDialog } from "../../parts/dialog.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Facts, PageHead } from "../../parts/page.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import "./audit.css";

const t = words({
  title: ["Audit log", "审计日志"],
  note: ["Everything that somebody changed by hand, here, by command or by API.", "所有人工操作：通过此界面、命令行或 API。"],
  who: ["Who", "操作者"],
  did: ["Did", "操作"],
  what: ["Object", "对象"],
  at: ["When", "时间"],
  detail: ["Detail", "详情"],
  search_who: ["User, token or key", "用户、令牌或密钥"],
  any: ["Everything", "全部操作"],
  access: ["Log-ins", "登录"],
  refused: ["Refused log-ins", "被拒绝的登录"],
  users: ["Users", "用户"],
  tokens: ["Tokens", "令牌"],
  tasks: ["Tasks", "任务"],
  workflows: ["Workflows", "工作流"],
  media: ["Media", "媒资"],
  storages: ["Storages", "存储"],
  destinations: ["Destinations", "回调目标"],
  system: ["System", "系统"],
  from: ["From", "从"],
  to: ["Until", "到"],
  clear: ["Show all", "显示全部"],
  none: ["Nothing was done that fits", "没有符合条件的操作"],
  more: ["Show the details of this entry", "查看此条详情"],
  number: ["Number", "编号"],
});

interface Deed { id: string; created_at: string; who: string; verb: string; subject: string; detail: Record<string, unknown> | null }

const VERBS = [["", "any"], ["session.create", "access"], ["session.refused", "refused"], ["user.", "users"], ["token.", "tokens"], ["task.", "tasks"], ["workflow.", "workflows"], ["media.", "media"], ["storage.", "storages"], ["destination.", "destinations"], ["system.", "system"]] as const;

/// The end of a day of the person who looks, on the wire.
function dayOf(text: string | null, days: number): string | null {
  if (!text) return null;
  const [year, month, day] = text.split("-").map(Number);
  const at = new Date(year ?? 0, (month ?? 1) - 1, (day ?? 1) + days);
  return Number.isNaN(at.getTime()) ? null : at.toISOString().replace(/\.\d+Z$/, "Z");
}

export default function Audit() {
  const asked = query.value;
  const [who, setWho] = useState(asked.get("who") ?? "");
  const verb = asked.get("verb") ?? "";
  const list = usePaged<Deed>("audit", { who: asked.get("who"), verb, from: dayOf(asked.get("from"), 0), to: dayOf(asked.get("to"), 1) }, { every: 15_000 });
  const filtered = ["who", "verb", "from", "to"].some((name) => asked.get(name));
  const columns: Column<Deed>[] = [
    { key: "at", title: t("at"), width: "minmax(5.500rem, 8.500rem)", cell: (deed) => <Time at={deed.created_at} /> },
    { key: "who", title: t("who"), width: "minmax(0, 1fr)", from: 2, cell: (deed) => <b class="audit-who">{deed.who}</b> },
    { key: "did", title: t("did"), width: "minmax(0, 1.200fr)", cell: (deed) => <><code class={deed.verb === "session.refused" ? "audit-refused" : undefined}>{deed.verb}</code><small class="audit-by"> {deed.who}</small></> },
    { key: "what", title: t("what"), width: "minmax(0, 1.500fr)", from: 2, cell: (deed) => <span class="mono" title={deed.subject}>{deed.subject || "–"}</span> },
    { key: "detail", title: t("detail"), width: "minmax(0, 2fr)", from: 3, cell: (deed) => <span class="muted">{deed.detail ? Object.entries(deed.detail).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join(" · ") : ""}</span> },
    { key: "more", title: "", width: "2.250rem", align: "end", cell: (deed) => <button type="button" class="icon-button" aria-label={t("more")} onClick={() => void show(deed)}><Icon name="chevron" size={18} /></button> },
  ];
  return (
    <>
      <PageHead title={t("title")} note={t("note")} />
      <form class="audit-filter" role="search" onSubmit={(event) => {
        event.preventDefault();
        setQuery({ who: who.trim() });
      }}>
        <label><span>{t("did")}</span>
          <select value={verb} onChange={(event) => setQuery({ verb: event.currentTarget.value })}>{VERBS.map(([value, name]) => <option key={value} value={value} selected={value === verb}>{t(name)}</option>)}</select>
        </label>
        <label><span>{t("who")}</span>
          <input type="search" value={who} placeholder={t("search_who")} onInput={(event) => setWho(event.currentTarget.value)} onBlur={() => setQuery({ who: who.trim() })} />
        </label>
        <label><span>{t("from")}</span><input type="date" value={asked.get("from") ?? ""} onChange={(event) => setQuery({ from: event.currentTarget.value })} /></label>
        <label><span>{t("to")}</span><input type="date" value={asked.get("to") ?? ""} onChange={(event) => setQuery({ to: event.currentTarget.value })} /></label>
        {filtered && <button type="button" class="button" onClick={() => {
          setWho("");
          setQuery({ who: null, verb: null, from: null, to: null });
        }}><Icon name="cross" size={16} />{t("clear")}</button>}
      </form>
      <Table label={t("title")} columns={columns} list={list} rowHeight={42} empty={<><Icon name="log" size={32} /><h2>{t("none")}</h2></>} />
    </>
  );
}

const show = (deed: Deed) => openDialog(deed.verb, () => (
  <>
    <Facts rows={[[t("number"), deed.id], [t("at"), <Time at={deed.created_at} whole />], [t("who"), deed.who], [t("what"), <span class="mono">{deed.subject || "–"}</span>]]} />
    {deed.detail && <pre class="audit-detail" tabIndex={0}>{JSON.stringify(deed.detail, null, 2)}</pre>}
  </>
), { wide: true });
