// Destinations of events: the list, one of them, and making or changing one.
import "./destinations.css";
import { path } from "../../router.ts";
import { DestinationPage } from "./destination.tsx";
import { EditPage, NewPage } from "./edit.tsx";
import { DestinationList } from "./list.tsx";

export default function Destinations() {
  const [, , name, deed] = path.value.split("/");
  // A destination may be named "new"; its page is reached all the same, by its edit address.
  if (name === "new" && !deed) return <NewPage />;
  if (!name) return <DestinationList />;
  const decoded = decodeURIComponent(name);
  return deed === "edit" ? <EditPage key={decoded} name={decoded} /> : <DestinationPage key={decoded} name={decoded} />;
}
