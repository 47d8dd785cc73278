// The daemon's opinion of a definition while it is written: asked when the typing pauses, never saved.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../api.ts";
import type { Finding } from "./schema.ts";

export interface Check {
  valid: boolean;
  findings: Finding[];
}

export interface Checked {
  /// null: not asked yet.
  check: Check | null;
  busy: boolean;
  error: unknown;
}

const PAUSE_MS = 350;

export function useCheck(noun: "workflow" | "template", text: string | null): Checked {
  const [state, setState] = useState<Checked>({ check: null, busy: true, error: null });
  useEffect(() => {
    if (text === null) return;
    const controller = new AbortController();
    setState((now) => ({ ...now, busy: true }));
    const timer = setTimeout(() => {
      ask(`checks/${noun}`, { method: "POST", body: text, headers: { "content-type": "application/toml" }, signal: controller.signal })
        .then((response) => response.json() as Promise<Check>)
        .then(
          (check) => setState({ check, busy: false, error: null }),
          (error: unknown) => {
            if (error instanceof DOMException && error.name === "AbortError") return;
            setState((now) => ({ ...now, busy: false, error }));
          },
        );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [noun, text]);
  return state;
}
