// Modal dialogs. `confirm(...)` asks one question; `openDialog(...)` shows anything, and both answer when it is closed.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { words } from "../words.ts";
import { Icon } from "./icon.tsx";
import { Toasts } from "./toast.tsx";

const t = words({
  cancel: ["Cancel", "取消"],
  close: ["Close", "关闭"],
  really: ["Continue", "继续"],
});

interface Open {
  id: number;
  title: string;
  wide: boolean;
  body: (close: (result?: unknown) => void) => ComponentChildren;
  answer: (result: unknown) => void;
}

const open = signal<Open[]>([]);
let count = 0;

/// Shows a dialog; the promise holds what `close` was given, undefined when it was dismissed.
export function openDialog<T>(title: string, body: (close: (result?: T) => void) => ComponentChildren, options: { wide?: boolean } = {}): Promise<T | undefined> {
  return new Promise((resolve) => {
    count += 1;
    open.value = [...open.value, {
      id: count,
      title,
      wide: options.wide ?? false,
      body: body as Open["body"],
      answer: resolve as (result: unknown) => void,
    }];
  });
}

/// Asks whether something shall really be done.
export async function confirm(title: string, text: ComponentChildren, deed?: string, options: { danger?: boolean } = {}): Promise<boolean> {
  const result = await openDialog<boolean>(title, (close) => (
    <>
      <div class="dialog-text">{text}</div>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => close(false)}>{t("cancel")}</button>
        <button type="button" class={`button ${options.danger ? "danger" : "primary"}`} autofocus onClick={() => close(true)}>{deed ?? t("really")}</button>
      </div>
    </>
  ));
  return result === true;
}

/// The open dialogs; notes stand in the topmost one, which alone can be read and pressed while it is open.
export function Dialogs() {
  const top = open.value.at(-1);
  return (
    <>
      {open.value.map((dialog) => <Dialog key={dialog.id} dialog={dialog} top={dialog === top} />)}
      {!top && <Toasts />}
    </>
  );
}

function Dialog({ dialog, top }: { dialog: Open; top: boolean }) {
  const element = useRef<HTMLDialogElement>(null);
  // Before anything else is pressed: keys that come at once are the dialog's.
  useLayoutEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    // What it was opened from may be gone with what was deleted.
    return () => void (before instanceof HTMLElement && setTimeout(() => (before.isConnected ? before : document.getElementById("content"))?.focus()));
  }, []);
  const close = (result?: unknown) => {
    open.value = open.value.filter((other) => other.id !== dialog.id);
    dialog.answer(result);
  };
  const title = `dialog-${dialog.id}`;
  return (
    <dialog ref={element} class={dialog.wide ? "dialog dialog-wide" : "dialog"} aria-labelledby={title} onCancel={(event) => {
      event.preventDefault();
      close();
    }}>
      <header>
        <h2 id={title}>{dialog.title}</h2>
        <button type="button" class="icon-button" aria-label={t("close")} onClick={() => close()}><Icon name="cross" /></button>
      </header>
      {dialog.body(close)}
      {top && <Toasts />}
    </dialog>
  );
}
