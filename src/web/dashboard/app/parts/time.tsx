// A time: how long ago, kept true while it is looked at; whole in the tool tip.
import { signal } from "@preact/signals";
import { ago, when } from "./format.ts";

const now = signal(0);
setInterval(() => document.visibilityState === "visible" && (now.value += 1), 15_000);

export function Time({ at, whole = false }: { at: string | null | undefined; whole?: boolean }) {
  if (!at) return <span>–</span>;
  // Reading the signal is what makes this drawn again.
  return <time dateTime={at} title={`${when(at)} (${at})`} data-now={now.value}>{whole ? when(at) : ago(at)}</time>;
}
