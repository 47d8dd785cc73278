// Text that can be copied with one click: ids, addresses, secrets that are shown once.
import { useState } from "preact/hooks";
import { words } from "../words.ts";
import { Icon } from "./icon.tsx";

const t = words({ copy: ["Copy", "复制"], copied: ["Copied", "已复制"] });

/// Copies a text; also where the page is not served over HTTPS and the clipboard API is not there.
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
    if (done) return true;
  }
  const area = document.createElement("textarea");
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

/// A button alone, where the text is seen already or too long to be shown.
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  return (
    <button type="button" class="icon-button" aria-label={done ? t("copied") : label} title={label} onClick={() => void copyText(text).then((ok) => {
      setDone(ok);
      setTimeout(() => setDone(false), 1500);
    })}><Icon name={done ? "check" : "copy"} size={15} /></button>
  );
}

export function Copy({ text, shown, mono = true }: { text: string; shown?: string; mono?: boolean }) {
  return (
    <span class="copy">
      <span class={mono ? "mono" : undefined} title={text}>{shown ?? text}</span>
      <CopyButton text={text} label={`${t("copy")} ${shown ?? text}`} />
    </span>
  );
}
