// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Overview() {
  return <PageHead title="overview" />;
}
