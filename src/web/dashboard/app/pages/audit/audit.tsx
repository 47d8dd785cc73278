// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Audit() {
  return <PageHead title="audit" />;
}
