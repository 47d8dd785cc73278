// What was done to a definition, to be undone and done again. Quick changes of one kind (typing in one field) are one step.
import { useReducer } from "preact/hooks";

const TOGETHER_MS = 1200;
const MOST = 200;

interface Steps<T> {
  past: T[];
  now: T;
  future: T[];
  kind: string;
  at: number;
}

type Deed<T> = { do: "change"; next: T; kind: string; at: number } | { do: "undo" } | { do: "redo" } | { do: "reset"; next: T };

function step<T>(steps: Steps<T>, deed: Deed<T>): Steps<T> {
  if (deed.do === "reset") return { past: [], now: deed.next, future: [], kind: "", at: 0 };
  if (deed.do === "change") {
    if (deed.next === steps.now) return steps;
    const together = deed.kind !== "" && deed.kind === steps.kind && deed.at - steps.at < TOGETHER_MS && steps.past.length > 0;
    return { past: together ? steps.past : [...steps.past.slice(-MOST), steps.now], now: deed.next, future: [], kind: deed.kind, at: deed.at };
  }
  if (deed.do === "undo") {
    const before = steps.past.at(-1);
    return before === undefined ? steps : { past: steps.past.slice(0, -1), now: before, future: [steps.now, ...steps.future], kind: "", at: 0 };
  }
  const [after, ...rest] = steps.future;
  return after === undefined ? steps : { past: [...steps.past, steps.now], now: after, future: rest, kind: "", at: 0 };
}

export interface History<T> {
  now: T;
  /// Changes of the same `kind` that follow one another quickly are undone together; "" never.
  change: (next: T, kind?: string) => void;
  undo: () => void;
  redo: () => void;
  /// Begins anew with what was saved.
  reset: (next: T) => void;
  canUndo: boolean;
  canRedo: boolean;
}

export function useHistory<T>(first: T): History<T> {
  const [steps, dispatch] = useReducer<Steps<T>, Deed<T>>(step, { past: [], now: first, future: [], kind: "", at: 0 });
  return {
    now: steps.now,
    change: (next, kind = "") => dispatch({ do: "change", next, kind, at: Date.now() }),
    undo: () => dispatch({ do: "undo" }),
    redo: () => dispatch({ do: "redo" }),
    reset: (next) => dispatch({ do: "reset", next }),
    canUndo: steps.past.length > 0,
    canRedo: steps.future.length > 0,
  };
}
