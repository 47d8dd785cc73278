// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Events() {
  return <PageHead title="events" />;
}
