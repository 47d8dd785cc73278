// What the daemon finds wrong with a definition: one line that says whether it is good, and the list of what is not.
import { words } from "../words.ts";
import { Icon } from "../parts/icon.tsx";
import { told } from "../parts/problem.tsx";
import type { Checked } from "./check.ts";
import type { Finding } from "./schema.ts";

const t = words({
  good: ["Valid", "有效"],
  busy: ["Checking …", "检查中…"],
  one: ["1 finding", "1 处问题"],
  many: ["{n} findings", "{n} 处问题"],
  unread: ["The text cannot be read", "文本无法解析"],
  list: ["Findings", "问题列表"],
  line: ["line {n}", "第 {n} 行"],
  whole: ["the workflow", "整个定义"],
});

export function CheckState({ checked, unread }: { checked: Checked; unread: boolean }) {
  const count = checked.check?.findings.length ?? 0;
  const [kind, text] = unread ? (["bad", t("unread")] as const)
    : checked.error ? (["bad", told(checked.error).text] as const)
    : checked.check === null ? (["busy", t("busy")] as const)
    : count === 0 ? (["good", t("good")] as const)
    : (["bad", count === 1 ? t("one") : t("many", { n: count })] as const);
  return <span class={`sf-state sf-state-${kind}`} role="status" data-state={checked.busy ? "busy" : kind}><Icon name={kind === "good" ? "check" : kind === "bad" ? "warn" : "clock"} size={16} />{text}</span>;
}

export function Findings({ findings, open }: { findings: Finding[]; open: (finding: Finding) => void }) {
  if (findings.length === 0) return null;
  return (
    <ul class="sf-findings" aria-label={t("list")}>
      {findings.map((one, at) => (
        <li key={at}>
          <Icon name="warn" size={15} />
          <button type="button" class="link" onClick={() => open(one)}>
            <b>{one.activity ?? (one.path.split(/[.[]/)[0] || t("whole"))}</b> {one.path.includes(".") && <code>{one.activity ? one.path.replace(/^activity\[\d+\]\.?/, "") : one.path}</code>} {one.why}{one.line ? ` (${t("line", { n: one.line })})` : ""}
          </button>
        </li>
      ))}
    </ul>
  );
}
