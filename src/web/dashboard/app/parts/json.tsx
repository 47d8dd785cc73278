// JSON as people read it: indented, with colours, and to be copied.
import type { ComponentChildren } from "preact";
import { words } from "../words.ts";
import { CopyButton } from "./copy.tsx";

const t = words({ json: ["JSON", "JSON"], copy: ["Copy", "复制"] });

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function coloured(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let at = 0;
  for (const found of text.matchAll(TOKEN)) {
    if (found.index > at) parts.push(text.slice(at, found.index));
    const [whole, quoted, colon] = found;
    const kind = quoted ? (colon ? "json-name" : "json-text") : "json-value";
    parts.push(<span class={kind}>{quoted ?? whole}</span>);
    if (colon) parts.push(colon);
    at = found.index + whole.length;
  }
  parts.push(text.slice(at));
  return parts;
}

/// Texts longer than this are shown without colours: drawing each token would be slow.
const COLOURED_MAX = 60_000;

export function Json({ value, label }: { value: unknown; label?: string }) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return (
    <div class="json">
      <CopyButton text={text} label={t("copy")} />
      <pre tabIndex={0} aria-label={label ?? t("json")}>{text.length > COLOURED_MAX ? text : coloured(text)}</pre>
    </div>
  );
}
