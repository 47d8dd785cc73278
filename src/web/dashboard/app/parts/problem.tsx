// What went wrong, why, and what to do: as the daemon says it.
import { Refused, Unreachable } from "../api.ts";
import { words } from "../words.ts";
import { Icon } from "./icon.tsx";

const t = words({
  unreachable: ["The daemon does not answer.", "服务没有响应。"],
  unreachable_remedy: ["See whether it runs on its host: systemctl status reelmill.", "请在主机上检查服务状态：systemctl status reelmill。"],
  retry: ["Try again", "重试"],
  broken: ["Something in this page failed", "页面出错"],
});

/// A clause of the daemon as a sentence.
export const sentence = (text: string): string => (text ? text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?。]$/.test(text) ? "" : ".") : "");

/// The text of an error and its remedy.
export function told(error: unknown): { text: string; remedy: string } {
  if (error instanceof Refused) return { text: sentence(error.problem.detail), remedy: sentence(error.problem.remedy ?? "") };
  if (error instanceof Unreachable) return { text: t("unreachable"), remedy: t("unreachable_remedy") };
  return { text: t("broken"), remedy: error instanceof Error ? error.message : String(error) };
}

export function ErrorBox({ error, retry }: { error: unknown; retry?: () => void }) {
  if (!error) return null;
  const { text, remedy } = told(error);
  const findings = error instanceof Refused ? (error.problem.errors ?? []) : [];
  return (
    <div class="problem" role="alert">
      <Icon name="warn" />
      <div>
        <p>{text}</p>
        {remedy && <p class="remedy">{remedy}</p>}
        {findings.length > 0 && <ul>{findings.map((finding, at) => <li key={at}>{finding.path && <code>{finding.path}</code>} {finding.detail}</li>)}</ul>}
        {retry && <button type="button" class="button small" onClick={retry}>{t("retry")}</button>}
      </div>
    </div>
  );
}
