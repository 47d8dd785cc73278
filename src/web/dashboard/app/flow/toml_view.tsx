// TOML to read: keys, texts and tables in their colours.
import { useMemo } from "preact/hooks";
import "./toml_view.css";

const PARTS = /(#[^\n]*)|("""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|'[^'\n]*')|(^\s*\[\[?[^\]\n]*\]\]?)|([A-Za-z0-9_-]+)(?=\s*=)|\b(true|false|[+-]?\d[\d_.eE+-]*)\b/gm;
const KINDS = ["", "comment", "text", "table", "key", "value"];

export function painted(text: string) {
  const parts: (string | { kind: string; text: string })[] = [];
  let at = 0;
  for (const found of text.matchAll(PARTS)) {
    const kind = found.findIndex((part, number) => number > 0 && part !== undefined);
    if (found.index > at) parts.push(text.slice(at, found.index));
    parts.push({ kind: KINDS[kind] ?? "", text: found[0] });
    at = found.index + found[0].length;
  }
  parts.push(text.slice(at));
  return parts.map((part, number) => (typeof part === "string" ? part : <span key={number} class={`toml-${part.kind}`}>{part.text}</span>));
}

export function TomlView({ text }: { text: string }) {
  const parts = useMemo(() => painted(text), [text]);
  return <pre class="toml-view" tabIndex={0}><code>{parts}</code></pre>;
}
