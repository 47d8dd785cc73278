// The editor of a template: the same forms as for activities, and the same as TOML beside them.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { usePaged, useResource } from "../../resource.ts";
import { go, guardLeaving, path, query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { confirm } from "../../parts/dialog.tsx";
import { SelectField } from "../../parts/form.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { tellDone } from "../../parts/toast.tsx";
import { useCheck } from "../../flow/check.ts";
import { tidy } from "../../flow/definition.ts";
import { TextValue } from "../../flow/fields.tsx";
import { CheckState, Findings } from "../../flow/findings.tsx";
import { type FormContext, TableForm } from "../../flow/form.tsx";
import { rung } from "../../flow/groups.tsx";
import { useHistory } from "../../flow/history.ts";
import { typeHelp, typeName } from "../../flow/labels.ts";
import { type Root, useSchema } from "../../flow/schema.ts";
import { type Table, TomlError, parse, write } from "../../flow/toml.ts";
import { TomlEditor, tomlWhy } from "../../flow/toml_editor.tsx";
import { TEMPLATE_TYPES, type Template, type WholeTemplate, definitionOf } from "./template.ts";

const t = words({
  templates: ["Templates", "模板"],
  new_title: ["New template", "新建模板"],
  edit_title: ["Edit {name}", "编辑 {name}"],
  save: ["Save", "保存"],
  create: ["Create", "创建"],
  cancel: ["Cancel", "取消"],
  saved: ["{name} was saved", "已保存 {name}"],
  made: ["{name} was made", "已创建 {name}"],
  type: ["Type", "类型"],
  type_change: ["Another type has other parameters", "更换类型将更换参数"],
  type_text: ["What is set here is of {type} and is lost.", "此处的“{type}”参数将丢失。"],
  type_deed: ["Change the type", "更换类型"],
  begin: ["Give it a name and say what it is a template of.", "填写名称并选择类型。"],
  general: ["Template", "模板"],
  parameters: ["Parameters", "参数"],
  toml: ["TOML", "TOML"],
  toml_label: ["The template as TOML", "模板 TOML"],
  used: ["{list} keep the copy they were saved with; save them again to take this one.", "{list} 保留保存时的副本；重新保存后才会采用此模板。"],
  leave: ["Leave without saving?", "不保存就离开？"],
  leave_text: ["What was changed here is lost.", "此处的修改将丢失。"],
  leave_deed: ["Leave", "离开"],
  unsaved: ["not saved", "未保存"],
  views: ["What is shown", "显示内容"],
  form: ["Form", "表单"],
  both: ["Both", "两者"],
  undo: ["Undo", "撤销"],
  redo: ["Redo", "重做"],
  not_yours: ["A template that ships cannot be changed; make one of your own from it.", "系统模板不能修改，可以此新建自定义模板。"],
  name_there: ["The name stays: workflows name it.", "名称不可修改：工作流以名称引用。"],
});

export default function TemplateEditor() {
  const name = decodeURIComponent(path.value.split("/")[2] ?? "new");
  const isNew = !path.value.endsWith("/edit");
  const from = isNew ? query.value.get("from") : name;
  const found = useResource<WholeTemplate>(from ? `templates/${encodeURIComponent(from)}` : null);
  const schema = useSchema("template");
  if (schema.error || found.error) return <ErrorBox error={schema.error || found.error} retry={schema.error ? schema.retry : found.refresh} />;
  if (!schema.root || (from && !found.data)) return <Skeleton lines={10} />;
  return <Desk key={`${isNew}${from}`} root={schema.root} from={found.data} isNew={isNew} />;
}

const blank = (type: string): Table => ({ name: "", type, ...(type === "transcode" ? { group: [{ kind: "file", container: "mp4", output: [rung(1080), rung(720), rung(480)] }] } : {}) });

function Desk({ root, from, isNew }: { root: Root; from: WholeTemplate | null; isNew: boolean }) {
  const first = useMemo((): { definition: Table; typed: string | null } => {
    if (!from) return { definition: blank(query.value.get("type") ?? "transcode"), typed: null };
    return { definition: tidy(definitionOf(isNew ? { ...from, name: `${from.name}-2` } : from)), typed: null };
  }, []);
  const history = useHistory(first);
  const [unread, setUnread] = useState<{ text: string; error: TomlError } | null>(null);
  const [refused, setRefused] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const storages = usePaged<{ id: string }>("storages");
  const templates = usePaged<Template>("templates", {}, {}, 500);
  const { definition, typed } = history.now;
  const text = unread?.text ?? typed ?? write(definition);
  const checked = useCheck("template", unread ? null : text);
  const untouched = isNew && !from && unread === null && write(definition) === write(first.definition);
  // Who has not begun is not told what is missing in red.
  const findings = unread || untouched ? [] : (checked.check?.findings ?? []);
  const locked = !isOperator.value || (!isNew && from?.origin === "system");
  const dirty = unread !== null || write(definition) !== write(first.definition);
  const type = String(definition.type ?? "");
  const table = root.$defs[`template.${type}`];

  const change = (next: Table, kind = "") => {
    setUnread(null);
    history.change({ definition: next, typed: null }, kind);
  };
  const write_text = (typing: string) => {
    try {
      const read = parse(typing);
      setUnread(null);
      history.change({ definition: read, typed: typing }, "toml");
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      setUnread({ text: typing, error });
    }
  };
  const retype = async (next: string) => {
    const written = Object.keys(definition).some((key) => !["name", "type", "description"].includes(key));
    if (written && dirty && !(await confirm(t("type_change"), t("type_text", { type: typeName(type) }), t("type_deed")))) return;
    change({ ...blank(next), name: definition.name ?? "", ...(definition.description ? { description: definition.description } : {}) });
  };
  const leaving = useRef(false);
  const save = async () => {
    if (busy || unread || locked) return;
    setBusy(true);
    setRefused(null);
    try {
      const response = await ask(isNew ? "templates" : `templates/${encodeURIComponent(from?.name ?? "")}`, { method: isNew ? "POST" : "PUT", body: text, headers: { "content-type": "application/toml" } });
      const kept = (await response.json()) as WholeTemplate;
      tellDone(t(isNew ? "made" : "saved", { name: kept.name }));
      leaving.current = true;
      go(`/templates/${encodeURIComponent(kept.name)}`);
    } catch (error) {
      setRefused(error);
      setBusy(false);
    }
  };
  useEffect(() => {
    if (!dirty || locked) return;
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", stay);
    const stop = guardLeaving(async () => leaving.current || confirm(t("leave"), t("leave_text"), t("leave_deed"), { danger: true }));
    return () => {
      removeEventListener("beforeunload", stay);
      stop();
    };
  }, [dirty, locked]);
  const latest = useRef({ save, undo: history.undo, redo: history.redo });
  latest.current = { save, undo: () => (unread ? setUnread(null) : history.undo()), redo: history.redo };
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector("dialog[open]")) return;
      const key = event.key.toLowerCase();
      const deed = key === "s" ? latest.current.save : key === "z" && !event.shiftKey ? latest.current.undo : key === "y" || key === "z" ? latest.current.redo : null;
      if (!deed) return;
      event.preventDefault();
      void deed();
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, []);

  const view = query.value.get("view") ?? (innerWidth >= 1180 ? "both" : "form");
  const context: FormContext = {
    root, findings, disabled: locked, destinations: [],
    storages: storages.items.map((one) => one.id),
    templates: (types) => templates.items.filter((one) => types.includes(one.type)).map((one) => one.name),
  };
  const lines = new Map(findings.flatMap((one) => (one.line ? [[one.line, one.why] as const] : [])));
  if (unread) lines.set(unread.error.line, tomlWhy(unread.error));
  const error = (key: string) => findings.filter((one) => one.path === key).map((one) => one.why).join("; ") || undefined;
  return (
    <div class="tp-editor">
      <PageHead title={isNew ? t("new_title") : t("edit_title", { name: from?.name ?? "" })} crumbs={[{ text: t("templates"), href: "/templates" }, ...(!isNew && from ? [{ text: from.name, href: `/templates/${encodeURIComponent(from.name)}` }] : [])]} note={untouched ? t("begin") : <><CheckState checked={checked} unread={unread !== null} />{dirty && !locked && <span class="tp-unsaved"> · {t("unsaved")}</span>}</>}>
        <button type="button" class="icon-button" disabled={locked || (!history.canUndo && !unread)} aria-label={t("undo")} title={`${t("undo")} (Ctrl+Z)`} onClick={latest.current.undo}>↶</button>
        <button type="button" class="icon-button" disabled={locked || !history.canRedo || unread !== null} aria-label={t("redo")} title={`${t("redo")} (Ctrl+Shift+Z)`} onClick={history.redo}>↷</button>
        <a class="button ghost" href={from ? `/templates/${encodeURIComponent(from.name)}` : "/templates"}>{t("cancel")}</a>
        {!locked && <button type="button" class="button primary" disabled={busy || unread !== null || (!isNew && !dirty)} title="Ctrl+S" onClick={() => void save()}>{t(isNew ? "create" : "save")}</button>}
      </PageHead>
      {locked && <p class="tp-note">{t("not_yours")}</p>}
      {!isNew && from && from.used_by.length > 0 && <p class="tp-note">{t("used", { list: from.used_by.join(", ") })}</p>}
      <ErrorBox error={refused} />
      <Findings findings={findings} open={(finding) => document.querySelector<HTMLElement>(`[data-key="${CSS.escape(finding.path.split(".").at(-1)?.replace(/\[\d+\]$/, "") ?? "")}"] :is(input, select, textarea)`)?.focus()} />
      <div class="tp-views">
        <div class="segments" role="radiogroup" aria-label={t("views")}>
          {(["form", "both", "toml"] as const).map((one) => <button type="button" key={one} role="radio" aria-checked={view === one} onClick={() => setQuery({ view: one })}>{t(one)}</button>)}
        </div>
      </div>
      <div class={view === "both" ? "tp-panes" : "stack"}>
        {view !== "toml" && (
          <div class="stack">
            <Card title={t("general")}>
              <div class="sf-fields">
                <TextValue name="name" required schema={{ ...table?.properties?.name, ...(isNew ? {} : { description: t("name_there") }) }} value={definition.name} error={error("name")} disabled={locked || !isNew} onChange={(value) => change({ ...definition, name: value ?? "" }, "name")} />
                <SelectField label={t("type")} help={typeHelp(type)} value={type} disabled={locked || !isNew} error={error("type")} onInput={(next) => void retype(next)} choices={TEMPLATE_TYPES.map((one) => ({ value: one, text: typeName(one) }))} />
                <TextValue name="description" schema={table?.properties?.description ?? {}} value={definition.description} disabled={locked} onChange={(value) => change(tidy({ ...definition, description: value ?? "" }), "description")} />
              </div>
            </Card>
            {table && <Card title={t("parameters")}><TableForm key={type} context={context} schema={table} of={`template.${type}`} path="" value={definition} hide={["name", "type", "description"]} onChange={(next) => change(next, "parameters")} /></Card>}
          </div>
        )}
        {view !== "form" && <Card title={t("toml")}><TomlEditor label={t("toml_label")} value={text} onInput={write_text} disabled={locked} error={unread ? tomlWhy(unread.error) : null} marked={lines} /></Card>}
      </div>
    </div>
  );
}
