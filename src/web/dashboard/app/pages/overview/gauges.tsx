// How busy and how full the host is, now and in the last minutes.
import type { ComponentChildren } from "preact";
import { Spark } from "../../parts/chart.tsx";
import { number, percent, size } from "../../parts/format.ts";
import { Card } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import type { Resource } from "../../resource.ts";
import { words } from "../../words.ts";
import type { Host, System } from "./host.ts";

const t = words({
  title: ["Host", "主机"],
  cpu: ["Processors", "CPU"],
  memory: ["Memory", "内存"],
  network: ["Network", "网络"],
  busy: ["GPU", "GPU"],
  decoder: ["NVDEC", "NVDEC"],
  encoder: ["NVENC", "NVENC"],
  gpu_memory: ["GPU memory", "显存"],
  disk: ["Disk", "磁盘"],
  of: ["{used} of {all}", "{used} / {all}"],
  cores: ["{n} cores, load {load}", "{n} 核，负载 {load}"],
  in_out: ["in {in}/s, out {out}/s", "入 {in}/s，出 {out}/s"],
  free: ["{free} free of {all}", "可用 {free} / 共 {all}"],
  state: ["Database", "数据库"],
  scratch: ["Scratch", "暂存区"],
  storage: ["Storage {name}", "存储 {name}"],
  no_gpu: ["No GPU: the work is done in software.", "无 GPU：使用软件处理。"],
  last: ["{name}, the last ten minutes", "{name}，最近十分钟"],
  attempts: ["{n} of {all} attempts", "执行 {n}/{all}"],
  set_aside: ["set aside: {why}", "已停用：{why}"],
  unknown: ["The host is measured in a moment.", "正在采集主机数据。"],
});

export function Gauges({ host, system }: { host: Resource<Host>; system: System | null }) {
  return <Card title={t("title")} class="overview-host">{host.data ? <Told host={host.data} system={system} /> : host.error ? <ErrorBox error={host.error} retry={host.refresh} /> : <Skeleton lines={5} />}</Card>;
}

type Read = (sample: Host["samples"][number]) => number | null | undefined;

function Told({ host, system }: { host: Host; system: System | null }) {
  const now = host.now;
  if (!now) return <p class="muted">{t("unknown")}</p>;
  const used = now.memory_bytes !== null && now.memory_available_bytes !== null ? now.memory_bytes - now.memory_available_bytes : null;
  return (
    <div class="overview-gauges">
      <Gauge name={t("cpu")} value={now.cpu_percent} host={host} read={(one) => one.cpu_percent} note={t("cores", { n: host.processors, load: number(now.load?.[0], 1) })} />
      <Gauge name={t("memory")} value={used !== null && now.memory_bytes ? (used / now.memory_bytes) * 100 : null} host={host}
        read={(one) => (one.memory_bytes && one.memory_available_bytes !== null ? 100 - (one.memory_available_bytes / one.memory_bytes) * 100 : null)} note={t("of", { used: size(used), all: size(now.memory_bytes) })} />
      {now.devices.map((device, at) => {
        const known = system?.gpu.devices.find((one) => one.uuid === device.uuid);
        const of = (read: (one: Host["samples"][number]["devices"][number]) => number | null): Read => (one) => {
          const same = one.devices.find((other) => other.uuid === device.uuid);
          return same ? read(same) : null;
        };
        const work = known?.work;
        const title = now.devices.length > 1 ? `${t("busy")} ${known?.ordinal ?? at}` : t("busy");
        return (
          <>
            <Gauge key={`${device.uuid}-busy`} name={title} value={device.busy_percent} host={host} read={of((one) => one.busy_percent)} note={work?.set_aside ? t("set_aside", { why: work.set_aside.why }) : [known?.name, work && t("attempts", { n: work.attempts, all: work.attempts_limit }), known?.meters?.temperature_c && `${known.meters.temperature_c} °C`].filter(Boolean).join(" · ")} tone={work?.set_aside ? "bad" : undefined} />
            <Gauge key={`${device.uuid}-dec`} name={t("decoder")} value={device.decoder_percent} host={host} read={of((one) => one.decoder_percent)} />
            <Gauge key={`${device.uuid}-enc`} name={t("encoder")} value={device.encoder_percent} host={host} read={of((one) => one.encoder_percent)} />
            <Gauge key={`${device.uuid}-mem`} name={t("gpu_memory")} value={device.memory_used_bytes !== null && device.memory_bytes ? (device.memory_used_bytes / device.memory_bytes) * 100 : null} host={host} read={of((one) => (one.memory_used_bytes !== null && one.memory_bytes ? (one.memory_used_bytes / one.memory_bytes) * 100 : null))} note={t("of", { used: size(device.memory_used_bytes), all: size(device.memory_bytes) })} />
          </>
        );
      })}
      {host.rooms.filter((room) => room.kind !== "storage").map((room) => (
        <Gauge key={`${room.kind}-${room.name}`} name={room.kind === "state" ? t("state") : room.kind === "scratch" ? t("scratch") : room.name} value={100 - (room.free_bytes / Math.max(1, room.size_bytes)) * 100} note={t("free", { free: size(room.free_bytes), all: size(room.size_bytes) })} />
      ))}
      {now.devices.length === 0 && <p class="muted overview-wide">{t("no_gpu")}</p>}
    </div>
  );
}

/// From these on a gauge warns: a full disk or memory is trouble, a busy processor is work.
const tone = (value: number | null, name: string): string => (value === null || name === t("cpu") ? "run" : value >= 95 ? "bad" : value >= 88 ? "wait" : "run");

function Gauge({ name, value, note, host, read, tone: given }: { name: string; value: number | null; note?: ComponentChildren; host?: Host; read?: Read; tone?: string }) {
  const points = host && read ? host.samples.map((one) => read(one) ?? 0) : [];
  const busy = read !== undefined && !(name === t("memory") || name === t("gpu_memory"));
  return (
    <div class={`overview-gauge tone-${given ?? (busy ? "run" : tone(value, name))}`}>
      <div class="overview-gauge-line"><span>{name}</span><b>{percent(value)}</b></div>
      {points.length > 1 ? <Spark points={points} high={100} label={t("last", { name })} /> : <div class="overview-fill" aria-hidden="true"><span style={{ width: `${Math.min(100, value ?? 0)}%` }} /></div>}
      {note && <p class="muted">{note}</p>}
    </div>
  );
}
