// The list of destinations and how each is doing.
import type { Page } from "../../api.ts";
import { millis, number } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { PageHead } from "../../parts/page.tsx";
import { Badge, Status } from "../../parts/status.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { type Paged, useResource } from "../../resource.ts";
import { isAdmin } from "../../session.ts";
import { words } from "../../words.ts";
import { kindName } from "./kinds.ts";
import { type Destination, address, kindOf } from "./shapes.ts";

const t = words({
  title: ["Destinations", "回调目标"],
  note: ["Where events go: asset managers, queues, programs, archives, people.", "事件的去向：媒资系统、消息队列、程序、归档与人员。"],
  add: ["Add a destination", "添加回调目标"],
  name: ["Name", "名称"],
  state: ["State", "状态"],
  kind: ["Kind", "类型"],
  waiting: ["Waiting", "待发"],
  dead: ["Given up", "已放弃"],
  latency: ["Half within", "响应中位数"],
  success: ["Last accepted", "最近送达"],
  file: ["configuration file", "配置文件"],
  unified: ["unified", "统一回调"],
  global: ["all events", "全局"],
  empty: ["Nobody is told of results yet", "还没有回调目标"],
  empty_hint: ["Add a destination, then name it in a workflow's callback, or make it global.", "添加目标后，在工作流的回调中引用，或设为全局。"],
  empty_viewer: ["An administrator can add one.", "请联系管理员添加。"],
});

const columns = (): Column<Destination>[] => [
  { key: "name", title: t("name"), width: "minmax(0, 2fr)", cell: (one) => (
    <div class="destinations-two"><span><b>{one.id}</b> {one.unified && <Badge tone="run">{t("unified")}</Badge>} {one.global && <Badge>{t("global")}</Badge>} {one.origin === "file" && <Badge>{t("file")}</Badge>}</span><span class="muted">{address(one)}</span></div>
  ) },
  { key: "state", title: t("state"), width: "minmax(5.5rem, 7rem)", cell: (one) => <Status status={one.status} /> },
  { key: "kind", title: t("kind"), width: "minmax(0, 12rem)", from: 3, cell: (one) => kindName(kindOf(one)) },
  { key: "waiting", title: t("waiting"), width: "5.5rem", from: 2, align: "end", cell: (one) => number(one.health.pending) },
  { key: "dead", title: t("dead"), width: "5.5rem", from: 2, align: "end", cell: (one) => (one.health.dead > 0 ? <a href={`/deliveries?status=dead&destination=${encodeURIComponent(one.id)}`}>{number(one.health.dead)}</a> : "0") },
  { key: "latency", title: t("latency"), width: "6.5rem", from: 3, align: "end", cell: (one) => (one.health.p50_ms === null ? "–" : millis(one.health.p50_ms)) },
  { key: "success", title: t("success"), width: "8rem", from: 2, align: "end", cell: (one) => <Time at={one.health.last_success_at} /> },
];

export function DestinationList() {
  const found = useResource<Page<Destination>>("destinations", undefined, { every: 5000 });
  const list: Paged<Destination> = { items: found.data?.items ?? [], error: found.error, loading: found.loading, more: false, fetchMore: () => undefined, refresh: found.refresh };
  return (
    <>
      <PageHead title={t("title")} note={t("note")}>
        {isAdmin.value && <a class="button primary" href="/destinations/new"><Icon name="plus" size={16} />{t("add")}</a>}
      </PageHead>
      <Table label={t("title")} columns={columns()} list={list} rowHeight={60} href={(one) => `/destinations/${encodeURIComponent(one.id)}`}
        empty={<><h2>{t("empty")}</h2><p>{isAdmin.value ? t("empty_hint") : t("empty_viewer")}</p>{isAdmin.value && <a class="button primary" href="/destinations/new">{t("add")}</a>}</>} />
    </>
  );
}
