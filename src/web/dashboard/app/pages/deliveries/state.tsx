// The state of a delivery, and what can be done with it.
import { post } from "../../api.ts";
import { confirm } from "../../parts/dialog.tsx";
import { Status } from "../../parts/status.tsx";
import { attempt } from "../../parts/toast.tsx";
import { words } from "../../words.ts";
import type { Delivery } from "./shapes.ts";

const t = words({
  replayed: ["It is sent again", "已重新排队发送"],
  discard_ask: ["Discard this dead letter?", "丢弃此回调？"],
  discard_text: ["It counts as done from then on, with a note. It can still be sent again.", "此后视为已完成并附注说明，仍可重新发送。"],
  discard: ["Discard", "丢弃"],
  discarded: ["It was discarded", "已丢弃"],
});


export const DeliveryState = ({ delivery }: { delivery: Delivery }) => <Status status={delivery.status === "done" ? "delivered" : delivery.status} />;

export async function replay(id: string): Promise<boolean> {
  return (await attempt(() => post(`deliveries/${id}/replay`), t("replayed"))) !== undefined;
}

export async function discard(id: string): Promise<boolean> {
  if (!(await confirm(t("discard_ask"), t("discard_text"), t("discard"), { danger: true }))) return false;
  return (await attempt(() => post(`deliveries/${id}/discard`), t("discarded"))) !== undefined;
}
