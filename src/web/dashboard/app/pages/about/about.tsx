// What this is, how it is doing, and what to send when help is needed.
import { useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { useResource } from "../../resource.ts";
import { isAdmin } from "../../session.ts";
import { words } from "../../words.ts";
import { Copy } from "../../parts/copy.tsx";
import { percent, size, span } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Time } from "../../parts/time.tsx";
import { tellDone, tellError } from "../../parts/toast.tsx";
import "./about.css";

const t = words({
  title: ["About", "关于"],
  tagline: ["On-premises media processing: watched places in, proved renditions and signed callbacks out.", "本地媒体处理：监视存储、产出经过校验的成品、发送签名回调。"],
  version: ["Version", "版本"],
  started: ["Started", "启动时间"],
  up: ["Running for", "已运行"],
  address: ["Address", "地址"],
  driver: ["NVIDIA driver", "NVIDIA 驱动"],
  host: ["Host", "主机"],
  processors: ["Processors", "处理器"],
  load: ["Load", "负载"],
  cpu: ["Busy", "占用"],
  memory: ["Memory in use", "已用内存"],
  room_state: ["Room for the database", "数据库可用空间"],
  room_scratch: ["Room for scratch", "临时目录可用空间"],
  room_storage: ["Room in {name}", "{name} 可用空间"],
  of: ["{free} of {size} free", "剩余 {free}，共 {size}"],
  help: ["When something is wrong", "出现问题时"],
  help_text: ["The diagnostics bundle holds version, checks of this host, settings, queue, alerts and the last failed attempts with their logs. Passwords, keys and tokens are not in it.", "诊断包包含版本、主机检查、配置、队列、告警以及最近失败的处理及其日志，不含密码、密钥和令牌。"],
  make: ["Download the diagnostics bundle", "下载诊断包"],
  making: ["Looking at this host …", "正在检查主机…"],
  made: ["The bundle is in your downloads", "诊断包已下载"],
  admins: ["Only an admin may make one.", "只有管理员可以生成诊断包。"],
  by_command: ["Or on the host:", "或在主机上执行："],
  more: ["Documentation", "文档"],
  api: ["REST API, to read and to try", "REST API 文档与调试"],
  openapi: ["OpenAPI document", "OpenAPI 文档"],
  metrics: ["Metrics for Prometheus", "Prometheus 指标"],
  licence: ["Licence", "许可证"],
  licence_text: ["reelmill is free software under the GNU General Public License, version 3 or later. It comes with FFmpeg, x264, x265, SVT-AV1, libvpx, dav1d, Opus, LAME, libwebp, libass and SQLite, each under its own licence; packages hold the texts in /usr/share/doc/reelmill.", "reelmill 是自由软件，遵循 GNU 通用公共许可证第 3 版或更高版本。所含 FFmpeg、x264、x265、SVT-AV1、libvpx、dav1d、Opus、LAME、libwebp、libass 和 SQLite 各自遵循其许可证，全文见软件包中的 /usr/share/doc/reelmill。"],
});

interface Room { kind: "state" | "scratch" | "storage"; name: string; free_bytes: number; size_bytes: number }
interface System {
  version: string; started_at: string; uptime_s: number; public_url: string;
  gpu: { driver_version: string | null };
  host?: { processors: number; rooms: Room[]; now: { cpu_percent: number | null; load: [number, number, number] | null; memory_bytes: number | null; memory_available_bytes: number | null } | null };
}

export default function About() {
  const system = useResource<System>("system", undefined, { every: 10_000 });
  return (
    <>
      <PageHead title={t("title")} note={t("tagline")} />
      {system.error ? <ErrorBox error={system.error} retry={system.refresh} /> : null}
      <div class="cards about-cards">
        <Card title="reelmill">{system.data ? <Program system={system.data} /> : <Skeleton lines={5} />}</Card>
        <Card title={t("host")}>{system.data ? <Host host={system.data.host} /> : <Skeleton lines={5} />}</Card>
        <Card title={t("help")}><Diagnostics /></Card>
        <Card title={t("more")}>
          <ul class="about-links">
            <li><a href="/docs" target="_blank" rel="noopener"><Icon name="external" size={16} />{t("api")}</a></li>
            <li><a href="/openapi.json" target="_blank" rel="noopener"><Icon name="file" size={16} />{t("openapi")}</a></li>
            <li><a href="/metrics" target="_blank" rel="noopener"><Icon name="pulse" size={16} />{t("metrics")}</a></li>
          </ul>
          <h3>{t("licence")}</h3>
          <p class="muted">{t("licence_text")}</p>
        </Card>
      </div>
    </>
  );
}

function Program({ system }: { system: System }) {
  return <Facts rows={[
    [t("version"), <Copy text={system.version} />],
    [t("started"), <Time at={system.started_at} whole />],
    [t("up"), span(system.uptime_s)],
    [t("address"), <Copy text={system.public_url} />],
    system.gpu.driver_version !== null && [t("driver"), system.gpu.driver_version],
  ]} />;
}

function Host({ host }: { host: System["host"] }) {
  if (!host) return <p class="muted">–</p>;
  const now = host.now;
  const room = (one: Room) => t("of", { free: size(one.free_bytes), size: size(one.size_bytes) });
  const used = now?.memory_bytes && now.memory_available_bytes !== null ? now.memory_bytes - now.memory_available_bytes : null;
  return <Facts rows={[
    [t("processors"), String(host.processors)],
    now && [t("cpu"), percent(now.cpu_percent)],
    now?.load ? [t("load"), now.load.map((value) => value.toFixed(2)).join("  ")] : null,
    now && [t("memory"), `${size(used)} / ${size(now.memory_bytes)}`],
    ...host.rooms.map((one): [string, string] => [one.kind === "storage" ? t("room_storage", { name: one.name }) : t(one.kind === "state" ? "room_state" : "room_scratch"), room(one)]),
  ]} />;
}

function Diagnostics() {
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    try {
      const response = await ask("system/diagnostics", { method: "POST" });
      const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "reelmill-diagnostics.tar.gz";
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await response.blob());
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      tellDone(t("made"));
    } catch (error) {
      tellError(error);
    }
    setBusy(false);
  };
  return (
    <div class="about-help">
      <p>{t("help_text")}</p>
      {isAdmin.value
        ? <button type="button" class="button primary" disabled={busy} onClick={() => void make()}><Icon name="download" size={18} />{busy ? t("making") : t("make")}</button>
        : <p class="muted">{t("admins")}</p>}
      <p class="muted">{t("by_command")} <Copy text="reelmill diagnostics reelmill-diagnostics.tar.gz" /></p>
    </div>
  );
}
