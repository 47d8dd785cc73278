// A list of rows: only those in view are drawn, however many there are; the next page is fetched before the end shows.
// Arrow keys move through the rows, Enter opens one, Space marks it.
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { go } from "../router.ts";
import { words } from "../words.ts";
import { ErrorBox } from "./problem.tsx";
import { Skeleton } from "./skeleton.tsx";
import { useFetchAhead, useWindow } from "./window.ts";
import type { Paged } from "../resource.ts";

const t = words({
  loading: ["Fetching …", "加载中…"],
  mark_all: ["Mark all that are shown", "全选"],
  mark: ["Mark", "选择"],
});

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ComponentChildren;
  /// A width of CSS grid: `minmax(8rem, 2fr)`, `7rem`; default `1fr`.
  width?: string;
  align?: "end";
  /// 1: always; 2: from tablets up; 3: on wide screens.
  from?: 1 | 2 | 3;
  /// Name of the order, where the list can be sorted by it.
  sort?: string;
}

export interface TableProps<T extends { id: string }> {
  label: string;
  columns: Column<T>[];
  list: Paged<T>;
  href?: (row: T) => string;
  empty: ComponentChildren;
  marked?: ReadonlySet<string>;
  onMark?: (marked: Set<string>) => void;
  rowHeight?: number;
  sorted?: { by: string; descending: boolean };
  onSort?: (by: string) => void;
}

export function Table<T extends { id: string }>(props: TableProps<T>) {
  const { columns, list, marked, onMark } = props;
  const height = props.rowHeight ?? 48;
  const box = useRef<HTMLDivElement>(null);
  const view = useWindow(box, height, 12, list.items.length);
  useFetchAhead(list, view, list.items.length, 40);

  if (list.error && list.items.length === 0) return <ErrorBox error={list.error} retry={list.refresh} />;
  if (list.items.length === 0) return list.loading ? <Skeleton lines={6} /> : <div class="empty">{props.empty}</div>;
  // The columns that a width has room for: phones, tablets, wide screens.
  const grid = (width: number) => `${onMark ? "1.5rem " : ""}${columns.filter((column) => (column.from ?? 1) <= width).map((column) => column.width ?? "minmax(0, 1fr)").join(" ")}`;
  const from = Math.min(view.from, Math.max(0, list.items.length - 1));
  const rows = list.items.slice(from, view.to);
  const toggle = (id: string) => {
    const next = new Set(marked);
    if (!next.delete(id)) next.add(id);
    onMark?.(next);
  };
  const all = marked !== undefined && marked.size > 0 && list.items.every((row) => marked.has(row.id));
  const keys = (event: KeyboardEvent) => {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-row]") : null;
    if (!row || event.target !== row) return;
    const at = Number(row.dataset.row);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = box.current?.querySelector<HTMLElement>(`[data-row="${at + (event.key === "ArrowDown" ? 1 : -1)}"]`);
      next?.focus();
      next?.scrollIntoView({ block: "nearest" });
    }
    const item = list.items[at];
    if (item && event.key === "Enter" && props.href) go(props.href(item));
    if (item && event.key === " " && onMark) {
      event.preventDefault();
      toggle(item.id);
    }
  };
  return (
    <div class="table" role="table" aria-label={props.label} aria-rowcount={list.more ? -1 : list.items.length + 1} style={{ "--grid-1": grid(1), "--grid-2": grid(2), "--grid-3": grid(3), "--row": `${height}px` }} onKeyDown={keys}>
      <div class="table-head" role="row">
        {onMark && <span role="columnheader"><input type="checkbox" aria-label={t("mark_all")} checked={all} onChange={() => onMark(all ? new Set() : new Set(list.items.map((row) => row.id)))} /></span>}
        {columns.map((column) => (
          <span key={column.key} role="columnheader" class={`from-${column.from ?? 1}${column.align ? " end" : ""}`} aria-sort={props.sorted && column.sort === props.sorted.by ? (props.sorted.descending ? "descending" : "ascending") : undefined}>
            {column.sort && props.onSort ? <button type="button" class="sort" onClick={() => props.onSort?.(column.sort as string)}>{column.title}<i aria-hidden="true">{props.sorted?.by === column.sort ? (props.sorted?.descending ? "↓" : "↑") : ""}</i></button> : column.title}
          </span>
        ))}
      </div>
      <div class="table-body" role="rowgroup" ref={box} style={{ height: `${list.items.length * height}px` }}>
        {rows.map((row, at) => (
          <div key={row.id} class={`table-row${marked?.has(row.id) ? " marked" : ""}`} role="row" aria-rowindex={from + at + 2} data-row={from + at} tabIndex={from + at === 0 ? 0 : -1} style={{ transform: `translateY(${(from + at) * height}px)` }} onClick={(event) => {
            if (!props.href || (event.target instanceof Element && event.target.closest("a,button,input,label"))) return;
            if (getSelection()?.toString()) return;
            go(props.href(row));
          }}>
            {onMark && <span role="cell"><input type="checkbox" aria-label={t("mark")} checked={marked?.has(row.id) ?? false} onChange={() => toggle(row.id)} /></span>}
            {columns.map((column) => <span key={column.key} role="cell" class={`from-${column.from ?? 1}${column.align ? " end" : ""}`}>{column.cell(row)}</span>)}
          </div>
        ))}
      </div>
      {list.loading && list.more && <p class="table-foot" role="status">{t("loading")}</p>}
      {list.error ? <ErrorBox error={list.error} retry={list.refresh} /> : null}
    </div>
  );
}
