// Why an object was, or was not, triggered: the ledger, the storage and every workflow are asked.
import { useState } from "preact/hooks";
import { useResource } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";
import { TextField } from "../../parts/form.tsx";
import { size } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Card, Facts } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Time } from "../../parts/time.tsx";
import { type Explained, type Storage, at } from "./storage.ts";

const t = words({
  key: ["Key of the object", "对象的键"],
  help: ["As it lies in the storage, with its folders: day-1/A001.mov. Objects that were never seen can be asked for too.", "含目录的完整路径，例如 day-1/A001.mov；从未出现过的对象也可以查询。"],
  ask: ["Explain", "查询"],
  seen: ["Seen since", "首次发现"],
  settled_at: ["Settled", "稳定时间"],
  gone: ["Gone since", "消失时间"],
  size: ["Size", "大小"],
  state: ["State", "状态"],
  unseen: ["never seen", "从未发现"],
  seen_state: ["seen, not settled", "已发现，未稳定"],
  settled: ["settled", "已稳定"],
  taken: ["taken", "已处理"],
  not_taken: ["not taken", "未处理"],
  reasons: ["What is to be said of it", "相关说明"],
  workflows: ["Workflows", "工作流"],
  takes: ["takes such objects", "会处理此类对象"],
  tasks: ["Tasks that ran over it", "处理过它的任务"],
});

export function Explain({ storage }: { storage: Storage }) {
  const asked = query.value.get("key") ?? "";
  const [key, setKey] = useState(asked);
  const [before, setBefore] = useState(asked);
  if (before !== asked) {
    setBefore(asked);
    setKey(asked);
  }
  const told = useResource<Explained>(asked ? at(storage.name, "/explain") : null, { key: asked }, { every: 5_000 });
  return (
    <div class="stack">
      <Card>
        <form class="st-ask" onSubmit={(event) => {
          event.preventDefault();
          setQuery({ key: key.trim() }, {});
          if (key.trim() === asked) told.refresh();
        }}>
          <TextField label={t("key")} help={t("help")} value={key} onInput={setKey} mono placeholder="day-1/A001.mov" />
          <button type="submit" class="button primary" disabled={!key.trim()}><Icon name="search" size={18} />{t("ask")}</button>
        </form>
      </Card>
      {told.error ? <ErrorBox error={told.error} retry={told.refresh} /> : null}
      {told.loading && !told.data ? <Skeleton /> : null}
      {told.data && <Answer told={told.data} />}
    </div>
  );
}

function Answer({ told }: { told: Explained }) {
  const states: Record<string, string> = { unseen: t("unseen"), seen: t("seen_state"), settled: t("settled"), taken: t("taken"), not_taken: t("not_taken") };
  return (
    <Card>
      <p class="mono muted">{told.object}</p>
      <p class="st-answer">{told.explanation}</p>
      <Facts rows={[
        [t("state"), states[told.state] ?? told.state],
        told.size_bytes !== null && [t("size"), size(told.size_bytes)],
        told.seen_at !== null && [t("seen"), <Time at={told.seen_at} whole />],
        told.settled_at !== null && [t("settled_at"), <Time at={told.settled_at} whole />],
        told.gone_at !== null && [t("gone"), <Time at={told.gone_at} whole />],
      ]} />
      {told.reasons.length > 0 && (
        <>
          <h3>{t("reasons")}</h3>
          <ul class="st-steps">
            {told.reasons.map((reason) => (
              <li key={reason.code + reason.text} class={reason.prevents ? "tone-bad" : "tone-idle"}><Icon name={reason.prevents ? "stop" : "info"} size={17} /><p>{reason.text}</p></li>
            ))}
          </ul>
        </>
      )}
      {told.workflows.length > 0 && (
        <>
          <h3>{t("workflows")}</h3>
          <ul class="st-steps">
            {told.workflows.map((workflow) => (
              <li key={workflow.id} class={workflow.takes ? "tone-good" : "tone-idle"}>
                <Icon name={workflow.takes ? "check" : "minus"} size={17} />
                <p><a href={`/workflows/${workflow.id}`}>{workflow.name}</a> {workflow.takes ? t("takes") : <span class="muted">{workflow.why_not}</span>}</p>
              </li>
            ))}
          </ul>
        </>
      )}
      {told.tasks.length > 0 && (
        <>
          <h3>{t("tasks")}</h3>
          <ul class="st-steps">{told.tasks.map((task) => <li key={task}><Icon name="tasks" size={17} /><a class="mono" href={`/tasks/${task}`}>{task}</a></li>)}</ul>
        </>
      )}
    </Card>
  );
}
