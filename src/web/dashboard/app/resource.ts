// What a page shows of the daemon: fetched, kept while it is fetched again, followed as it changes.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, type Page, type Query } from "./api.ts";
import { type Happened, onEvent } from "./live.ts";

export interface Resource<T> {
  data: T | null;
  error: unknown;
  loading: boolean;
  refresh: () => void;
}

export interface Follow {
  /// Fetch again this often, milliseconds, while the page is looked at.
  every?: number;
  /// Fetch again soon after an event for which this is true; many events make one fetch.
  on?: (event: Happened) => boolean;
}

/// Fetches `path` (null: nothing yet) and keeps it fresh.
export function useResource<T>(path: string | null, query?: Query, follow: Follow = {}): Resource<T> {
  const [state, setState] = useState<{ data: T | null; error: unknown; loading: boolean; key: string }>({ data: null, error: null, loading: path !== null, key: "" });
  const key = path === null ? "" : `${path}?${JSON.stringify(query ?? {})}`;
  const controller = useRef<AbortController | null>(null);
  const fetchNow = useCallback(() => {
    if (path === null) return;
    controller.current?.abort();
    const mine = new AbortController();
    controller.current = mine;
    setState((now) => ({ data: now.key === key ? now.data : null, error: now.key === key ? now.error : null, loading: true, key }));
    get<T>(path, query, mine.signal).then(
      (data) => setState({ data, error: null, loading: false, key }),
      (error: unknown) => {
        if (error instanceof DOMException && error.name === "AbortError") return;
        setState((now) => ({ data: now.key === key ? now.data : null, error, loading: false, key }));
      },
    );
  }, [key]);
  useEffect(() => {
    fetchNow();
    return () => controller.current?.abort();
  }, [key]);
  useFollow(fetchNow, follow, path !== null);
  return { data: state.key === key ? state.data : null, error: state.error, loading: state.loading, refresh: fetchNow };
}

/// Calls `refresh` as `follow` says.
export function useFollow(refresh: () => void, follow: Follow, enabled = true): void {
  const latest = useRef({ refresh, follow });
  latest.current = { refresh, follow };
  useEffect(() => {
    if (!enabled || !follow.every) return;
    const timer = setInterval(() => document.visibilityState === "visible" && latest.current.refresh(), follow.every);
    return () => clearInterval(timer);
  }, [follow.every, enabled]);
  useEffect(() => {
    if (!enabled || !follow.on) return;
    let soon: ReturnType<typeof setTimeout> | undefined;
    const stop = onEvent((event) => {
      if (!latest.current.follow.on?.(event) || soon !== undefined) return;
      soon = setTimeout(() => {
        soon = undefined;
        latest.current.refresh();
      }, 400);
    });
    return () => {
      clearTimeout(soon);
      stop();
    };
  }, [!follow.on, enabled]);
}

export interface Paged<T> {
  items: T[];
  error: unknown;
  loading: boolean;
  /// There are more behind these.
  more: boolean;
  fetchMore: () => void;
  refresh: () => void;
}

/// Rows of the first page of a list, by its path.
const FIRST_ROWS: Record<string, number> = { media: 60 };
const FIRST_ROWS_ELSE = 100;
export const firstRows = (path: string): number => FIRST_ROWS[path] ?? FIRST_ROWS_ELSE;

/// A list by cursor: the first page at once, the next ones as they are asked for. `refresh` fetches as many again as
/// are shown, at most 500, and puts them in place of the first ones.
export function usePaged<T extends { id: string }>(path: string, query: Query = {}, follow: Follow = {}, size = firstRows(path)): Paged<T> {
  const key = `${path}?${JSON.stringify(query)}`;
  const empty = { items: [] as T[], next: null as string | null, error: null as unknown, loading: true, key };
  const [state, setState] = useState(empty);
  const now = state.key === key ? state : empty;
  const busy = useRef<AbortController | null>(null);
  const load = (limit: number, cursor: string | null, put: (page: Page<T>) => { items: T[]; next: string | null }) => {
    busy.current?.abort();
    const mine = new AbortController();
    busy.current = mine;
    setState({ ...now, loading: true });
    get<Page<T>>(path, { ...query, limit, cursor }, mine.signal).then(
      (page) => {
        if (busy.current === mine) busy.current = null;
        setState({ ...put(page), error: null, loading: false, key });
      },
      (error: unknown) => {
        if (error instanceof DOMException && error.name === "AbortError") return;
        if (busy.current === mine) busy.current = null;
        setState({ ...now, error, loading: false });
      },
    );
  };
  const refresh = () => {
    if (busy.current) return;
    load(Math.min(500, Math.max(size, now.items.length)), null, (page) => {
      const seen = new Set(page.items.map((item) => item.id));
      const behind = page.next && now.items.length > page.items.length ? now.items.slice(page.items.length).filter((item) => !seen.has(item.id)) : [];
      return { items: [...page.items, ...behind], next: behind.length > 0 ? now.next : page.next };
    });
  };
  const fetchMore = () => {
    if (busy.current || now.next === null) return;
    load(Math.min(500, size * 4, Math.max(size, now.items.length)), now.next, (page) => {
      const seen = new Set(now.items.map((item) => item.id));
      return { items: [...now.items, ...page.items.filter((item) => !seen.has(item.id))], next: page.next };
    });
  };
  useEffect(() => {
    busy.current?.abort();
    busy.current = null;
    load(size, null, (page) => ({ items: page.items, next: page.next }));
    return () => busy.current?.abort();
  }, [key]);
  useFollow(refresh, follow);
  return { items: now.items, error: now.error, loading: now.loading, more: now.next !== null, fetchMore, refresh };
}
