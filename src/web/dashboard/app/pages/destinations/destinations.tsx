// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Destinations() {
  return <PageHead title="destinations" />;
}
