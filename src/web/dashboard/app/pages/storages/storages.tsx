// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Storages() {
  return <PageHead title="storages" />;
}
