// One storage: how it is doing, what lies in it, why an object was or was not triggered, how it is written.
import { Scroll } from "../../parts/scroll.tsx";
import { useResource } from "../../resource.ts";
import { setQuery } from "../../router.ts";
import { isAdmin, isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { Copy } from "../../parts/copy.tsx";
import { number, size, span } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Menu } from "../../parts/menu.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Badge } from "../../parts/status.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Time } from "../../parts/time.tsx";
import { ObjectBrowser } from "./browser.tsx";
import { scan, tryStorage } from "./deeds.tsx";
import { Explain } from "./explain.tsx";
import { StorageTroubles, storageItems } from "./list.tsx";
import { label } from "./labels.ts";
import { SettingsView } from "./settings.tsx";
import { Health, Room, ScanProgress, kindName, watchName } from "./state.tsx";
import { type Storage, at, pageOf } from "./storage.ts";

const t = words({
  storages: ["Storages", "存储"],
  scan: ["Scan now", "立即扫描"],
  test: ["Test", "测试"],
  edit: ["Edit", "编辑"],
  more: ["More", "更多"],
  state: ["State", "状态"],
  files: ["Objects", "对象"],
  explain: ["Why not triggered?", "为何未触发？"],
  settings: ["Settings", "设置"],
  views: ["Views of {name}", "{name} 的视图"],
  kind: ["Kind", "类型"],
  place: ["Place", "位置"],
  file_system: ["File system", "文件系统"],
  local: ["of this host", "本机"],
  watch: ["Watched", "监视方式"],
  objects: ["Objects known", "已知对象"],
  backlog: ["Not settled", "未稳定"],
  troubled: ["In trouble", "需处理"],
  last_scan: ["Last scan", "上次扫描"],
  took: ["took {time}", "耗时 {time}"],
  never: ["none yet", "尚无"],
  calls: ["Calls in the last hour", "最近一小时请求数"],
  made: ["Made", "创建时间"],
  changed: ["Changed", "修改时间"],
  origin: ["Origin", "来源"],
  from_file: ["the configuration file; read-only here", "配置文件；此处只读"],
  made_here: ["made here", "在此创建"],
  keys: ["Keys that are set", "已设置的密钥"],
  room: ["Room", "空间"],
  longest: ["Waits longest", "等待最久"],
  longest_note: ["Objects that were seen and have not settled.", "已发现但尚未稳定的对象。"],
  key: ["Key", "键"],
  bytes: ["Size", "大小"],
  since: ["Since", "开始时间"],
  why: ["Waits for", "等待原因"],
  usual: ["the usual looks", "常规检查"],
});

export function StoragePage({ name }: { name: string }) {
  const storage = useResource<Storage>(at(name), undefined, { every: 3_000 });
  if (!storage.data) {
    return (
      <>
        <PageHead title={name} crumbs={[{ text: t("storages"), href: "/storages" }]} />
        {storage.error ? <ErrorBox error={storage.error} retry={storage.refresh} /> : <Skeleton lines={6} />}
      </>
    );
  }
  const one = storage.data;
  const rest = storageItems(one, storage.refresh).filter((item) => item.icon === "trash" || item.icon === "snow");
  return (
    <>
      <PageHead title={one.name} crumbs={[{ text: t("storages"), href: "/storages" }]} note={<><Health storage={one} /> · {kindName(one.kind)}</>}>
        {isOperator.value && one.watch !== "off" && <button type="button" class="button" onClick={() => void scan(one).then(storage.refresh)}><Icon name="refresh" size={18} />{t("scan")}</button>}
        {isOperator.value && <button type="button" class="button" onClick={() => void tryStorage(one.name)}><Icon name="check" size={18} />{t("test")}</button>}
        {isAdmin.value && one.origin === "api" && <a class="button" href={pageOf(one.name, "/edit")}><Icon name="edit" size={18} />{t("edit")}</a>}
        {rest.length > 0 && <Menu label={t("more")} icon="more" items={rest} />}
      </PageHead>
      <StorageTroubles storage={one} changed={storage.refresh} />
      <Tabs label={t("views", { name })} tabs={[
        { key: "state", title: t("state"), body: () => <State storage={one} /> },
        { key: "objects", title: t("files"), body: () => <ObjectBrowser storage={one} /> },
        { key: "explain", title: t("explain"), body: () => <Explain storage={one} /> },
        { key: "settings", title: t("settings"), body: () => <SettingsView storage={one} /> },
      ]} />
    </>
  );
}

function State({ storage }: { storage: Storage }) {
  const last = storage.last_scan_at;
  const took = storage.last_scan_took_ms === null ? "" : ` (${t("took", { time: span(storage.last_scan_took_ms / 1000) })})`;
  return (
    <div class="stack">
      <Card title={t("room")}><Room storage={storage} /><ScanProgress storage={storage} /></Card>
      <Card>
        <Facts rows={[
          [t("place"), <Copy text={storage.location} />],
          [t("watch"), watchName(storage.watch)],
          storage.file_system ? [t("file_system"), storage.file_system === "local" ? t("local") : storage.file_system] : null,
          storage.watch !== "off" && [t("objects"), number(storage.objects)],
          storage.watch !== "off" && [t("backlog"), number(storage.backlog)],
          storage.watch !== "off" && [t("troubled"), number(storage.troubled)],
          storage.watch !== "off" && [t("last_scan"), last ? <><Time at={last} />{took}</> : t("never")],
          storage.calls_per_hour !== null && [t("calls"), number(storage.calls_per_hour)],
          [t("origin"), storage.origin === "api" ? t("made_here") : t("from_file")],
          storage.origin === "api" && [t("made"), <Time at={storage.created_at} whole />],
          storage.origin === "api" && storage.modified_at !== storage.created_at && [t("changed"), <Time at={storage.modified_at} whole />],
        ]} />
      </Card>
      {storage.waiting.length > 0 && (
        <Card title={t("longest")}>
          <p class="help">{t("longest_note")}</p>
          <Scroll>
            <table class="st-table">
              <thead><tr><th scope="col">{t("key")}</th><th scope="col" class="end">{t("bytes")}</th><th scope="col">{t("since")}</th><th scope="col">{t("why")}</th></tr></thead>
              <tbody>
                {storage.waiting.map((one) => (
                  <tr key={one.key}>
                    <td><button type="button" class="link mono" onClick={() => setQuery({ tab: "explain", key: one.key }, {})}>{one.key}</button></td>
                    <td class="end nowrap">{size(one.size_bytes)}</td>
                    <td class="nowrap"><Time at={one.since} /></td>
                    <td>{one.why ?? <span class="muted">{t("usual")}</span>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </Card>
      )}
      {storage.secrets.length > 0 && <p class="st-badges muted">{t("keys")}: {storage.secrets.map((secret) => <Badge key={secret}>{label(secret as "access_key")}</Badge>)}</p>}
    </div>
  );
}
