// The cells of sprite sheets and which of them shows a time, from the WebVTT index that stands beside the sheets.
import { ask } from "../../api.ts";
import { fileOf, here } from "./shapes.ts";

export interface Cell {
  from_s: number;
  to_s: number;
  sheet: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const CUE = /^((?:\d+:)?\d+:\d+\.\d+)[ \t]+-->[ \t]+((?:\d+:)?\d+:\d+\.\d+).*\r?\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/gm;

function seconds(text: string): number {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/// Reads an index; `base` is its own address, from which those of the sheets are told.
export function readCells(text: string, base: string): Cell[] {
  const cells: Cell[] = [];
  for (const [, from, to, sheet, x, y, width, height] of text.matchAll(CUE)) {
    if (!from || !to || !sheet) continue;
    cells.push({
      from_s: seconds(from),
      to_s: seconds(to),
      sheet: new URL(sheet, new URL(base, location.href)).pathname,
      x: Number(x),
      y: Number(y),
      width: Number(width),
      height: Number(height),
    });
  }
  return cells.sort((a, b) => a.from_s - b.from_s);
}

/// The cell that shows a time; the last one for what comes after it.
export function cellAt(cells: readonly Cell[], at_s: number): Cell | null {
  let from = 0;
  let until = cells.length - 1;
  while (from < until) {
    const middle = (from + until + 1) >> 1;
    if ((cells[middle]?.from_s ?? 0) <= at_s) from = middle;
    else until = middle - 1;
  }
  return cells[from] ?? null;
}

/// The address of the index of a sprite, from the link to its first sheet.
export function indexOf(url: string, webvtt?: string | null): string {
  const first = here(url);
  if (webvtt) return first.replace(/[^/]*$/, encodeURIComponent(fileOf(webvtt)));
  return first.replace(/(-\d{5,})?\.\w+$/, ".vtt");
}

/// The cells of a sprite, fetched.
export async function fetchCells(index: string): Promise<Cell[]> {
  return readCells(await (await ask(index)).text(), index);
}
