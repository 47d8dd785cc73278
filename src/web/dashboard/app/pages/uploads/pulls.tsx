// Files that the daemon fetches from other hosts: asked for, watched, cancelled, tried again.
import { useState } from "preact/hooks";
import { post } from "../../api.ts";
import { Bar } from "../../parts/bar.tsx";
import { openDialog } from "../../parts/dialog.tsx";
import { SecretField, TextField } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Status } from "../../parts/status.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { size } from "../../parts/format.ts";
import { attempt, tellDone } from "../../parts/toast.tsx";
import { usePaged } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { PlaceFields, usePlace } from "./place.tsx";

const t = words({
  pulls: ["Files fetched by URL", "URL 拉取"],
  new: ["Fetch a file", "拉取文件"],
  urls: ["Addresses", "地址"],
  urls_help: ["http or https, one on each line.", "http 或 https，每行一个。"],
  auth: ["Authorization header", "Authorization 请求头"],
  auth_help: ["Sent to the host of the address alone; kept encrypted, never shown.", "仅发送给该地址的主机；加密保存，不会显示。"],
  cancel: ["Cancel", "取消"],
  fetch: ["Fetch", "拉取"],
  asked: ["{n} are being fetched.", "正在拉取 {n} 个。"],
  url: ["Address", "地址"],
  object: ["Object", "对象"],
  status: ["Status", "状态"],
  any: ["Any status", "全部状态"],
  Init: ["Waiting", "等待中"],
  Processing: ["Being fetched", "拉取中"],
  Success: ["Arrived", "已完成"],
  Fail: ["Failed", "失败"],
  Canceled: ["Cancelled", "已取消"],
  next_try: ["tries again", "下次重试"],
  bytes: ["Size", "大小"],
  who: ["By", "发起者"],
  asked_at: ["Asked", "发起时间"],
  became: ["Became", "去向"],
  media: ["Media", "媒资"],
  task: ["Task", "任务"],
  none: ["Nothing was fetched yet", "还没有拉取记录"],
  none_hint: ["Give the address of a file, and the daemon fetches it into a storage, as often as it takes.", "填写文件地址，服务会将其下载到存储，失败会自动重试。"],
  cancel_of: ["Cancel {url}", "取消 {url}"],
  retry_of: ["Try {url} again", "重试 {url}"],
  cancelled: ["The pull was cancelled.", "拉取已取消。"],
  retried: ["It is tried again.", "正在重试。"],
  progress: ["Progress", "进度"],
});

interface Pull {
  id: string;
  created_at: string;
  status: string;
  url: string;
  object: string;
  size_bytes: number | null;
  received_bytes: number;
  tries: number;
  next_try_at: string | null;
  who: string;
  fault: { cause: string; remedy: string } | null;
  media: string | null;
  tasks: string[];
}

const STATUSES = ["Init", "Processing", "Success", "Fail", "Canceled"] as const;

export function Pulls() {
  const status = query.value.get("status");
  const list = usePaged<Pull>("pulls", { status }, { every: 2000, on: (event) => /ByURL/.test(event.type) });
  const deed = (one: Pull, verb: "cancel" | "retry") => void attempt(() => post(`pulls/${one.id}/${verb}`), verb === "cancel" ? t("cancelled") : t("retried")).then(list.refresh);
  const begin = () => void openDialog<number>(t("new"), (close) => <Form close={close} />, { wide: true }).then((made) => {
    if (!made) return;
    tellDone(t("asked", { n: made }));
    list.refresh();
  });
  const button = isOperator.value && <button type="button" class="button primary" onClick={begin}><Icon name="plus" size={18} />{t("new")}</button>;
  return (
    <>
      <div class="uploads-filter">
        <select aria-label={t("status")} value={status ?? ""} onChange={(event) => setQuery({ status: event.currentTarget.value || null })}>
          <option value="" selected={!status}>{t("any")}</option>
          {STATUSES.map((one) => <option key={one} value={one} selected={one === status}>{t(one)}</option>)}
        </select>
        {button}
      </div>
      <Table label={t("pulls")} list={list} rowHeight={58} empty={<><h2>{t("none")}</h2><p>{t("none_hint")}</p>{button}</>} columns={[
        { key: "url", title: t("url"), width: "minmax(8rem, 3fr)", cell: (one) => <><span title={one.url}>{one.url}</span><br /><small class={one.fault ? "uploads-why" : "muted"} title={one.fault ? `${one.fault.cause}. ${one.fault.remedy}` : one.object}>{one.fault && one.status !== "Success" ? `${one.fault.cause}. ${one.fault.remedy}` : one.object}</small></> },
        { key: "status", title: t("status"), width: "minmax(6.5rem, 10rem)", cell: (one) => <>{one.status === "Processing" && one.size_bytes ? <Bar percent={(one.received_bytes / one.size_bytes) * 100} label={t("progress")} /> : <Status status={one.status} text={t(one.status as "Init")} />}{one.status === "Init" && one.tries > 0 && one.next_try_at && <><br /><small class="muted">{t("next_try")} <Time at={one.next_try_at} /></small></>}</> },
        { key: "size", title: t("bytes"), width: "6rem", align: "end", from: 3, cell: (one) => size(one.size_bytes ?? (one.received_bytes || null)) },
        { key: "who", title: t("who"), width: "7rem", from: 3, cell: (one) => one.who },
        { key: "asked", title: t("asked_at"), width: "7rem", from: 2, cell: (one) => <Time at={one.created_at} /> },
        { key: "became", title: t("became"), width: "7rem", from: 2, cell: (one) => <span class="uploads-links">{one.media && <a href={`/media/${one.media}`}>{t("media")}</a>} {one.tasks.map((task) => <a key={task} href={`/tasks/${task}`}>{t("task")}</a>)}</span> },
        { key: "deeds", title: "", width: "2.5rem", cell: (one) => isOperator.value && (one.status === "Init" || one.status === "Processing"
          ? <button type="button" class="icon-button" aria-label={t("cancel_of", { url: one.url })} title={t("cancel_of", { url: one.url })} onClick={() => deed(one, "cancel")}><Icon name="cross" size={17} /></button>
          : one.status !== "Success" && <button type="button" class="icon-button" aria-label={t("retry_of", { url: one.url })} title={t("retry_of", { url: one.url })} onClick={() => deed(one, "retry")}><Icon name="refresh" size={17} /></button>) },
      ]} />
    </>
  );
}

function Form({ close }: { close: (made?: number) => void }) {
  const choice = usePlace();
  const [urls, setUrls] = useState("");
  const [auth, setAuth] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<unknown>(null);
  const all = urls.split(/\s+/).filter(Boolean);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const { place } = choice;
    const folder = place.folder.trim().replace(/^\/+|\/+$/g, "");
    const left: string[] = [];
    setRefused(null);
    for (const url of all) {
      try {
        await post("pulls", { url, headers: auth ? { Authorization: auth } : undefined, storage: place.storage ?? undefined, key: folder ? `${folder}/` : undefined, workflow: place.workflow ?? undefined, on_conflict: place.on_conflict ?? undefined });
      } catch (error) {
        setRefused(error);
        left.push(url);
      }
    }
    setBusy(false);
    // What was refused stays, to be corrected.
    if (left.length > 0) setUrls(left.join("\n"));
    else close(all.length);
  };
  return (
    <form onSubmit={(event) => void send(event)}>
      <TextField label={t("urls")} value={urls} onInput={setUrls} help={t("urls_help")} lines={4} mono required autofocus name="urls" />
      <SecretField label={t("auth")} value={auth} onInput={setAuth} help={t("auth_help")} placeholder="Bearer …" />
      <PlaceFields {...choice} />
      <ErrorBox error={refused} />
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => close()}>{t("cancel")}</button>
        <button type="submit" class="button primary" disabled={busy || all.length === 0}>{t("fetch")}</button>
      </div>
    </form>
  );
}
