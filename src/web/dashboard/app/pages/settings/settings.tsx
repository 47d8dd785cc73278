// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function Settings() {
  return <PageHead title="settings" />;
}
