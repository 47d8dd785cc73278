// One key of a definition as a field: the control that fits it, its range, unit, help, what holds when it is left out,
// and what is wrong with it.
import { useId, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { words } from "../words.ts";
import { Switch } from "../parts/form.tsx";
import { Icon } from "../parts/icon.tsx";
import { keyName } from "./key_names.ts";
import { pickObject } from "./object_picker.tsx";
import { said } from "./said.ts";
import type { Schema } from "./schema.ts";
import { type Table, type Value, inline } from "./toml.ts";

const t = words({
  from_template: ["From the template", "来自模板"],
  overrides: ["Overrides the template, which says {value}", "覆盖模板的值：{value}"],
  reset: ["Back to the template's", "恢复模板的值"],
  left_out: ["left out", "不设置"],
  usual: ["{value} (default)", "{value}（默认）"],
  of_template: ["{value} (template)", "{value}（模板）"],
  range: ["{min} to {max}{unit}", "{min} 至 {max}{unit}"],
  at_least: ["from {min}{unit}", "不小于 {min}{unit}"],
  at_most: ["up to {max}{unit}", "不超过 {max}{unit}"],
  browse: ["Browse", "浏览"],
  commas: ["Separated by commas.", "以逗号分隔。"],
  bad_json: ["This is no JSON object.", "不是有效的 JSON 对象。"],
  yes: ["yes", "是"],
  no: ["no", "否"],
  source_only: ["the source's storage", "与源相同的存储"],
  any: ["* (any storage)", "*（任意存储）"],
});

export interface FieldProps {
  name: string;
  schema: Schema;
  value: Value | undefined;
  /// What a template says of it.
  inherited?: Value;
  required?: boolean;
  error?: string;
  disabled?: boolean;
  onChange: (value: Value | undefined) => void;
  /// Names to choose from, where the text is one.
  names?: string[];
  /// The storage that a folder is chosen from.
  storage?: string;
  label?: string;
  /// What stands for nothing in a list of choices.
  nothing?: string;
}

export const shown = (value: Value): string => (value === true ? t("yes") : value === false ? t("no") : typeof value === "string" ? value : Array.isArray(value) ? value.map((one) => (typeof one === "string" ? one : inline(one))).join(", ") : inline(value));

/// What holds when nothing is written, in words.
function otherwise(schema: Schema, inherited: Value | undefined): string {
  if (inherited !== undefined) return shown(inherited);
  const usual = schema.default ?? schema["x-usual"];
  return usual === undefined || usual === "" || (Array.isArray(usual) && usual.length === 0) ? "" : shown(usual);
}

export function Frame({ id, props, children, inlineLabel }: { id: string; props: FieldProps; children: ComponentChildren; inlineLabel?: boolean }) {
  const { schema, name, inherited, value, required, error } = props;
  const unit = schema["x-unit"] ? ` ${schema["x-unit"]}` : "";
  const { minimum: min, maximum: max } = schema;
  const range = schema.enum || (min === undefined && max === undefined) ? "" : min === undefined ? t("at_most", { max: max as number, unit }) : max === undefined ? t("at_least", { min, unit }) : t("range", { min, max, unit });
  const overridden = inherited !== undefined && value !== undefined;
  return (
    <div class={`field sf-field${error ? " field-bad" : ""}${overridden ? " sf-over" : ""}${value === undefined ? "" : " sf-set"}`} data-key={name}>
      {!inlineLabel && <label for={id} title={name}>{props.label ?? keyName(name)}{required && <span class="required" aria-hidden="true"> *</span>}</label>}
      {children}
      <p class="help" id={`${id}-help`}>{said(schema.description)} {range && <span class="range">{range}.</span>}</p>
      {overridden && <p class="sf-note"><span>{t("overrides", { value: shown(inherited) })}</span> <button type="button" class="link" disabled={props.disabled} onClick={() => props.onChange(undefined)}>{t("reset")}</button></p>}
      {error && <p class="field-error" id={`${id}-error`} role="alert">{error}</p>}
    </div>
  );
}

const aria = (id: string, props: FieldProps) => ({ "aria-describedby": `${id}-help${props.error ? ` ${id}-error` : ""}`, "aria-invalid": props.error ? true : undefined });

export function FlagField(props: FieldProps) {
  const id = useId();
  const { schema, value, inherited, onChange, name } = props;
  const otherwiseOn = inherited ?? schema.default;
  if (otherwiseOn === undefined) {
    // Three states: yes, no, and nothing said.
    return (
      <Frame id={id} props={props}>
        <select id={id} disabled={props.disabled} value={value === undefined ? "" : String(value)} {...aria(id, props)} onChange={(event) => onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value === "true")}>
          <option value="">{t("left_out")}</option>
          <option value="true">{t("yes")}</option>
          <option value="false">{t("no")}</option>
        </select>
      </Frame>
    );
  }
  return (
    <Frame id={id} props={props} inlineLabel>
      <div class="switch-line">
        <Switch id={id} value={(value ?? otherwiseOn) === true} disabled={props.disabled} describedBy={`${id}-help`} onInput={(on) => onChange(on === otherwiseOn && inherited === undefined ? undefined : on)} />
        <label for={id} title={name}>{props.label ?? keyName(name)}</label>
      </div>
    </Frame>
  );
}

export function ChoiceField(props: FieldProps) {
  const id = useId();
  const { schema, value, inherited, onChange } = props;
  const helps = new Map(schema["x-choices"]?.map((one) => [one.value, one.help]));
  const text = (word: Value) => (helps.get(String(word)) ? `${String(word)} – ${said(helps.get(String(word))).replace(/\.$/, "")}` : String(word));
  const usual = otherwise(schema, inherited);
  const numbers = schema.enum?.every((one) => typeof one === "number");
  const unknown = value !== undefined && !schema.enum?.includes(value);
  return (
    <Frame id={id} props={props}>
      <select id={id} disabled={props.disabled} value={value === undefined ? "" : String(value)} {...aria(id, props)} onChange={(event) => {
        const word = event.currentTarget.value;
        onChange(word === "" ? undefined : numbers ? Number(word) : word);
      }}>
        {(!props.required || value === undefined) && <option value="">{props.nothing ? props.nothing : usual ? t(inherited === undefined ? "usual" : "of_template", { value: usual }) : t("left_out")}</option>}
        {unknown && <option value={String(value)}>{String(value)}</option>}
        {schema.enum?.map((word) => <option key={String(word)} value={String(word)} selected={word === value}>{text(word)}</option>)}
      </select>
    </Frame>
  );
}

/// A text field that keeps what is being typed, and takes what comes from elsewhere only when it is not.
export function Draft({ value, onDraft, lines, ...rest }: { value: string; onDraft: (text: string) => void; lines?: number; id?: string; placeholder?: string; disabled?: boolean; mono?: boolean; type?: string; inputMode?: "decimal" | "text"; list?: string; maxLength?: number; [aria: `aria-${string}`]: string | boolean | undefined }) {
  const [draft, setDraft] = useState<string | null>(null);
  const { mono, type, ...plain } = rest;
  const common = {
    ...plain,
    value: draft ?? value,
    class: mono ? "mono" : undefined,
    spellcheck: false,
    onInput: (event: { currentTarget: { value: string } }) => {
      setDraft(event.currentTarget.value);
      onDraft(event.currentTarget.value);
    },
    onBlur: () => setDraft(null),
  };
  return lines ? <textarea {...common} rows={lines} /> : <input {...common} type={(type ?? "text") as "text"} autocomplete="off" />;
}

const FORMS_WITH_NUMBERS = new Set(["time", "extent"]);

/// The value that a text stands for: numbers are numbers where the key takes them.
export function valueOf(schema: Schema, text: string): Value | undefined {
  if (text === "") return undefined;
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  const takesNumbers = types.includes("number") || types.includes("integer") || FORMS_WITH_NUMBERS.has(schema["x-form"] ?? "");
  if (takesNumbers && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return text;
}

export function NumberValue(props: FieldProps) {
  const id = useId();
  const { schema, value, inherited, onChange } = props;
  return (
    <Frame id={id} props={props}>
      <div class="with-unit">
        <Draft id={id} value={value === undefined ? "" : String(value)} placeholder={otherwise(schema, inherited)} disabled={props.disabled} inputMode="decimal" {...aria(id, props)} onDraft={(text) => {
          const number = Number(text.replace(",", "."));
          onChange(text.trim() === "" ? undefined : Number.isFinite(number) ? number : text);
        }} />
        {schema["x-unit"] && <span class="unit">{schema["x-unit"]}</span>}
      </div>
    </Frame>
  );
}

export function TextValue(props: FieldProps) {
  const id = useId();
  const { schema, value, inherited, onChange, names } = props;
  const form = schema["x-form"];
  const text = value === undefined ? "" : typeof value === "string" ? value : shown(value);
  const put = (typed: string) => onChange(valueOf(schema, typed));
  const common = { id, placeholder: otherwise(schema, inherited), disabled: props.disabled, maxLength: schema.maxLength, ...aria(id, props) };
  const long = form === "lines" || props.name === "description" || props.name === "instructions" || props.name === "svg";
  if (names && (form === "storage" || form === "destination")) {
    const known = [...new Set([...(props.name === "storage" && props.required ? ["*"] : []), ...names, ...(text ? [text] : [])])];
    return (
      <Frame id={id} props={props}>
        <select id={id} disabled={props.disabled} value={text} {...aria(id, props)} onChange={(event) => onChange(event.currentTarget.value || undefined)}>
          <option value="">{otherwise(schema, inherited) || (form === "storage" && !props.required ? t("source_only") : t("left_out"))}</option>
          {known.map((name) => <option key={name} value={name} selected={name === text}>{name === "*" ? t("any") : name}</option>)}
        </select>
      </Frame>
    );
  }
  const picked = form === "object" || form === "prefix" || form === "subtitles";
  const input = <Draft {...common} value={text} lines={long ? 2 : undefined} mono={picked || form === "timecode" || props.name === "path"} onDraft={put} type={schema["x-secret"] ? "password" : undefined} list={schema.examples ? `${id}-list` : undefined} />;
  return (
    <Frame id={id} props={props}>
      {picked ? (
        <div class="with-button">
          {input}
          <button type="button" class="icon-button" disabled={props.disabled} aria-label={`${t("browse")}: ${props.label ?? keyName(props.name)}`} title={t("browse")} onClick={() => void pickObject({ folder: form === "prefix", storage: props.storage }).then((found) => found !== undefined && onChange(found || undefined))}><Icon name="folder" size={18} /></button>
        </div>
      ) : form === "color" ? (
        <div class="sf-color">{input}<input type="color" disabled={props.disabled} aria-label={keyName(props.name)} value={/^#[0-9a-f]{6}$/i.test(text || common.placeholder) ? text || common.placeholder : "#000000"} onInput={(event) => onChange(event.currentTarget.value)} /></div>
      ) : schema["x-unit"] ? <div class="with-unit">{input}<span class="unit">{schema["x-unit"]}</span></div> : input}
      {schema.examples && <datalist id={`${id}-list`}>{schema.examples.map((one) => <option key={String(one)} value={String(one)} />)}</datalist>}
    </Frame>
  );
}

/// A list of words or numbers, on one line.
export function WordsField(props: FieldProps) {
  const id = useId();
  const { schema, value, inherited, onChange } = props;
  const integers = schema.items?.type === "integer" || schema.items?.type === "number";
  const list = Array.isArray(value) ? value : undefined;
  return (
    <Frame id={id} props={{ ...props, schema: { ...schema, description: `${said(schema.description)} ${t("commas")}` } }}>
      <Draft id={id} value={list ? list.map((one) => (typeof one === "string" ? one : inline(one))).join(", ") : ""} placeholder={otherwise(schema, inherited)} disabled={props.disabled} mono {...aria(id, props)} onDraft={(text) => {
        const parts = text.split(/[,，;\n]/).map((part) => part.trim()).filter(Boolean);
        onChange(parts.length === 0 ? undefined : parts.map((part) => (integers && /^-?\d+(\.\d+)?$/.test(part) ? Number(part) : part)));
      }} />
    </Frame>
  );
}

/// Several of some words.
export function ChoicesField(props: FieldProps & { of: Schema }) {
  const id = useId();
  const { of, schema, value, inherited, onChange } = props;
  const usual = inherited ?? schema.default;
  const now = Array.isArray(value) ? value : Array.isArray(usual) ? usual : [];
  const helps = new Map(of["x-choices"]?.map((one) => [one.value, one.help]));
  const same = (list: Value[]) => Array.isArray(usual) && usual.length === list.length && usual.every((one) => list.includes(one));
  return (
    <Frame id={id} props={{ ...props, schema: { ...schema, minimum: undefined, maximum: undefined } }} inlineLabel>
      <fieldset class="sf-checks" disabled={props.disabled}>
        <legend>{props.label ?? keyName(props.name)}</legend>
        {of.enum?.map((word) => (
          <label key={String(word)} title={said(helps.get(String(word)))}>
            <input type="checkbox" checked={now.includes(word)} onChange={(event) => {
              const next = (of.enum ?? []).filter((one) => (one === word ? event.currentTarget.checked : now.includes(one)));
              onChange(same(next) && inherited === undefined ? undefined : next);
            }} /> {String(word)}
          </label>
        ))}
      </fieldset>
    </Frame>
  );
}

/// A table of anything, as JSON.
export function ObjectField(props: FieldProps) {
  const id = useId();
  const [bad, setBad] = useState(false);
  const latest = useRef("");
  return (
    <Frame id={id} props={{ ...props, error: bad ? t("bad_json") : props.error }}>
      <Draft id={id} lines={3} mono value={props.value === undefined ? "" : JSON.stringify(props.value, null, 2)} disabled={props.disabled} placeholder="{}" {...aria(id, props)} onDraft={(text) => {
        latest.current = text;
        if (!text.trim()) {
          setBad(false);
          return props.onChange(undefined);
        }
        try {
          const read: unknown = JSON.parse(text);
          const fits = typeof read === "object" && read !== null && !Array.isArray(read);
          setBad(!fits);
          if (fits) props.onChange(read as Table);
        } catch {
          setBad(true);
        }
      }} />
    </Frame>
  );
}
