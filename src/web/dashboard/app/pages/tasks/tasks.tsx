// Tasks: the list, and one of them.
import "./tasks.css";
import { path } from "../../router.ts";
import { TaskList } from "./list.tsx";
import { TaskPage } from "./task.tsx";

export default function Tasks() {
  const id = path.value.split("/")[2];
  return id ? <TaskPage key={id} id={id} /> : <TaskList />;
}
