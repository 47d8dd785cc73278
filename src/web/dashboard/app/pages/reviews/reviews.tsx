// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Reviews() {
  return <PageHead title="reviews" />;
}
