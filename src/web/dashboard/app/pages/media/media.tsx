// The media library: the list of all media, and one media with all that was made of it.
import "./media.css";
import { path } from "../../router.ts";
import { Library } from "./library.tsx";
import { MediaPage } from "./page.tsx";

export default function MediaFamily() {
  const id = path.value.split("/")[2];
  return id ? <MediaPage key={id} id={id} /> : <Library />;
}
