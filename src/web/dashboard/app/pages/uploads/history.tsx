// All uploads that the daemon knows, whoever sends them.
import { remove } from "../../api.ts";
import { Bar } from "../../parts/bar.tsx";
import { confirm } from "../../parts/dialog.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Status } from "../../parts/status.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { size } from "../../parts/format.ts";
import { attempt } from "../../parts/toast.tsx";
import { usePaged } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import type { UploadView } from "./transfer.ts";

const t = words({
  all: ["All uploads", "上传记录"],
  status: ["Status", "状态"],
  any: ["Any status", "全部状态"],
  Waiting: ["Waiting for more", "等待续传"],
  Processing: ["Being put in place", "落盘中"],
  Success: ["Arrived", "已完成"],
  Fail: ["Failed", "失败"],
  Canceled: ["Cancelled", "已取消"],
  object: ["Object", "对象"],
  who: ["By", "上传者"],
  bytes: ["Size", "大小"],
  begun: ["Begun", "开始时间"],
  became: ["Became", "去向"],
  media: ["Media", "媒资"],
  task: ["Task", "任务"],
  none: ["No uploads", "没有上传记录"],
  none_hint: ["Files sent here, by the reelmill command or by programs are listed.", "此处列出通过页面、命令行或程序上传的文件。"],
  cancel: ["Cancel {object}", "取消 {object}"],
  cancel_text: ["What came of it is dropped.", "已上传的部分将被丢弃。"],
  cancelled: ["The upload was cancelled.", "上传已取消。"],
  progress: ["Progress", "进度"],
});

const STATUSES = ["Waiting", "Processing", "Success", "Fail", "Canceled"] as const;

export function History() {
  const status = query.value.get("status");
  const list = usePaged<UploadView>("uploads", { status }, { every: 5000, on: (event) => /Upload/.test(event.type) });
  const cancel = async (upload: UploadView) => {
    if (!(await confirm(t("cancel", { object: upload.object }), t("cancel_text"), undefined, { danger: true }))) return;
    if (await attempt(() => remove(`uploads/${upload.id}`).then(() => true), t("cancelled"))) list.refresh();
  };
  return (
    <>
      <div class="uploads-filter">
        <select aria-label={t("status")} value={status ?? ""} onChange={(event) => setQuery({ status: event.currentTarget.value || null })}>
          <option value="" selected={!status}>{t("any")}</option>
          {STATUSES.map((one) => <option key={one} value={one} selected={one === status}>{t(one)}</option>)}
        </select>
      </div>
      <Table label={t("all")} list={list} empty={<><h2>{t("none")}</h2><p>{t("none_hint")}</p></>} columns={[
        { key: "object", title: t("object"), width: "minmax(8rem, 3fr)", cell: (one) => <span title={one.fault ? `${one.fault.cause}. ${one.fault.remedy}` : one.object}>{one.object}</span> },
        { key: "status", title: t("status"), width: "11rem", cell: (one) => (one.status === "Waiting" && one.size_bytes ? <Bar percent={(one.offset / one.size_bytes) * 100} label={t("progress")} /> : <Status status={one.status} text={t(one.status as "Success")} />) },
        { key: "size", title: t("bytes"), width: "6rem", align: "end", from: 2, cell: (one) => size(one.size_bytes) },
        { key: "who", title: t("who"), width: "7rem", from: 3, cell: (one) => one.who },
        { key: "begun", title: t("begun"), width: "8rem", from: 2, cell: (one) => <Time at={one.created_at} /> },
        { key: "became", title: t("became"), width: "8rem", from: 2, cell: (one) => <span class="uploads-links">{one.media && <a href={`/media/${one.media}`}>{t("media")}</a>} {one.tasks.map((task) => <a key={task} href={`/tasks/${task}`}>{t("task")}</a>)}</span> },
        { key: "deeds", title: "", width: "2.5rem", cell: (one) => one.status === "Waiting" && isOperator.value && <button type="button" class="icon-button" aria-label={t("cancel", { object: one.object })} onClick={() => void cancel(one)}><Icon name="cross" size={17} /></button> },
      ]} />
    </>
  );
}
