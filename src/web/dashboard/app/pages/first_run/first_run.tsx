// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function FirstRun() {
  return <PageHead title="first_run" />;
}
