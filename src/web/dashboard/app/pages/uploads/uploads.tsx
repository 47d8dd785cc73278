// Uploads: files are dropped here, sent with progress, and go on after an interruption; files of other hosts are fetched.
import "./uploads.css";
import { PageHead } from "../../parts/page.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { History } from "./history.tsx";
import { Pulls } from "./pulls.tsx";
import { Send } from "./send.tsx";

const t = words({
  uploads: ["Uploads", "上传"],
  send: ["Upload", "上传文件"],
  pulls: ["By URL", "URL 拉取"],
  all: ["All uploads", "上传记录"],
  views: ["Ways in", "入库方式"],
});

export default function UploadsFamily() {
  const tabs = [
    { key: "pulls", title: t("pulls"), body: () => <Pulls /> },
    { key: "all", title: t("all"), body: () => <History /> },
  ];
  if (isOperator.value) tabs.unshift({ key: "send", title: t("send"), body: () => <Send /> });
  return (
    <div class="uploads">
      <PageHead title={t("uploads")} />
      <Tabs label={t("views")} tabs={tabs} />
    </div>
  );
}
