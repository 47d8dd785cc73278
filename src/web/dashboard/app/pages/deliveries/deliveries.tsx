// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Deliveries() {
  return <PageHead title="deliveries" />;
}
