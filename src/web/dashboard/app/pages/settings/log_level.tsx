// What is logged, changed while the daemon runs; the next start logs as the configuration says.
import { useEffect, useState } from "preact/hooks";
import { put } from "../../api.ts";
import { SelectField, TextField } from "../../parts/form.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { attempt, tellDone } from "../../parts/toast.tsx";
import { useResource } from "../../resource.ts";
import { words } from "../../words.ts";

const t = words({
  level: ["What is logged", "日志级别"],
  help: ["Until the next start. What is logged is read on the host: journalctl -u reelmill.", "重启后恢复。请在主机上查看：journalctl -u reelmill。"],
  error: ["error: only what failed", "error：仅错误"],
  warn: ["warn: also what may become trouble", "warn：含警告"],
  info: ["info: also what happens", "info：常规信息"],
  debug: ["debug: also why", "debug：调试信息"],
  trace: ["trace: everything, very much", "trace：全部，量很大"],
  filter: ["by part of the program", "按模块"],
  filter_label: ["Filter", "过滤规则"],
  filter_help: ["As in info,reelmill::scheduler=debug", "例如 info,reelmill::scheduler=debug"],
  set: ["Set", "应用"],
  reset: ["As at the start ({level})", "恢复启动时的级别（{level}）"],
  done: ["Logs {level} from now on", "日志级别已设为 {level}"],
});

const LEVELS = ["error", "warn", "info", "debug", "trace"] as const;
const isLevel = (text: string): text is (typeof LEVELS)[number] => (LEVELS as readonly string[]).includes(text);

interface Level { level: string; started_with: string }

export function LogLevel() {
  const found = useResource<Level>("system/log-level");
  const [choice, setChoice] = useState("info");
  const [filter, setFilter] = useState("");
  const now = found.data?.level ?? "";
  useEffect(() => {
    setChoice(isLevel(now) ? now : "filter");
    setFilter(now);
  }, [now]);
  if (found.error) return <ErrorBox error={found.error} retry={found.refresh} />;
  if (!found.data) return <Skeleton lines={3} />;
  const wanted = choice === "filter" ? filter.trim() : choice;
  const set = async (level: string | null) => {
    const kept = await attempt(() => put<Level>("system/log-level", { level }));
    if (!kept) return;
    tellDone(t("done", { level: kept.level }));
    found.refresh();
  };
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      void set(wanted);
    }}>
      <SelectField label={t("level")} help={t("help")} value={choice} onInput={setChoice} choices={[...LEVELS.map((level) => ({ value: level, text: t(level) })), { value: "filter", text: t("filter") }]} />
      {choice === "filter" && <TextField label={t("filter_label")} help={t("filter_help")} value={filter} onInput={setFilter} mono required />}
      <div class="row">
        <button type="submit" class="button" disabled={wanted === "" || wanted === now}>{t("set")}</button>
        {now !== found.data.started_with && <button type="button" class="button ghost" onClick={() => void set(null)}>{t("reset", { level: found.data.started_with })}</button>}
      </div>
    </form>
  );
}
