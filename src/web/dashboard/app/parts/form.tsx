// Fields of forms: a label, help and an error that belong to their control for screen readers too.
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { words } from "../words.ts";
import { Icon } from "./icon.tsx";

const t = words({ show: ["Show", "显示"], hide: ["Hide", "隐藏"], from_to: ["{min} to {max}", "{min} 至 {max}"] });

export interface FieldProps {
  label: string;
  help?: ComponentChildren;
  error?: string | null;
  required?: boolean;
  disabled?: boolean;
}

function Frame({ id, label, help, error, required, children }: FieldProps & { id: string; children: ComponentChildren }) {
  return (
    <div class={`field${error ? " field-bad" : ""}`}>
      <label for={id}>{label}{required && <span class="required" aria-hidden="true"> *</span>}</label>
      {children}
      {help && <p class="help" id={`${id}-help`}>{help}</p>}
      {error && <p class="field-error" id={`${id}-error`} role="alert">{error}</p>}
    </div>
  );
}

const described = (id: string, props: FieldProps) => [props.help ? `${id}-help` : "", props.error ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined;

export function TextField(props: FieldProps & { value: string; onInput: (value: string) => void; placeholder?: string; mono?: boolean; lines?: number; type?: string; autocomplete?: string; maxLength?: number; autofocus?: boolean; name?: string }) {
  const id = useId();
  const common = {
    id,
    name: props.name,
    value: props.value,
    placeholder: props.placeholder,
    required: props.required,
    disabled: props.disabled,
    maxLength: props.maxLength,
    "aria-invalid": props.error ? true : undefined,
    "aria-describedby": described(id, props),
    class: props.mono ? "mono" : undefined,
  };
  return (
    <Frame id={id} {...props}>
      {props.lines
        ? <textarea {...common} rows={props.lines} spellcheck={false} onInput={(event) => props.onInput(event.currentTarget.value)} />
        : <input {...common} type={(props.type ?? "text") as "text"} autocomplete={props.autocomplete ?? "off"} autofocus={props.autofocus} spellcheck={false} onInput={(event) => props.onInput(event.currentTarget.value)} />}
    </Frame>
  );
}

export function SecretField(props: FieldProps & { value: string; onInput: (value: string) => void; autocomplete?: string; placeholder?: string; name?: string; autofocus?: boolean }) {
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <Frame id={id} {...props}>
      <div class="with-button">
        <input id={id} name={props.name} type={(shown ? "text" : "password") as "password"} value={props.value} required={props.required} disabled={props.disabled} placeholder={props.placeholder} autocomplete={props.autocomplete ?? "off"} autofocus={props.autofocus} spellcheck={false} aria-describedby={described(id, props)} onInput={(event) => props.onInput(event.currentTarget.value)} />
        <button type="button" class="icon-button" aria-label={shown ? t("hide") : t("show")} aria-pressed={shown} onClick={() => setShown(!shown)}><Icon name="eye" size={18} /></button>
      </div>
    </Frame>
  );
}

/// null: nothing is given.
export function NumberField(props: FieldProps & { value: number | null; onInput: (value: number | null) => void; min?: number; max?: number; step?: number | "any"; unit?: string; placeholder?: string }) {
  const id = useId();
  const range = props.min !== undefined && props.max !== undefined ? t("from_to", { min: props.min, max: props.max }) : "";
  const help = props.help || range ? <>{props.help} {range && <span class="range">{range}{props.unit ? ` ${props.unit}` : ""}</span>}</> : undefined;
  return (
    <Frame id={id} {...props} help={help}>
      <div class="with-unit">
        <input id={id} type="number" inputMode="decimal" value={props.value ?? ""} min={props.min} max={props.max} step={props.step ?? "any"} required={props.required} disabled={props.disabled} placeholder={props.placeholder} aria-invalid={props.error ? true : undefined} aria-describedby={help ? `${id}-help` : undefined} onInput={(event) => {
          const text = event.currentTarget.value;
          props.onInput(text === "" ? null : Number(text));
        }} />
        {props.unit && <span class="unit">{props.unit}</span>}
      </div>
    </Frame>
  );
}

export interface Choice {
  value: string;
  text: string;
  disabled?: boolean;
}

export function SelectField(props: FieldProps & { value: string; onInput: (value: string) => void; choices: Choice[] }) {
  const id = useId();
  return (
    <Frame id={id} {...props}>
      <select id={id} value={props.value} required={props.required} disabled={props.disabled} aria-describedby={described(id, props)} onChange={(event) => props.onInput(event.currentTarget.value)}>
        {props.choices.map((choice) => <option key={choice.value} value={choice.value} disabled={choice.disabled} selected={choice.value === props.value}>{choice.text}</option>)}
      </select>
    </Frame>
  );
}

export function SwitchField(props: FieldProps & { value: boolean; onInput: (value: boolean) => void }) {
  const id = useId();
  return (
    <div class="field field-switch">
      <div class="switch-line">
        <Switch id={id} value={props.value} disabled={props.disabled} onInput={props.onInput} describedBy={described(id, props)} />
        <label for={id}>{props.label}</label>
      </div>
      {props.help && <p class="help" id={`${id}-help`}>{props.help}</p>}
    </div>
  );
}

/// A switch alone, where its label stands elsewhere.
export function Switch({ id, value, onInput, label, disabled, describedBy }: { id?: string; value: boolean; onInput: (value: boolean) => void; label?: string; disabled?: boolean; describedBy?: string }) {
  return (
    <button type="button" id={id} role="switch" class="switch" aria-checked={value} aria-label={label} aria-describedby={describedBy} disabled={disabled} onClick={() => onInput(!value)}><i /></button>
  );
}
