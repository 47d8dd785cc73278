// The form of a table of a definition, made from its description. What is looked for most stands open; the rest is one
// click away, and opens by itself where something is set or wrong.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { words } from "../words.ts";
import { Icon } from "../parts/icon.tsx";
import { ChoiceField, ChoicesField, FlagField, Frame, NumberValue, ObjectField, TextValue, WordsField, shown, valueOf, Draft } from "./fields.tsx";
import { Groups } from "./groups.tsx";
import { keyName } from "./key_names.ts";
import { set } from "./definition.ts";
import { said } from "./said.ts";
import { type Finding, type Root, type Schema, applies, asTable, bent, deref, fresh, isRequired, kindOf } from "./schema.ts";
import type { Table, Value } from "./toml.ts";
import "./form.css";

const t = words({
  more: ["More settings", "更多设置"],
  more_set: ["More settings ({n} set)", "更多设置（已设 {n} 项）"],
  add: ["Add", "添加"],
  add_one: ["Add: {name}", "添加{name}"],
  copy_one: ["Copy {name} {n}", "复制{name} {n}"],
  remove_one: ["Delete {name} {n}", "删除{name} {n}"],
  up: ["Move {name} {n} up", "上移{name} {n}"],
  set_up: ["Set", "设置"],
  take_away: ["Take away", "移除"],
  list_of_template: ["The template's {n} are used.", "使用模板中的 {n} 项。"],
  own_list: ["Change here", "在此修改"],
  back: ["Back to the template's", "恢复模板的值"],
  custom: ["of its own …", "自定义…"],
  left_out: ["left out", "不设置"],
  usual: ["{value} (default)", "{value}（默认）"],
  on: ["yes", "是"],
  off: ["no", "否"],
  list: ["a list", "列表"],
});

/// What all fields of a form share.
export interface FormContext {
  root: Root;
  findings: Finding[];
  disabled: boolean;
  storages: string[];
  destinations: string[];
  /// Names of templates of a type of marks.
  templates: (types: string[]) => string[];
}

/// Keys that stand open, by what the table is of; of other tables all do.
const OPEN: Record<string, string[]> = {
  "activity.transcode": ["group", "clip", "watermark"],
  "activity.snapshot": ["mode", "interval_s", "count", "times", "columns", "lines", "cell_width", "width", "height", "format"],
  "activity.cover": ["count", "times", "width", "height", "format"],
  "activity.dynamic_image": ["format", "fps", "width", "start_s", "duration_s", "pieces"],
  "activity.qc": ["checks", "fail_on"],
  group: ["kind", "name", "container", "segment_s", "segment_format", "output"],
  video: ["codec", "height", "width", "preset", "rate", "bitrate_kbps", "max_bitrate_kbps", "crf", "fps", "gop_s"],
  audio: ["codec", "bitrate_kbps", "channels", "tracks", "loudness"],
  source: ["storage", "library", "prefix", "trigger", "extensions", "existing", "after"],
  watermark: ["template", "kind", "image", "svg", "text", "corner", "x", "y", "width", "opacity"],
};

export interface TableFormProps {
  context: FormContext;
  schema: Schema;
  /// What kind of table it is, for what stands open.
  of: string;
  /// Where it stands in the definition, for findings: `activity[1]`; empty: the whole.
  path: string;
  value: Table;
  inherited?: Table;
  hide?: string[];
  onChange: (value: Table) => void;
}

export const join = (path: string, key: string): string => (path ? `${path}.${key}` : key);

export function TableForm(props: TableFormProps) {
  const { context, value, inherited, path } = props;
  const table = deref(context.root, props.schema);
  const keys = Object.keys(table.properties ?? {}).filter((key) => !props.hide?.includes(key) && applies(key, table.properties?.[key] ?? {}, table, value, inherited));
  const open = OPEN[props.of.replace(/^template\./, "activity.")];
  const isWrong = (key: string) => context.findings.some((one) => one.path === join(path, key) || one.path.startsWith(`${join(path, key)}.`) || one.path.startsWith(`${join(path, key)}[`));
  const first = keys.filter((key) => !open || open.includes(key) || isRequired(key, table.properties?.[key] ?? {}, table, value, inherited));
  if (open) first.sort((a, b) => (open.indexOf(a) + 100) % 100 - (open.indexOf(b) + 100) % 100);
  const rest = keys.filter((key) => !first.includes(key));
  const written = rest.filter((key) => value[key] !== undefined).length;
  const [opened, setOpened] = useState(false);
  const own = context.findings.filter((one) => one.path === path && path !== "");
  const field = (key: string) => <KeyField key={key} name={key} table={table} {...props} />;
  return (
    <div class="sf-table">
      {own.map((one) => <p key={one.why} class="field-error" role="alert">{one.why}</p>)}
      <div class="sf-fields">{first.map(field)}</div>
      {rest.length > 0 && (
        <details class="sf-more" open={opened || rest.some(isWrong)} onToggle={(event) => setOpened(event.currentTarget.open)}>
          <summary>{written > 0 ? t("more_set", { n: written }) : t("more")}</summary>
          <div class="sf-fields">{(opened || rest.some(isWrong)) && rest.map(field)}</div>
        </details>
      )}
    </div>
  );
}

export function KeyField({ name, table, context, value, inherited, path, onChange }: TableFormProps & { name: string; table: Schema }) {
  const plain = table.properties?.[name] ?? {};
  const schema = bent(plain.$ref ? deref(context.root, plain) : plain, table, value, inherited);
  const here = join(path, name);
  const change = (next: Value | undefined) => onChange(set(value, name, next));
  const names = schema["x-form"] === "storage" ? context.storages : schema["x-form"] === "destination" ? context.destinations : undefined;
  const props = {
    name,
    schema,
    value: value[name],
    inherited: inherited?.[name],
    required: isRequired(name, plain, table, value, inherited),
    error: context.findings.filter((one) => one.path === here).map((one) => one.why).join("; ") || undefined,
    disabled: context.disabled,
    onChange: change,
    names,
    storage: typeof value.storage === "string" && value.storage !== "*" ? value.storage : undefined,
  };
  if (name === "group") return <ListOf {...{ context, name, schema, here, change }} value={value[name]} inherited={inherited?.[name]} body={(list) => <Groups context={context} schema={schema} path={here} value={list} onChange={change} />} />;
  if (schema["x-form"] === "template") return <ChoiceField {...props} schema={{ ...schema, enum: context.templates(name === "template" && "source" in (table.properties ?? {}) ? ["subtitle"] : ["image_watermark", "text_watermark"]) }} />;
  switch (kindOf(context.root, plain)) {
    case "flag":
      return <FlagField {...props} />;
    case "choice":
      return <ChoiceField {...props} />;
    case "number":
      return <NumberValue {...props} />;
    case "choices":
      return <ChoicesField {...props} of={deref(context.root, schema.items ?? {})} />;
    case "words":
      return <WordsField {...props} />;
    case "object":
      return <ObjectField {...props} />;
    case "tables":
      return <ListOf {...{ context, name, schema, here, change }} value={value[name]} inherited={inherited?.[name]} body={(list) => <Tables context={context} name={name} schema={schema} path={here} value={list} onChange={change} />} />;
    case "table":
      return <PartField context={context} name={name} schema={plain} path={here} value={value[name]} inherited={asTable(inherited?.[name])} onChange={change} help={schema.description} />;
    case "any":
      return <AnyField context={context} path={here} field={props} inherited={inherited?.[name]} />;
    default:
      return <TextValue {...props} />;
  }
}

/// A list that may be a template's: shown as such until somebody wants one of their own.
function ListOf({ context, name, schema, here, value, inherited, change, body }: { context: FormContext; name: string; schema: Schema; here: string; value: Value | undefined; inherited: Value | undefined; change: (value: Value | undefined) => void; body: (list: Table[]) => ComponentChildren }) {
  const list = Array.isArray(value) ? value.map((one) => asTable(one) ?? {}) : undefined;
  const from = Array.isArray(inherited) ? inherited : undefined;
  const errors = context.findings.filter((one) => one.path === here);
  return (
    <section class="sf-list" aria-label={keyName(name)}>
      <header>
        <div><h4>{keyName(name)}</h4><p class="help">{said(schema.description)}</p></div>
        {from && !list && !context.disabled && <button type="button" class="button small" disabled={context.disabled} onClick={() => change(structuredClone(from))}><Icon name="edit" size={16} />{t("own_list")}</button>}
        {from && list && !context.disabled && <button type="button" class="link" disabled={context.disabled} onClick={() => change(undefined)}>{t("back")}</button>}
      </header>
      {errors.map((one) => <p key={one.why} class="field-error" role="alert">{one.why}</p>)}
      {from && !list ? <p class="sf-note">{t("list_of_template", { n: `${keyName(name)}: ${from.map(title).join(", ")}` })}</p> : body(list ?? [])}
    </section>
  );
}

/// A word for an entry of a list.
function title(entry: Value): string {
  const table = asTable(entry);
  if (!table) return shown(entry);
  const outputs = Array.isArray(table.output) ? ` (${table.output.map(title).join(" · ")})` : "";
  return `${String(table.name ?? table.template ?? table.kind ?? table.text ?? table.source ?? "")}${outputs}`;
}

function Tables({ context, name, schema, path, value, onChange }: { context: FormContext; name: string; schema: Schema; path: string; value: Table[]; onChange: (value: Value | undefined) => void }) {
  const put = (next: Table[]) => onChange(next.length > 0 ? next : undefined);
  return (
    <div class="sf-entries">
      {value.map((entry, at) => (
        <div class="sf-entry" key={at}>
          <header>
            <h5>{at + 1}. {title(entry)}</h5>
            {!context.disabled && <span class="sf-entry-deeds">
              {at > 0 && <button type="button" class="icon-button" disabled={context.disabled} aria-label={t("up", { name: keyName(name), n: at + 1 })} onClick={() => put(value.map((one, place) => (place === at - 1 ? (value[at] as Table) : place === at ? (value[at - 1] as Table) : one)))}>↑</button>}
              <button type="button" class="icon-button" disabled={context.disabled} aria-label={t("copy_one", { name: keyName(name), n: at + 1 })} onClick={() => put(value.toSpliced(at + 1, 0, structuredClone(entry)))}><Icon name="copy" size={16} /></button>
              <button type="button" class="icon-button" disabled={context.disabled} aria-label={t("remove_one", { name: keyName(name), n: at + 1 })} onClick={() => put(value.toSpliced(at, 1))}><Icon name="trash" size={16} /></button>
            </span>}
          </header>
          <TableForm context={context} schema={schema.items ?? {}} of={name} path={`${path}[${at}]`} value={entry} onChange={(next) => put(value.with(at, next))} />
        </div>
      ))}
      {!context.disabled && <button type="button" class="button small" disabled={value.length >= (schema.maxItems ?? Infinity)} onClick={() => put([...value, fresh(context.root, schema.items ?? {})])}><Icon name="plus" size={16} />{t("add_one", { name: keyName(name) })}</button>}
    </div>
  );
}

/// A table within a table: there or not.
export function PartField({ context, name, schema, path, value, inherited, onChange, help }: { context: FormContext; name: string; schema: Schema; path: string; value: Value | undefined; inherited?: Table; onChange: (value: Value | undefined) => void; help?: string }) {
  const table = asTable(value);
  const there = table !== undefined || inherited !== undefined;
  const errors = context.findings.filter((one) => one.path === path);
  return (
    <section class={`sf-part${there ? " sf-part-there" : ""}`} aria-label={keyName(name)}>
      <header>
        <div><h4>{keyName(name)}</h4><p class="help">{said(help)}</p></div>
        {context.disabled ? null : table === undefined
          ? <button type="button" class="button small" disabled={context.disabled} onClick={() => onChange(inherited ? {} : fresh(context.root, schema))}><Icon name={inherited ? "edit" : "plus"} size={16} />{t(inherited ? "own_list" : "set_up")}</button>
          : <button type="button" class="link" disabled={context.disabled} onClick={() => onChange(undefined)}>{t(inherited ? "back" : "take_away")}</button>}
      </header>
      {errors.map((one) => <p key={one.why} class="field-error" role="alert">{one.why}</p>)}
      {table !== undefined && <TableForm context={context} schema={schema} of={name} path={path} value={table} inherited={inherited} onChange={onChange} />}
    </section>
  );
}

/// Something of several forms: a word, yes or no, a number, a table, a list.
function AnyField({ context, path, field, inherited }: { context: FormContext; path: string; field: Parameters<typeof TextValue>[0]; inherited?: Value }) {
  const forms = (field.schema.anyOf ?? []).map((form) => deref(context.root, form));
  const part = forms.find((form) => form.type === "object");
  const flags = forms.some((form) => form.type === "boolean");
  const list = forms.find((form) => form.type === "array");
  const table = asTable(field.value);
  const id = `any-${path.replace(/\W/g, "-")}`;
  if (part) {
    const wordsOf = forms.flatMap((form) => (form.const !== undefined ? [form.const] : []));
    const usual = field.schema.default;
    const now = table ? "table" : field.value === undefined ? "" : String(field.value);
    return (
      <div class="sf-any">
        <Frame id={id} props={field}>
          <select id={id} disabled={field.disabled} value={now} onChange={(event) => {
            const word = event.currentTarget.value;
            field.onChange(word === "" ? undefined : word === "table" ? fresh(context.root, part) : word === "true" ? true : word === "false" ? false : word);
          }}>
            <option value="">{inherited !== undefined ? t("usual", { value: shown(inherited) }) : usual !== undefined ? t("usual", { value: shown(usual) }) : t("left_out")}</option>
            {flags && <option value="true">{t("on")}</option>}
            {flags && <option value="false">{t("off")}</option>}
            {wordsOf.map((word) => <option key={String(word)} value={String(word)}>{String(word)}</option>)}
            <option value="table">{t("custom")}</option>
          </select>
        </Frame>
        {table && <div class="sf-nested"><TableForm context={context} schema={part} of={field.name} path={path} value={table} onChange={field.onChange} /></div>}
      </div>
    );
  }
  // Words, numbers and lists are all typed: what it becomes follows from what it says.
  const known = forms.flatMap((form) => form.enum ?? (form.const !== undefined ? [form.const] : []));
  const value = field.value === undefined ? "" : shown(field.value);
  return (
    <Frame id={id} props={field}>
      <Draft id={id} value={value} placeholder={field.inherited !== undefined ? shown(field.inherited) : field.schema.default !== undefined ? shown(field.schema.default) : ""} disabled={field.disabled} list={`${id}-list`} onDraft={(text) => {
        const typed = text.trim();
        if (typed === "" || known.includes(typed)) return field.onChange(typed || undefined);
        if (list) return field.onChange(typed.split(/[,，]/).map((one) => one.trim()).filter(Boolean).map((one) => (/^\d+$/.test(one) ? Number(one) : one)));
        return field.onChange(valueOf({ type: "number" }, typed));
      }} />
      <datalist id={`${id}-list`}>{known.map((one) => <option key={String(one)} value={String(one)} />)}</datalist>
    </Frame>
  );
}
