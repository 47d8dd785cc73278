// What a task made: each output, its proof as a table, its files.
import type { Page } from "../../api.ts";
import { Scroll } from "../../parts/scroll.tsx";
import { Copy } from "../../parts/copy.tsx";
import { number, size } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Badge, Status } from "../../parts/status.tsx";
import { useResource } from "../../resource.ts";
import { words } from "../../words.ts";
import { useState } from "preact/hooks";
import type { Check, Output, TaskDetail } from "./shapes.ts";

const t = words({
  none: ["Nothing is published yet", "尚未发布任何输出"],
  none_failed: ["Nothing was published", "没有发布任何输出"],
  none_hint: ["An output appears here under its final name once it is whole and proved.", "输出在完整并通过校验后，会以最终名称出现在这里。"],
  proved: ["proved: {n} of {all} checks", "校验通过 {n}/{all} 项"],
  unproved: ["{n} of {all} checks failed", "{n}/{all} 项校验未通过"],
  no_proof: ["no checks told", "无校验记录"],
  check: ["Check", "校验项"],
  expected: ["Expected", "期望值"],
  found: ["Found", "实际值"],
  holds: ["Holds", "结论"],
  yes: ["yes", "通过"],
  no: ["no", "不通过"],
  files: ["{n} files", "{n} 个文件"],
  file: ["File", "文件"],
  size: ["Size", "大小"],
  more: ["The first {n} are shown.", "仅显示前 {n} 个。"],
  open: ["Open", "打开"],
  download: ["Download", "下载"],
  copy_url: ["Address", "地址"],
  publishing: ["publishing", "发布中"],
  proof: ["Proof", "校验证明"],
  of: ["from {activity}", "来自 {activity}"],
});

export function Outputs({ task }: { task: TaskDetail }) {
  if (task.outputs.length === 0) {
    return <div class="empty"><h2>{t(task.status === "Failed" || task.status === "Canceled" ? "none_failed" : "none")}</h2><p>{t("none_hint")}</p></div>;
  }
  return (
    <ul class="tasks-outputs">
      {task.outputs.map((output) => <OneOutput key={output.id} output={output} activity={task.jobs.find((job) => job.id === output.job)?.activity ?? ""} />)}
    </ul>
  );
}

function OneOutput({ output, activity }: { output: Output; activity: string }) {
  const checks = output.detail?.proof?.checks ?? [];
  const good = checks.filter((check) => check.ok).length;
  return (
    <li class="card">
      <div class="tasks-output-head">
        <div class="tasks-two">
          <b>{output.group && output.group !== output.name ? `${output.group} / ${output.name}` : output.name} <Badge>{output.kind}</Badge></b>
          <span>{t("of", { activity })} · {size(output.size_bytes)}</span>
        </div>
        {output.status !== "published" && <Status status="publishing" />}
        {output.url && <a class="button small" href={output.url} target="_blank" rel="noreferrer"><Icon name="external" size={15} />{t("open")}</a>}
      </div>
      <p class="tasks-output-object"><Copy text={output.object} />{output.md5 && <span class="muted nowrap">MD5 <Copy text={output.md5} shown={`${output.md5.slice(0, 8)}…`} /></span>}</p>
      <details>
        <summary>{checks.length === 0 ? <span class="muted">{t("no_proof")}</span> : good === checks.length ? <Status status="Success" text={t("proved", { n: good, all: checks.length })} /> : <Status status="Fail" text={t("unproved", { n: checks.length - good, all: checks.length })} />}</summary>
        {checks.length > 0 && <Proof checks={checks} label={`${t("proof")}: ${output.name}`} />}
      </details>
      {output.file_count > 1 && <Files output={output} />}
    </li>
  );
}

function Proof({ checks, label }: { checks: Check[]; label: string }) {
  return (
    <Scroll><table class="tasks-table" aria-label={label}>
      <thead><tr><th>{t("check")}</th><th>{t("expected")}</th><th>{t("found")}</th><th>{t("holds")}</th></tr></thead>
      <tbody>
        {checks.map((check, at) => (
          <tr key={at} class={check.ok ? undefined : "tasks-bad"}>
            <td>{check.name.replaceAll("_", " ")}</td><td>{check.expected}</td><td>{check.found}</td>
            <td><Status status={check.ok ? "Success" : "Fail"} text={t(check.ok ? "yes" : "no")} /></td>
          </tr>
        ))}
      </tbody>
    </table></Scroll>
  );
}

const FILES_SHOWN = 200;

function Files({ output }: { output: Output }) {
  const [open, setOpen] = useState(false);
  const files = useResource<Page<{ number: number; object: string; size_bytes: number; md5: string }>>(open ? `outputs/${output.id}/files` : null, { limit: FILES_SHOWN });
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("files", { n: number(output.file_count) })}</summary>
      <ErrorBox error={files.error} />
      {files.data && (
        <Scroll><table class="tasks-table">
          <thead><tr><th>{t("file")}</th><th class="end">{t("size")}</th><th>MD5</th></tr></thead>
          <tbody>{files.data.items.map((file) => <tr key={file.number}><td class="mono">{file.object}</td><td class="end nowrap">{size(file.size_bytes)}</td><td class="mono">{file.md5}</td></tr>)}</tbody>
        </table></Scroll>
      )}
      {files.data?.next && <p class="muted">{t("more", { n: FILES_SHOWN })}</p>}
    </details>
  );
}
