// Which of many lines of equal height lie in view, so that only these are drawn; and fetching on before the end shows.
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Paged } from "../resource.ts";

export interface Window {
  /// The first line to draw, and the one behind the last.
  from: number;
  to: number;
}

/// Lines drawn at a time: while a few are scrolled by, what is drawn stays as it is.
const STEP = 4;

/// The lines of `box`, each `height` px high from its top on, that lie in view, and about `spare` on either side. `known` is
/// whatever the place of the lines follows from, such as their number.
export function useWindow(box: RefObject<HTMLElement | null>, height: number, spare: number, known: unknown): Window {
  const [view, setView] = useState<Window>({ from: 0, to: Math.ceil(innerHeight / Math.max(1, height)) + spare });
  useEffect(() => {
    if (height <= 0) return;
    let asked = 0;
    const look = () => {
      asked = 0;
      const above = -(box.current?.getBoundingClientRect().top ?? 0);
      const from = Math.max(0, Math.floor((above / height - spare) / STEP) * STEP);
      const to = Math.max(0, Math.ceil(((above + innerHeight) / height + spare) / STEP) * STEP);
      setView((now) => (now.from === from && now.to === to ? now : { from, to }));
    };
    const soon = () => {
      if (asked === 0) asked = requestAnimationFrame(look);
    };
    look();
    addEventListener("scroll", soon, { passive: true, capture: true });
    addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(asked);
      removeEventListener("scroll", soon, { capture: true });
      removeEventListener("resize", soon);
    };
  }, [height, spare, known]);
  return view;
}

/// Asks for the next page when less than `ahead` lines are left below the window; `lines` is how many there are.
export function useFetchAhead(list: Paged<unknown>, view: Window, lines: number, ahead: number): void {
  useEffect(() => {
    if (list.more && !list.loading && !list.error && view.to + ahead >= lines) list.fetchMore();
  }, [view.to, lines, ahead, list.more, list.loading, list.error]);
}
