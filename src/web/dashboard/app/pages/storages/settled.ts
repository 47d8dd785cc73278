// When the file of an object had come to rest, as the ledger of its storage tells it.
import { useResource } from "../../resource.ts";
import { objectName } from "../tasks/shapes.ts";
import { type Explained, at, pageOf } from "./storage.ts";

export interface Settled {
  at: string;
  /// Where the whole story of the object is told.
  href: string;
}

/// Null: `object` is null, it did not come as a file that settled, or nobody knows any more.
export function useSettled(object: string | null): Settled | null {
  const { storage, folder, name } = objectName(object ?? "");
  const key = folder + name;
  const told = useResource<Explained>(object && storage ? at(storage, "/explain") : null, { key });
  const settled = told.data?.settled_at;
  return settled ? { at: settled, href: pageOf(storage, `?tab=explain&key=${encodeURIComponent(key)}`) } : null;
}
