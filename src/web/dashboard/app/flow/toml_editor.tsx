// TOML to write: a plain text area over the painted text, with numbers of lines and marks at those that are wrong.
import { useId, useMemo, useRef } from "preact/hooks";
import { words } from "../words.ts";
import { painted } from "./toml_view.tsx";
import type { TomlError } from "./toml.ts";
import "./toml_view.css";

const t = words({
  key: ["a key is expected, found “{found}”", "此处应为键名，实际为“{found}”"],
  value: ["“{found}” is no value; texts stand in quotes", "“{found}”不是有效的值；文本需加引号"],
  string: ["a text is not closed, or has an escape that there is not", "文本未闭合，或含有不支持的转义"],
  end: ["something stands behind the end of this line", "行尾有多余内容"],
  equals: ["“=” is missing", "缺少“=”"],
  twice: ["“{found}” is there twice", "“{found}”重复出现"],
  bracket: ["a bracket or comma is missing", "缺少括号或逗号"],
  line: ["Line {n}: {why}", "第 {n} 行：{why}"],
});

export const tomlWhy = (error: TomlError): string => t("line", { n: error.line, why: t(error.why, { found: error.found.slice(0, 30) }) });

export interface TomlEditorProps {
  label: string;
  value: string;
  onInput: (text: string) => void;
  disabled?: boolean;
  /// Why the text cannot be read at all.
  error?: string | null;
  /// Lines with findings.
  marked?: ReadonlyMap<number, string>;
}

export function TomlEditor({ label, value, onInput, disabled, error, marked }: TomlEditorProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const parts = useMemo(() => painted(value), [value]);
  const lines = value.split("\n").length;
  return (
    <div class="toml-edit">
      <div class="toml-edit-box" ref={box}>
        <ol class="toml-lines" aria-hidden="true">
          {Array.from({ length: lines }, (_, at) => <li key={at} class={marked?.has(at + 1) ? "toml-bad" : undefined} title={marked?.get(at + 1)}>{at + 1}</li>)}
        </ol>
        <div class="toml-area">
          <pre aria-hidden="true"><code>{parts}{"\n"}</code></pre>
          <textarea value={value} readOnly={disabled} aria-label={label} aria-invalid={error ? true : undefined} aria-describedby={error ? `${id}-error` : undefined} spellcheck={false} autocapitalize="off" wrap="off" onInput={(event) => onInput(event.currentTarget.value)} />
        </div>
      </div>
      {error && <p class="field-error" id={`${id}-error`} role="alert">{error}</p>}
    </div>
  );
}
