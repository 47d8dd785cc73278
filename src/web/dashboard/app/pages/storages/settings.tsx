// How a storage is written, without its keys.
import { isAdmin } from "../../session.ts";
import { words } from "../../words.ts";
import { Card, Facts } from "../../parts/page.tsx";
import { Badge } from "../../parts/status.tsx";
import { label, value } from "./labels.ts";
import { type Settings, type Storage, pageOf } from "./storage.ts";

const t = words({
  of_file: ["It stands in the configuration file, and is changed there; a restart takes it over.", "定义在配置文件中，请在文件中修改并重启服务。"],
  edit: ["Edit", "编辑"],
  secrets: ["Keys that are set", "已设置的密钥"],
  defaults: ["What is not listed has its default.", "未列出的项使用默认值。"],
});

const WORDY = ["watch", "ready", "credentials"];

function shown(name: string, said: unknown): string {
  if (typeof said === "boolean") return value(said ? "yes" : "no");
  if (Array.isArray(said)) return said.map((one) => (name === "groups" ? value(one as "p2") : String(one))).join(", ");
  if (WORDY.includes(name)) return value(said as "auto");
  return `${String(said)}${name.endsWith("_s") ? " s" : name === "part_mib" ? " MiB" : ""}`;
}

export function SettingsView({ storage }: { storage: Storage }) {
  const settings = (storage.settings ?? {}) as Settings;
  const given = storage.kind === "s3" ? { ...settings, credentials: settings.credentials ?? (storage.origin === "file" ? "files" : "given") } : settings;
  const rows = Object.entries(given)
    .filter(([name, said]) => name !== "name" && name !== "kind" && name !== "tls_ca" && !(Array.isArray(said) && said.length === 0) && said !== "")
    .map(([name, said]) => [label(name as "path"), <span class={typeof said === "string" && !WORDY.includes(name) ? "mono" : undefined}>{shown(name, said)}</span>] as [string, preact.ComponentChildren]);
  return (
    <Card deeds={storage.origin === "api" && isAdmin.value ? <a class="button small" href={pageOf(storage.name, "/edit")}>{t("edit")}</a> : undefined}>
      {storage.origin === "file" && <p class="help">{t("of_file")}</p>}
      <Facts rows={rows} />
      {storage.secrets.length > 0 && <p class="st-badges">{t("secrets")}: {storage.secrets.map((secret) => <Badge key={secret}>{label(secret as "access_key")}</Badge>)}</p>}
      {storage.origin === "api" && <p class="help">{t("defaults")}</p>}
    </Card>
  );
}
