// All storages: how each is doing, how much room it has, what waits in it.
import { usePaged } from "../../resource.ts";
import { go } from "../../router.ts";
import { isAdmin, isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { number } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Menu, type MenuItem } from "../../parts/menu.tsx";
import { PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Badge } from "../../parts/status.tsx";
import { Time } from "../../parts/time.tsx";
import { removeStorage, scan, thaw, tryStorage } from "./deeds.tsx";
import { Health, KindIcon, Room, ScanProgress, Trouble, watchName } from "./state.tsx";
import { type Storage, pageOf } from "./storage.ts";

const t = words({
  title: ["Storages", "存储"],
  note: ["The folders and buckets that films come from and results go to.", "影片来自这些目录和存储桶，结果也写入其中。"],
  make: ["New storage", "新建存储"],
  objects: ["Objects", "对象"],
  backlog: ["Not settled", "未稳定"],
  last_scan: ["Last scan", "上次扫描"],
  never: ["none yet", "尚无"],
  more: ["What can be done with {name}", "{name} 的操作"],
  scan: ["Scan now", "立即扫描"],
  test: ["Test", "测试"],
  thaw: ["Thaw …", "解冻…"],
  edit: ["Edit", "编辑"],
  remove: ["Remove …", "移除…"],
  from_file: ["from the configuration", "来自配置文件"],
  made_here: ["made here", "在此创建"],
  troubled: ["{n} files wait until somebody sees to them", "{n} 个文件需要人工处理"],
  troubled_one: ["One file waits until somebody sees to it", "1 个文件需要人工处理"],
  look: ["Show", "查看"],
  none: ["No storage yet", "还没有存储"],
  none_hint: ["A storage is a folder or a bucket: films are taken from it, and results are put into it.", "存储是一个目录或存储桶：从中读取影片，并写入结果。"],
});

export function StorageList() {
  const list = usePaged<Storage>("storages", {}, { every: 5_000 });
  return (
    <>
      <PageHead title={t("title")} note={t("note")}>
        {isAdmin.value && <a class="button primary" href="/storages/+"><Icon name="plus" size={18} />{t("make")}</a>}
      </PageHead>
      {list.error && list.items.length === 0 ? <ErrorBox error={list.error} retry={list.refresh} /> : null}
      {list.items.length === 0 && list.loading ? <Skeleton lines={6} /> : null}
      {list.items.length === 0 && !list.loading && !list.error ? (
        <div class="empty"><h2>{t("none")}</h2><p>{t("none_hint")}</p></div>
      ) : null}
      <ul class="st-list">
        {list.items.map((storage) => <StorageCard key={storage.id} storage={storage} changed={list.refresh} />)}
      </ul>
    </>
  );
}

export function storageItems(storage: Storage, changed: () => void): MenuItem[] {
  const items: MenuItem[] = [];
  if (isOperator.value) {
    if (storage.watch !== "off") items.push({ text: t("scan"), icon: "refresh", act: () => void scan(storage).then(changed) });
    items.push({ text: t("test"), icon: "check", act: () => void tryStorage(storage.name).then(changed) });
    if (storage.status === "frozen") items.push({ text: t("thaw"), icon: "snow", act: () => void thaw(storage).then(changed) });
  }
  if (isAdmin.value && storage.origin === "api") {
    items.push({ text: t("edit"), icon: "edit", act: () => go(pageOf(storage.name, "/edit")) });
    items.push({ text: t("remove"), icon: "trash", danger: true, act: () => void removeStorage(storage).then((gone) => gone && (go("/storages"), changed())) });
  }
  return items;
}

function StorageCard({ storage, changed }: { storage: Storage; changed: () => void }) {
  const items = storageItems(storage, changed);
  return (
    <li class="card st-card">
      <header>
        <h2><KindIcon storage={storage} /><a href={pageOf(storage.name)}>{storage.name}</a></h2>
        <div class="card-deeds">
          <Health storage={storage} />
          {items.length > 0 && <Menu label={t("more", { name: storage.name })} icon="more" items={items} />}
        </div>
      </header>
      <p class="st-place mono" title={storage.location}>{storage.location}</p>
      <p class="st-badges">
        <Badge tone={storage.origin === "api" ? "run" : "idle"}>{storage.origin === "api" ? t("made_here") : t("from_file")}</Badge>
        <Badge>{watchName(storage.watch)}</Badge>
        {storage.file_system && storage.file_system !== "local" && <Badge>{storage.file_system}</Badge>}
      </p>
      <StorageTroubles storage={storage} changed={changed} link />
      <Room storage={storage} />
      <ScanProgress storage={storage} />
      {storage.watch !== "off" && (
        <dl class="st-numbers">
          <div><dt>{t("objects")}</dt><dd>{number(storage.objects)}</dd></div>
          <div><dt>{t("backlog")}</dt><dd>{number(storage.backlog)}</dd></div>
          <div><dt>{t("last_scan")}</dt><dd>{storage.last_scan_at ? <Time at={storage.last_scan_at} /> : t("never")}</dd></div>
        </dl>
      )}
    </li>
  );
}

/// Why it is not well, with what can be done.
export function StorageTroubles({ storage, changed, link }: { storage: Storage; changed: () => void; link?: boolean }) {
  return (
    <>
      {storage.status === "frozen" && (
        <Trouble tone="wait" text={storage.why ?? ""}>
          {isOperator.value && <button type="button" class="button small" onClick={() => void thaw(storage).then(changed)}>{t("thaw")}</button>}
        </Trouble>
      )}
      {(storage.status === "unavailable" || storage.status === "broken") && storage.why && <Trouble tone="bad" text={storage.why} />}
      {storage.note && storage.note !== storage.why && <p class="help">{storage.note}</p>}
      {storage.troubled > 0 && (
        <Trouble tone="bad" text={storage.troubled === 1 ? t("troubled_one") : t("troubled", { n: number(storage.troubled) })}>
          {link && <a href={pageOf(storage.name)}>{t("look")}</a>}
        </Trouble>
      )}
    </>
  );
}
