// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Templates() {
  return <PageHead title="templates" />;
}
