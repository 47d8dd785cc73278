// The configuration as it was read, with its sources; devices; draining.
import { useMemo, useState } from "preact/hooks";
import { post } from "../../api.ts";
import { useResource } from "../../resource.ts";
import { isAdmin, isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { confirm } from "../../parts/dialog.tsx";
import { SwitchField } from "../../parts/form.tsx";
import { size } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ErrorBox, sentence } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Badge } from "../../parts/status.tsx";
import { Time } from "../../parts/time.tsx";
import { attempt } from "../../parts/toast.tsx";
import { LogLevel } from "./log_level.tsx";
import "./settings.css";

const t = words({
  title: ["Settings", "设置"],
  note: ["What the daemon runs with. The file is changed on its host and holds after a restart.", "服务当前使用的配置。请在主机上修改配置文件，重启后生效。"],
  work: ["Work", "运行"],
  drain: ["Drain: start no new attempts", "排空：不再启动新的处理"],
  draining: ["Draining", "排空中"],
  drain_help: ["What runs comes to its end; what arrives waits. Lasts until the daemon restarts.", "正在运行的会完成，新到的等待。服务重启后恢复。"],
  drain_really: ["Stop starting new work?", "停止启动新的处理？"],
  drain_yes: ["Drain", "排空"],
  drained: ["No new attempts are started", "不再启动新的处理"],
  resumed: ["Work goes on", "已恢复处理"],
  threads: ["Threads", "线程"],
  attempts: ["Attempts at once", "同时处理数"],
  running: ["Running now", "正在运行"],
  devices: ["Devices", "设备"],
  look: ["Look again", "重新检测"],
  looking: ["The devices are being looked at", "正在检测设备"],
  no_devices: ["No NVIDIA device is used: everything is done in software.", "未使用 NVIDIA 设备，全部由软件处理。"],
  memory: ["Memory", "显存"],
  sessions: ["Encoder sessions", "编码会话"],
  busy: ["Busy", "占用"],
  set_aside: ["set aside", "已停用"],
  in_use: ["in use", "使用中"],
  not_used: ["not used", "未使用"],
  log: ["Log", "日志"],
  configuration: ["Configuration", "配置"],
  search: ["Search keys and help", "搜索配置项和说明"],
  only_written: ["Only what stands in the file", "仅显示文件中的设置"],
  admins: ["Only an admin may see the configuration.", "只有管理员可以查看配置。"],
  file: ["file, line {line}", "文件第 {line} 行"],
  in_file: ["file", "文件"],
  default: ["default", "默认值"],
  none: ["No key fits", "没有符合的配置项"],
  empty: ["empty", "空"],
  yes: ["yes", "是"],
  no: ["no", "否"],
});

interface Setting { id: string; value: unknown; source: "file" | "default"; line: number | null; help: string }
interface Settings { file: string | null; items: Setting[] }
interface Device {
  uuid: string; name: string; compute_capability: string; memory_bytes: number;
  missing: { cause?: string; remedy?: string; what?: string }[];
  work: { attempts: number; attempts_limit: number; sessions: number; sessions_limit: number | null; set_aside: { why: string; since: string } | null } | null;
  meters: { busy_percent: number | null; memory_used_bytes: number | null } | null;
}
interface System { draining: boolean; threads: number; attempts: number; queue: { running_attempts: number }; gpu: { looked_at: string | null; driver_version: string | null; devices: Device[]; missing: { cause?: string; remedy?: string }[] } }

export default function SettingsPage() {
  const system = useResource<System>("system", undefined, { every: 5000 });
  return (
    <>
      <PageHead title={t("title")} note={t("note")} />
      <div class="stack">
        {system.error ? <ErrorBox error={system.error} retry={system.refresh} /> : null}
        <div class="cards">
          <Card title={t("work")}>{system.data ? <Work system={system.data} refresh={system.refresh} /> : <Skeleton lines={3} />}</Card>
          <Card title={t("devices")} deeds={isOperator.value && <button type="button" class="button small" onClick={() => void attempt(() => post("system/devices/look"), t("looking")).then(system.refresh)}><Icon name="refresh" size={16} />{t("look")}</button>}>
            {system.data ? <Devices gpu={system.data.gpu} /> : <Skeleton lines={3} />}
          </Card>
          {isAdmin.value && <Card title={t("log")}><LogLevel /></Card>}
        </div>
        <Card title={t("configuration")}>{isAdmin.value ? <Configuration /> : <p class="muted">{t("admins")}</p>}</Card>
      </div>
    </>
  );
}

function Work({ system, refresh }: { system: System; refresh: () => void }) {
  const drain = async (on: boolean) => {
    if (on && !(await confirm(t("drain_really"), t("drain_help"), t("drain_yes")))) return;
    await attempt(() => post("system/drain", { on }), on ? t("drained") : t("resumed"));
    refresh();
  };
  return (
    <>
      {isAdmin.value && <SwitchField label={t("drain")} help={t("drain_help")} value={system.draining} onInput={(on) => void drain(on)} />}
      <Facts rows={[!isAdmin.value && [t("draining"), t(system.draining ? "yes" : "no")], [t("running"), String(system.queue.running_attempts)], [t("attempts"), String(system.attempts)], [t("threads"), String(system.threads)]]} />
    </>
  );
}

function Devices({ gpu }: { gpu: System["gpu"] }) {
  return (
    <div class="stack">
      {gpu.devices.length === 0 && <p class="muted">{t("no_devices")}</p>}
      {gpu.missing.map((missing, at) => <p key={at} class="muted">{[missing.cause, missing.remedy].filter(Boolean).map((text) => sentence(String(text))).join(" ")}</p>)}
      {gpu.devices.map((device) => (
        <section key={device.uuid} class="settings-device">
          <h3>{device.name} <Badge tone={device.work?.set_aside ? "bad" : device.work ? "good" : "idle"}>{device.work?.set_aside ? t("set_aside") : device.work ? t("in_use") : t("not_used")}</Badge></h3>
          {device.work?.set_aside && <p class="problem-line">{device.work.set_aside.why} (<Time at={device.work.set_aside.since} />)</p>}
          <Facts rows={[
            [t("memory"), `${size(device.meters?.memory_used_bytes ?? null)} / ${size(device.memory_bytes)}`],
            [t("busy"), device.meters?.busy_percent === null || device.meters === null ? "–" : `${device.meters.busy_percent} %`],
            device.work && [t("sessions"), `${device.work.sessions} / ${device.work.sessions_limit ?? "–"}`],
          ]} />
        </section>
      ))}
    </div>
  );
}

function Configuration() {
  const settings = useResource<Settings>("settings");
  const [search, setSearch] = useState("");
  const [written, setWritten] = useState(false);
  const sections = useMemo(() => {
    const text = search.trim().toLowerCase();
    const found = (settings.data?.items ?? []).filter((item) => (!written || item.source === "file") && (!text || item.id.toLowerCase().includes(text) || item.help.toLowerCase().includes(text)));
    const groups = new Map<string, Setting[]>();
    for (const item of found) {
      const section = item.id.slice(0, item.id.lastIndexOf("."));
      groups.set(section, [...(groups.get(section) ?? []), item]);
    }
    return [...groups];
  }, [settings.data, search, written]);
  if (settings.error) return <ErrorBox error={settings.error} retry={settings.refresh} />;
  if (!settings.data) return <Skeleton lines={8} />;
  return (
    <>
      <div class="settings-tools">
        {settings.data.file && <code>{settings.data.file}</code>}
        <input type="search" aria-label={t("search")} placeholder={t("search")} value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        <label class="row"><input type="checkbox" checked={written} onChange={() => setWritten(!written)} />{t("only_written")}</label>
      </div>
      {sections.length === 0 && <p class="empty">{t("none")}</p>}
      {sections.map(([section, items]) => (
        <details key={section} class="settings-section" open>
          <summary><code>[{section}]</code></summary>
          <dl>
            {items.map((item) => (
              <div key={item.id}>
                <dt><code>{item.id.slice(section.length + 1)}</code></dt>
                <dd>
                  <p class="settings-value"><Value value={item.value} /> <Badge tone={item.source === "file" ? "run" : "idle"}>{item.source === "default" ? t("default") : item.line === null ? t("in_file") : t("file", { line: item.line })}</Badge></p>
                  {item.help && <p class="help" lang="en">{item.help}</p>}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      ))}
    </>
  );
}

function Value({ value }: { value: unknown }) {
  if (value === "" || (Array.isArray(value) && value.length === 0)) return <span class="muted">{t("empty")}</span>;
  if (typeof value === "boolean") return <code>{value ? "true" : "false"}</code>;
  return <code>{typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value)}</code>;
}
