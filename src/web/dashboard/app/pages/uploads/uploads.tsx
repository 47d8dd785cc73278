// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Uploads() {
  return <PageHead title="uploads" />;
}
