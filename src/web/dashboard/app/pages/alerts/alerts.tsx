// What a person should look at, now and before.
import "./alerts.css";
import { PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { usePaged } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";
import { type Alert, AlertBox } from "./alert.tsx";

const t = words({
  title: ["Alerts", "告警"],
  note: ["An alert ends by itself when its cause is gone.", "原因消除后，告警会自动关闭。"],
  open: ["Open", "未恢复"],
  cleared: ["Over", "已恢复"],
  all: ["All", "全部"],
  which: ["Which alerts", "告警范围"],
  well: ["Nothing needs a look", "一切正常"],
  well_hint: ["Storages answer, disks have room, devices work, callbacks arrive.", "存储可用、磁盘充足、设备正常、回调送达。"],
  none: ["There were no alerts", "没有告警记录"],
  more: ["Show more", "显示更多"],
});

export default function Alerts() {
  const asked = query.value.get("status");
  const status = asked === "cleared" || asked === "all" ? asked : "open";
  const list = usePaged<Alert>("alerts", { status }, { every: 10_000, on: (event) => event.type.startsWith("Alert") });
  return (
    <>
      <PageHead title={t("title")} note={t("note")} />
      <div class="segments segments-row" role="group" aria-label={t("which")}>
        {(["open", "cleared", "all"] as const).map((one) => <button key={one} type="button" aria-pressed={one === status} onClick={() => setQuery({ status: one === "open" ? null : one })}>{t(one)}</button>)}
      </div>
      {list.error ? <ErrorBox error={list.error} retry={list.refresh} /> : null}
      {list.items.length === 0 && !list.error && (list.loading ? <Skeleton lines={4} /> : <div class="empty"><h2>{t(status === "open" ? "well" : "none")}</h2>{status === "open" && <p>{t("well_hint")}</p>}</div>)}
      <div class="alerts-list">{list.items.map((alert) => <AlertBox key={alert.id} alert={alert} onDone={list.refresh} />)}</div>
      {list.more && <p class="row"><button type="button" class="button" onClick={list.fetchMore}>{t("more")}</button></p>}
    </>
  );
}
