// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Alerts() {
  return <PageHead title="alerts" />;
}
