// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Access() {
  return <PageHead title="access" />;
}
