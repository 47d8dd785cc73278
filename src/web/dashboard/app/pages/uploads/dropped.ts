// What was dropped or chosen: files, and those in folders with their way in them.

export interface Dropped {
  file: File;
  /// The way from the folder that was dropped, the file's name included; of a single file its name.
  way: string;
}

/// Reads a drop. To be called while the event lasts: its items are gone afterwards.
export function readDrop(transfer: DataTransfer): Promise<Dropped[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (entries.every((entry) => entry === null)) return Promise.resolve([...transfer.files].map((file) => ({ file, way: file.name })));
  return Promise.all(entries.filter((entry) => entry !== null).map(walk)).then((all) => all.flat());
}

async function walk(entry: FileSystemEntry): Promise<Dropped[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, way: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    // A hundred at a time, and nothing when there are no more.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    found.push(...some);
  }
  return (await Promise.all(found.filter((one) => !one.name.startsWith(".")).map(walk))).flat();
}

/// Files of an input; those of a chosen folder know their way.
export const readChosen = (files: FileList): Dropped[] => [...files].map((file) => ({ file, way: file.webkitRelativePath || file.name }));
