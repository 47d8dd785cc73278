// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Workflows() {
  return <PageHead title="workflows" />;
}
