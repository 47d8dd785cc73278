// One cell of a sprite sheet, in the width that there is room for.
import type { Cell } from "./sprite.ts";
import { useEffect, useState } from "preact/hooks";

const sizes = new Map<string, Promise<{ width: number; height: number }>>();

/// How large a sheet is, once it is here.
function sizeOf(sheet: string): Promise<{ width: number; height: number }> {
  const known = sizes.get(sheet);
  if (known) return known;
  const asked = new Promise<{ width: number; height: number }>((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => reject(new Error(sheet));
    image.src = sheet;
  });
  asked.catch(() => sizes.delete(sheet));
  sizes.set(sheet, asked);
  return asked;
}

export function CellPicture({ cell, width, label }: { cell: Cell; width: number; label: string }) {
  const [sheet, setSheet] = useState<{ address: string; width: number; height: number } | null>(null);
  useEffect(() => {
    let wanted = true;
    sizeOf(cell.sheet).then((size) => wanted && setSheet({ address: cell.sheet, ...size }), () => null);
    return () => {
      wanted = false;
    };
  }, [cell.sheet]);
  const scale = width / cell.width;
  const height = cell.height * scale;
  return (
    <div class="media-cell" role="img" aria-label={label} data-from={cell.from_s} style={{
      width: `${width}px`,
      height: `${height}px`,
      backgroundImage: sheet?.address === cell.sheet ? `url("${cell.sheet}")` : "none",
      backgroundPosition: `${-cell.x * scale}px ${-cell.y * scale}px`,
      backgroundSize: sheet ? `${sheet.width * scale}px ${sheet.height * scale}px` : undefined,
    }} />
  );
}
