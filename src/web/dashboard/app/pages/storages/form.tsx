// A storage is made or changed: what everybody needs first, the rest below.
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useResource } from "../../resource.ts";
import { go } from "../../router.ts";
import { words } from "../../words.ts";
import { NumberField, SecretField, SelectField, SwitchField, TextField } from "../../parts/form.tsx";
import { size } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { tellDone } from "../../parts/toast.tsx";
import { tryStorage } from "./deeds.tsx";
import { help, label, value } from "./labels.ts";
import { type Ground, type Settings, type Storage, at, pageOf } from "./storage.ts";

const t = words({
  storages: ["Storages", "存储"],
  make: ["New storage", "新建存储"],
  edit: ["Edit {name}", "编辑 {name}"],
  kind: ["What it is", "类型"],
  folder: ["A folder", "目录"],
  bucket: ["A bucket", "存储桶"],
  name: ["Name", "名称"],
  name_help: ["1 to 128 letters, digits, - and _. Workflows call it by this name.", "1 至 128 个字母、数字、- 或 _；工作流以此名称引用它。"],
  place: ["Where it is", "位置"],
  beneath: ["Beneath", "位于"],
  within: ["Folder in it", "子目录"],
  within_help: ["Empty: the folder itself.", "留空表示该目录本身。"],
  make_folder: ["Make the folder where it is missing", "目录不存在时创建"],
  no_roots: ["The configuration opens no folder for storages yet.", "配置尚未开放任何可创建存储的目录。"],
  no_roots_remedy: ["Name some in security.storage_roots of reelmill.toml and start the daemon again; buckets can be added without.", "请在 reelmill.toml 的 security.storage_roots 中添加目录并重启服务；存储桶无需此设置。"],
  root_gone: ["not there", "不存在"],
  free: ["{free} free", "可用 {free}"],
  keys: ["Keys", "密钥"],
  arriving: ["When what comes counts as arrived", "何时视为到达"],
  which: ["Which files", "哪些文件"],
  publishing: ["What is written", "写入设置"],
  safety: ["Safety and rights", "安全与权限"],
  notifications: ["Notifications", "事件通知"],
  more: ["More settings", "更多设置"],
  save: ["Save", "保存"],
  save_test: ["Save and test", "保存并测试"],
  cancel: ["Cancel", "取消"],
  made: ["{name} is watched now", "已开始监视 {name}"],
  changed: ["{name} was changed", "{name} 已修改"],
  of_file: ["{name} stands in the configuration file and is changed there.", "{name} 定义在配置文件中，请在文件中修改。"],
  local: ["Services of this very host need security.allow_local_buckets.", "本机服务需设置 security.allow_local_buckets。"],
  change_place: ["Its place can change only while nothing goes on in it.", "仅当没有任务使用时才能更改位置。"],
  seconds: ["s", "秒"],
});

const SECRETS = ["access_key", "secret_key", "session_token", "notify_secret"] as const;
const lines = (list: string[] | undefined): string => (list ?? []).join("\n");
const listOf = (text: string): string[] => text.split("\n").map((line) => line.trim()).filter(Boolean);

export function StorageForm({ name }: { name?: string }) {
  const ground = useResource<Ground>("system/storages");
  const storage = useResource<Storage>(name ? at(name) : null);
  const crumbs = [{ text: t("storages"), href: "/storages" }, ...(name ? [{ text: name, href: pageOf(name) }] : [])];
  const title = name ? t("edit", { name }) : t("make");
  const error = ground.error ?? storage.error;
  const ready = ground.data && (!name || storage.data);
  return (
    <>
      <PageHead title={title} crumbs={crumbs} />
      {error ? <ErrorBox error={error} retry={() => (ground.refresh(), storage.refresh())} /> : null}
      {!ready && !error ? <Skeleton lines={8} /> : null}
      {ready && ground.data && storage.data?.origin !== "file" && <Fields ground={ground.data} storage={storage.data} />}
      {storage.data?.origin === "file" && <p>{t("of_file", { name: storage.data.name })}</p>}
    </>
  );
}

function Fields({ ground, storage }: { ground: Ground; storage: Storage | null }) {
  const [form, setForm] = useState<Settings>(storage?.settings ?? { name: "", kind: ground.roots.length > 0 ? "folder" : "s3" });
  const [root, setRoot] = useState(ground.roots.find((one) => one.is_there)?.path ?? ground.roots[0]?.path ?? "");
  const [within, setWithin] = useState("");
  const [makeFolder, setMakeFolder] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const bucket = form.kind === "s3";
  const set = (changes: Partial<Settings>) => setForm((now) => ({ ...now, ...changes }));
  const path = storage ? (form.path ?? "") : within ? `${root.replace(/\/$/, "")}/${within.replace(/^\/+|\/+$/g, "")}` : root;
  useEffect(() => setError(null), [form, root, within]);

  const body = (): Settings => {
    const sent: Record<string, unknown> = {};
    for (const [key, said] of Object.entries(form)) {
      if (said === undefined || said === "" || (Array.isArray(said) && said.length === 0)) continue;
      sent[key] = said;
    }
    if (!bucket) sent.path = path;
    return sent as unknown as Settings;
  };
  const save = async (test: boolean) => {
    setBusy(true);
    setError(null);
    try {
      const query = makeFolder && !bucket ? { make_folder: true } : undefined;
      const kept = storage
        ? await call<Storage>(at(storage.name), { method: "PUT", json: body(), query })
        : await call<Storage>("storages", { method: "POST", json: body(), query });
      tellDone(t(storage ? "changed" : "made", { name: kept.name }));
      go(pageOf(kept.name));
      if (test) void tryStorage(kept.name);
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  const number = (key: "settle_looks" | "settle_interval_s" | "poll_interval_s" | "min_age_s" | "sequence_fps" | "part_mib" | "concurrency" | "retry_s", least: number, most: number, unit?: string) => (
    <NumberField label={label(key)} help={key in HELPED ? help(key as "min_age_s") : undefined} value={form[key] ?? null} min={least} max={most} unit={unit} onInput={(next) => set({ [key]: next ?? undefined })} />
  );
  const text = (key: "sentinel" | "file_mode" | "folder_mode" | "file_group" | "region" | "storage_class" | "acl" | "sse" | "sse_kms_key" | "cache_control", placeholder?: string) => (
    <TextField label={label(key)} help={key in HELPED ? help(key as "sentinel") : undefined} value={form[key] ?? ""} mono placeholder={placeholder} onInput={(next) => set({ [key]: next })} />
  );
  const list = (key: "include" | "exclude" | "monotonic_prefixes" | "notify_confirm_urls") => (
    <TextField label={label(key)} help={key in HELPED ? help(key as "include") : undefined} value={lines(form[key])} mono lines={3} onInput={(next) => set({ [key]: next === "" ? undefined : next.split("\n") })} />
  );
  const secret = (key: (typeof SECRETS)[number], required?: boolean) => {
    const isSet = storage?.secrets.includes(key) ?? false;
    const more = key === "notify_secret" ? help("notify_secret") : undefined;
    return <SecretField label={label(key)} required={required && !isSet} help={isSet ? help("kept") : more} placeholder={isSet ? "••••••••" : undefined} value={form[key] ?? ""} onInput={(next) => set({ [key]: next })} />;
  };
  const choice = (key: "watch" | "ready" | "credentials", of: string[]) => (
    <SelectField label={label(key)} help={key === "watch" ? help("watch") : undefined} value={form[key] ?? of[0] ?? ""} choices={of.map((one) => ({ value: one, text: value(one as "auto") }))} onInput={(next) => set({ [key]: next })} />
  );

  return (
    <form class="stack st-form" onSubmit={(event) => {
      event.preventDefault();
      // Lines without anything in them are left out when it is sent, so that typing is not disturbed.
      for (const key of ["include", "exclude", "monotonic_prefixes", "notify_confirm_urls"] as const) if (form[key]) form[key] = listOf(lines(form[key]));
      void save(event.submitter instanceof HTMLElement && event.submitter.dataset.test === "yes");
    }}>
      <Card>
        {!storage && (
          <>
            <div class="segments st-kinds" role="radiogroup" aria-label={t("kind")}>
              <button type="button" role="radio" aria-checked={!bucket} onClick={() => set({ kind: "folder" })}><Icon name="folder" size={18} /> {t("folder")}</button>
              <button type="button" role="radio" aria-checked={bucket} onClick={() => set({ kind: "s3" })}><Icon name="bucket" size={18} /> {t("bucket")}</button>
            </div>
            <TextField label={t("name")} help={t("name_help")} value={form.name} onInput={(next) => set({ name: next })} required maxLength={128} autofocus />
          </>
        )}
        {bucket ? (
          <>
            <div class="fields">
              <TextField label={label("endpoint")} help={<>{help("endpoint")} {!ground.local_buckets && t("local")}</>} value={form.endpoint ?? ""} mono required placeholder="https://minio.studio.example" onInput={(next) => set({ endpoint: next })} />
              <TextField label={label("bucket")} value={form.bucket ?? ""} mono required onInput={(next) => set({ bucket: next })} />
              {text("region", "us-east-1")}
            </div>
            <SwitchField label={label("path_style")} help={help("path_style")} value={form.path_style ?? false} onInput={(next) => set({ path_style: next })} />
            <div class="fields">
              {choice("credentials", ["given", "environment", "instance"])}
              {(form.credentials ?? "given") === "given" && <>{secret("access_key", true)}{secret("secret_key", true)}</>}
            </div>
          </>
        ) : storage ? (
          <TextField label={label("path")} help={`${help("path")} ${t("change_place")}`} value={form.path ?? ""} mono required onInput={(next) => set({ path: next })} />
        ) : ground.roots.length === 0 ? (
          <div class="problem"><Icon name="info" /><div><p>{t("no_roots")}</p><p class="remedy">{t("no_roots_remedy")}</p></div></div>
        ) : (
          <>
            <div class="fields">
              <SelectField label={t("beneath")} value={root} choices={ground.roots.map((one) => ({ value: one.path, text: `${one.path} · ${one.is_there ? t("free", { free: size(one.free_bytes) }) : t("root_gone")}`, disabled: !one.is_there }))} onInput={setRoot} />
              <TextField label={t("within")} help={t("within_help")} value={within} mono placeholder="ingest" onInput={setWithin} />
            </div>
            <p class="help mono">{path}</p>
          </>
        )}
        {!bucket && <SwitchField label={t("make_folder")} value={makeFolder} onInput={setMakeFolder} />}
      </Card>
      <Card title={t("arriving")}>
        <div class="fields">
          {choice("watch", bucket ? ["auto", "poll", "off"] : ["auto", "inotify", "poll", "off"])}
          {!bucket && choice("ready", ["stable", "rename", "marker", "checksum"])}
          {!bucket && form.ready === "marker" && <TextField label={label("marker")} help={help("marker")} value={form.marker ?? ""} mono placeholder=".done" onInput={(next) => set({ marker: next })} />}
        </div>
        {!bucket && (
          <>
            <SwitchField label={label("subtitles")} help={help("subtitles")} value={form.subtitles ?? false} onInput={(next) => set({ subtitles: next })} />
            <SwitchField label={label("sidecars")} help={help("sidecars")} value={form.sidecars ?? false} onInput={(next) => set({ sidecars: next })} />
            <fieldset class="st-groups">
              <legend>{label("groups")}</legend>
              {["sequences", "gopro", "p2", "xdcam", "avchd"].map((group) => (
                <label key={group}>
                  <input type="checkbox" checked={form.groups?.includes(group) ?? false} onChange={(event) => set({ groups: event.currentTarget.checked ? [...(form.groups ?? []), group] : (form.groups ?? []).filter((one) => one !== group) })} />
                  {value(group as "p2")}
                </label>
              ))}
            </fieldset>
          </>
        )}
      </Card>
      <details class="card st-more">
        <summary>{t("more")}</summary>
        <h3>{t("which")}</h3>
        <div class="fields">{list("include")}{list("exclude")}</div>
        <h3>{t("arriving")}</h3>
        <div class="fields">
          {!bucket && number("settle_looks", 0, 100)}
          {!bucket && number("settle_interval_s", 0, 86_400, t("seconds"))}
          {number("poll_interval_s", 0, 86_400, t("seconds"))}
          {number("min_age_s", 0, 604_800, t("seconds"))}
          {!bucket && number("sequence_fps", 0.1, 1_000)}
          {bucket && list("monotonic_prefixes")}
        </div>
        {bucket ? (
          <>
            <h3>{t("publishing")}</h3>
            <div class="fields">
              {text("storage_class")}{text("acl")}{text("sse")}{text("sse_kms_key")}{text("cache_control", "max-age=31536000")}
              {number("part_mib", 5, 5_120, "MiB")}{number("concurrency", 1, 64)}{number("retry_s", 1, 3_600, t("seconds"))}
            </div>
            <h3>{t("keys")}</h3>
            <div class="fields">
              {secret("session_token")}
              <TextField label={label("tls_ca")} value={form.tls_ca ?? ""} mono lines={3} onInput={(next) => set({ tls_ca: next })} />
            </div>
            <h3>{t("notifications")}</h3>
            <div class="fields">{secret("notify_secret")}{list("notify_confirm_urls")}</div>
          </>
        ) : (
          <>
            <h3>{t("safety")}</h3>
            <div class="fields">{text("sentinel", ".this-is-the-nas")}{text("file_mode", "0664")}{text("folder_mode", "2775")}{text("file_group", "media")}</div>
          </>
        )}
      </details>
      <ErrorBox error={error} />
      <div class="row">
        <button type="submit" class="button primary" disabled={busy}>{t("save")}</button>
        <button type="submit" class="button" data-test="yes" disabled={busy}>{t("save_test")}</button>
        <a class="button ghost" href={storage ? pageOf(storage.name) : "/storages"}>{t("cancel")}</a>
      </div>
    </form>
  );
}

/// Fields that have a word of help.
const HELPED = { settle_looks: 1, settle_interval_s: 1, poll_interval_s: 1, min_age_s: 1, sentinel: 1, file_mode: 1, folder_mode: 1, file_group: 1, region: 1, sse: 1, include: 1, exclude: 1, monotonic_prefixes: 1 };
