// Templates: the list, one of them, and its editor. `/templates`, `/templates/new`, `/templates/NAME`, `/templates/NAME/edit`.
import { path } from "../../router.ts";
import { lazyPage } from "../../parts/lazy.tsx";
import { TemplateList } from "./list.tsx";
import { TemplatePage } from "./page.tsx";
import "./templates.css";

const Editor = lazyPage(() => import("./editor.tsx"));

export default function Templates() {
  const [, , name, view] = path.value.split("/").map(decodeURIComponent);
  if (!name) return <TemplateList />;
  if ((name === "new" && !view) || view === "edit") return <Editor key={name} />;
  return <TemplatePage key={name} name={name} />;
}
