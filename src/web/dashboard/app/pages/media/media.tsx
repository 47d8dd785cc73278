// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Media() {
  return <PageHead title="media" />;
}
