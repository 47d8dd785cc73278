// The overview: whether all is well, what runs, what came of it, and how the host does.
import "../alerts/alerts.css";
import "./overview.css";
import { useEffect } from "preact/hooks";
import type { Page } from "../../api.ts";
import { Spark } from "../../parts/chart.tsx";
import { number, size } from "../../parts/format.ts";
import { Card, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Status } from "../../parts/status.tsx";
import { useResource } from "../../resource.ts";
import { words } from "../../words.ts";
import type { Task } from "../tasks/shapes.ts";
import { Gauges } from "./gauges.tsx";
import type { DestinationHealth, History, Host, Storage, System } from "./host.ts";
import { Verdict } from "./verdict.tsx";
import { Queue, Results, Running } from "./work.tsx";

const t = words({
  title: ["Overview", "概览"],
  running: ["Running", "运行中"],
  queued: ["Queued", "排队"],
  ended: ["Ended in 24 h", "24 小时内完成"],
  failed: ["Failed in 24 h", "24 小时内失败"],
  callbacks: ["Callbacks waiting", "待发回调"],
  dead: ["Callbacks given up", "已放弃回调"],
  day: ["{name}, the last 24 hours", "{name}，最近 24 小时"],
  storages: ["Storages", "存储"],
  no_storages: ["No storage is registered yet.", "尚未注册存储。"],
  add_storage: ["To the storages", "前往存储"],
  free: ["{free} free", "可用 {free}"],
  backlog: ["{n} settling", "{n} 个待稳定"],
  troubled: ["{n} wait for somebody", "{n} 个待处理"],
  destinations: ["Callbacks", "回调"],
  no_destinations: ["Nobody is told of results.", "没有回调目标。"],
  add_destination: ["Add a destination", "添加回调目标"],
  pending: ["{n} waiting", "待发 {n}"],
  dead_n: ["{n} given up", "放弃 {n}"],
  all: ["All", "全部"],
});

const ended = (tasks: Task[]) => [...tasks].sort((a, b) => (b.ended_at ?? "").localeCompare(a.ended_at ?? ""));

export default function Overview() {
  const often = { every: 4000, on: () => true };
  const title = t("title");
  useEffect(() => {
    document.title = `${title} · reelmill`;
  }, [title]);
  const system = useResource<System>("system", undefined, often);
  const host = useResource<Host>("system/host", undefined, { every: 5000 });
  const storages = useResource<Page<Storage>>("storages", undefined, { every: 8000 });
  const destinations = useResource<Page<DestinationHealth>>("destinations", undefined, { every: 8000 });
  const running = useResource<Page<Task>>("tasks", { status: "Processing", limit: 8 }, often);
  const queued = useResource<Page<Task>>("tasks", { status: "Init", limit: 5 }, often);
  const good = useResource<Page<Task>>("tasks", { status: "Succeed", limit: 8 }, often);
  const failed = useResource<Page<Task>>("tasks", { status: "Failed", limit: 8 }, often);
  if (!system.data) {
    return <><PageHead title={t("title")} />{system.error ? <ErrorBox error={system.error} retry={system.refresh} /> : <Skeleton lines={8} />}</>;
  }
  const { queue } = system.data;
  const allResults = ended([...(good.data?.items ?? []), ...(failed.data?.items ?? [])]);
  const results = allResults.slice(0, 8);
  return (
    <>
      <h1 class="visually-hidden">{t("title")}</h1>
      <div class="stack">
        <Verdict system={system.data} storages={storages.data?.items ?? []} destinations={destinations.data?.items ?? []} onDone={system.refresh} />
        <div class="overview-tiles">
          <Tile name={t("running")} value={queue.tasks.Processing ?? 0} href="/tasks?status=Processing" history="tasks.running" tone="run" />
          <Tile name={t("queued")} value={queue.tasks.Init ?? 0} href="/tasks?status=Init" history="tasks.waiting" />
          <Tile name={t("ended")} href="/tasks?time=day" history="tasks.ended_per_minute" sum={allResults} />
          <Tile name={t("failed")} href="/tasks?status=Failed&time=day" history="tasks.failed_per_minute" sum={failed.data?.items ?? []} tone="bad" />
          <Tile name={t("callbacks")} value={queue.deliveries.pending ?? 0} href="/deliveries?status=pending" history="deliveries.pending" />
          <Tile name={t("dead")} value={queue.deliveries.dead ?? 0} href="/deliveries?status=dead" history="deliveries.dead" tone="bad" />
        </div>
        <div class="overview-columns">
          <div class="stack">
            <Running tasks={running.data?.items ?? []} count={Math.max(queue.tasks.Processing ?? 0, running.data?.items.length ?? 0)} />
            <div class="overview-pair">
              <Queue tasks={queued.data?.items ?? []} count={Math.max(queue.tasks.Init ?? 0, queued.data?.items.length ?? 0)} />
              <Results tasks={results} />
            </div>
          </div>
          <div class="stack">
            <Gauges host={host} system={system.data} />
            <Card title={t("storages")} deeds={<a href="/storages">{t("all")}</a>}>
              {storages.data?.items.length === 0 && <p class="row"><span class="muted">{t("no_storages")}</span><a class="button small" href="/storages">{t("add_storage")}</a></p>}
              <ul class="overview-rows">{storages.data?.items.map((storage) => <StorageLine key={storage.id} storage={storage} />)}</ul>
            </Card>
            <Card title={t("destinations")} deeds={<a href="/destinations">{t("all")}</a>}>
              {destinations.data?.items.length === 0 && <p class="row"><span class="muted">{t("no_destinations")}</span><a class="button small" href="/destinations">{t("add_destination")}</a></p>}
              <ul class="overview-rows">
                {destinations.data?.items.map((one) => (
                  <li key={one.id}><a class="overview-line" href={`/destinations/${encodeURIComponent(one.id)}`}>
                    <span class="overview-result"><Status status={one.status} /><b>{one.id}</b></span>
                    <span class="muted nowrap">{[one.health.pending > 0 && t("pending", { n: number(one.health.pending) }), one.health.dead > 0 && t("dead_n", { n: number(one.health.dead) })].filter(Boolean).join(" · ")}</span>
                  </a></li>
                ))}
              </ul>
            </Card>
          </div>
        </div>
      </div>
    </>
  );
}

function StorageLine({ storage }: { storage: Storage }) {
  const full = storage.free_bytes !== null && storage.total_bytes ? 100 - (storage.free_bytes / storage.total_bytes) * 100 : null;
  const notes = [storage.free_bytes !== null && t("free", { free: size(storage.free_bytes) }), storage.backlog > 0 && t("backlog", { n: number(storage.backlog) }), storage.troubled > 0 && t("troubled", { n: number(storage.troubled) })].filter(Boolean);
  return (
    <li><a class="overview-line" href={`/storages/${encodeURIComponent(storage.name)}`}>
      <span class="overview-result"><Status status={storage.status} /><b>{storage.name}</b></span>
      <span class="overview-room">{full !== null && <span class={`overview-fill tone-${full >= 95 ? "bad" : full >= 88 ? "wait" : "run"}`} aria-hidden="true"><span style={{ width: `${full}%` }} /></span>}<span class="muted nowrap">{notes.join(" · ")}</span></span>
    </a></li>
  );
}

/// Minutes drawn together into one point of a tile's line.
const DRAWN = 15;

/// How many of `tasks` ended after the last minute that was counted. The daemon counts at the
/// begin of every minute.
function since(tasks: Task[], counted: History | null): number {
  const day_ms = Date.now() - 86_400_000;
  const last = counted?.items.at(-1);
  const until_ms = last ? Date.parse(last.at) : day_ms;
  return tasks.filter((task) => task.ended_at && Date.parse(task.ended_at) > Math.max(day_ms, until_ms)).length;
}

/// A number with its day. `sum`: the number is what the minutes of the day add up to, and the newest of what is counted,
/// for the minute that has not been.
function Tile({ name, value, href, history, sum, tone = "idle" }: { name: string; value?: number; href: string; history: string; sum?: Task[]; tone?: string }) {
  const told = useResource<History>("metrics/history", { name: history, step: sum ? 60 : 60 * DRAWN }, { every: 60_000 });
  const values = told.data?.items.map((one) => one.value) ?? [];
  const shown = sum ? Math.round(values.reduce((all, one) => all + one, 0)) + since(sum, told.data) : (value ?? 0);
  const drawn = sum ? values.filter((_, at) => at % DRAWN === 0).map((_, at) => values.slice(at * DRAWN, (at + 1) * DRAWN).reduce((all, one) => all + one, 0)) : values;
  return (
    <a class={`overview-tile card tone-${shown > 0 ? tone : "idle"}`} href={href}>
      <span class="muted">{name}</span>
      <b>{sum && !told.data ? "–" : number(shown)}</b>
      <Spark points={drawn.length > 1 ? drawn : [0, 0]} label={t("day", { name })} />
    </a>
  );
}
