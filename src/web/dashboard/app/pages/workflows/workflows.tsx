// Workflows: the list, one of them, and its editor. `/workflows`, `/workflows/new`, `/workflows/ID`, `/workflows/ID/edit`.
import { path } from "../../router.ts";
import { lazyPage } from "../../parts/lazy.tsx";
import { WorkflowList } from "./list.tsx";
import { WorkflowPage } from "./page.tsx";
import "./workflows.css";

const Editor = lazyPage(() => import("./editor.tsx"));

export default function Workflows() {
  const [, , id, view] = path.value.split("/").map(decodeURIComponent);
  if (!id) return <WorkflowList />;
  if (id === "new" || view === "edit") return <Editor key={id} />;
  return <WorkflowPage key={id} id={id} />;
}
