// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Tasks() {
  return <PageHead title="tasks" />;
}
