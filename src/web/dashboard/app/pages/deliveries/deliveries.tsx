// Deliveries: one event to one destination, with its tries. The list, and one of them.
import "./deliveries.css";
import { path } from "../../router.ts";
import { DeliveryPage } from "./delivery.tsx";
import { DeliveryList } from "./list.tsx";

export default function Deliveries() {
  const id = path.value.split("/")[2];
  return id ? <DeliveryPage key={id} id={id} /> : <DeliveryList />;
}
