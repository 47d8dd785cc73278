// Storages: /storages, /storages/+ (a new one; no storage has such a name), /storages/NAME, /storages/NAME/edit.
import "./storages.css";
import { path } from "../../router.ts";
import { StorageForm } from "./form.tsx";
import { StorageList } from "./list.tsx";
import { StoragePage } from "./page.tsx";

export default function Storages() {
  const [, , encoded = "", verb = ""] = path.value.split("/");
  const name = decodeURIComponent(encoded);
  if (name === "") return <StorageList />;
  if (name === "+") return <StorageForm />;
  if (verb === "edit") return <StorageForm key={name} name={name} />;
  return <StoragePage key={name} name={name} />;
}
