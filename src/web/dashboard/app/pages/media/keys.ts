// The keys of the player, as editors and browsers have them: J K L, space, arrows, comma and period, digits.
import type { Playhead } from "./playhead.ts";

export interface Deeds {
  toggle: () => void;
  /// -1 and 1: one picture back and on.
  step: (pictures: number) => void;
  /// Faster back and faster on, as on an editing desk.
  shuttle: (direction: -1 | 1) => void;
  stop: () => void;
  mute: () => void;
  fullscreen: () => void;
  captions: () => void;
}

/// Whether a key pressed here belongs to the element it was pressed on.
function belongsElsewhere(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof Element) || document.querySelector("dialog[open]")) return true;
  if (target.closest("input, textarea, select, [contenteditable], [role=menu]")) return true;
  if ((event.key === " " || event.key === "Enter") && target.closest("button, a, summary, label")) return true;
  return event.key.startsWith("Arrow") && target.closest("[role=tablist], [data-row]") !== null;
}

export function listen(head: Playhead, deeds: Deeds): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || belongsElsewhere(event)) return;
    const by = (seconds: number) => head.seek(head.time.value + seconds);
    const end = head.duration.value;
    const deed: Record<string, () => void> = {
      " ": deeds.toggle,
      k: deeds.stop,
      l: () => deeds.shuttle(1),
      j: () => deeds.shuttle(-1),
      ",": () => deeds.step(-1),
      ".": () => deeds.step(1),
      ArrowLeft: () => by(event.shiftKey ? -1 : -5),
      ArrowRight: () => by(event.shiftKey ? 1 : 5),
      PageUp: () => by(-30),
      PageDown: () => by(30),
      Home: () => head.seek(0),
      End: () => head.seek(end),
      m: deeds.mute,
      f: deeds.fullscreen,
      c: deeds.captions,
    };
    const onLine = event.target instanceof Element && event.target.getAttribute("role") === "slider";
    // Elsewhere these scroll the page.
    if (["Home", "End", "PageUp", "PageDown"].includes(event.key) && !onLine) return;
    const digit = /^[0-9]$/.test(event.key) && !event.shiftKey ? () => head.seek((end * Number(event.key)) / 10) : undefined;
    const found = deed[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? digit;
    if (!found) return;
    event.preventDefault();
    found();
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
