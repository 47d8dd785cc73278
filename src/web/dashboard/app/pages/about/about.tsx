// Not written yet.
import { PageHead } from "../../parts/page.tsx";

export default function About() {
  return <PageHead title="about" />;
}
