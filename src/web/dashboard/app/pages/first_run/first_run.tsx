// The way from the admin token to a first result: a user, a storage, a workflow, a test clip.
//
// What is done already is seen from the daemon, not remembered here: the page can be left and come back to.
import "./first_run.css";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Page } from "../../api.ts";
import { useResource } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { isAdmin, session } from "../../session.ts";
import { words } from "../../words.ts";
import { Icon } from "../../parts/icon.tsx";
import { PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import type { Storage } from "../storages/storage.ts";
import { ClipStep } from "./clip.tsx";
import { PersonStep } from "./person.tsx";
import { PlaceStep } from "./place.tsx";
import { type Flow, FlowStep, isOver } from "./flow.tsx";

const t = words({
  title: ["First steps", "快速开始"],
  note: ["From the admin token to a first film, in four steps.", "四步完成：从管理员令牌到第一部影片。"],
  admins: ["An administrator takes these steps. Ask one for a storage and a workflow, or look at what there is already.", "这些步骤由管理员完成。请联系管理员创建存储和工作流，或查看已有内容。"],
  person: ["A user for you", "创建用户"],
  person_done: ["You are signed in as {name}", "已登录：{name}"],
  place: ["A storage that films land in", "接收影片的存储"],
  place_done: ["Films land in {name}", "影片存入 {name}"],
  flow: ["A workflow over it", "处理工作流"],
  flow_done: ["{name} runs over what lands there", "{name} 将处理到达的影片"],
  clip: ["A test clip", "测试片段"],
  change: ["Change", "更改"],
  step: ["Step {n}", "第 {n} 步"],
  done: ["done", "已完成"],
});

export default function FirstRun() {
  const storages = useResource<Page<Storage>>("storages", undefined, { every: 5_000 });
  const flows = useResource<Page<Flow>>("workflows", { limit: 500 }, { every: 10_000 });
  const asked = query.value;
  const [again, setAgain] = useState<string | null>(null);
  if (!isAdmin.value) return <><PageHead title={t("title")} /><p>{t("admins")}</p></>;
  const error = storages.error ?? flows.error;
  if (!storages.data || !flows.data) {
    return (
      <>
        <PageHead title={t("title")} note={t("note")} />
        {error ? <ErrorBox error={error} retry={() => (storages.refresh(), flows.refresh())} /> : <Skeleton lines={8} />}
      </>
    );
  }
  const watched = storages.data.items.filter((storage) => storage.watch !== "off" && storage.status !== "broken");
  const enabled = flows.data.items.filter((flow) => flow.enabled);
  // What was chosen, else what a workflow runs over already, else the only one there is.
  const withFlow = watched.find((one) => enabled.some((flow) => isOver(flow, one.name)));
  const storage = watched.find((one) => one.name === asked.get("storage")) ?? withFlow ?? (watched.length === 1 ? watched[0] : undefined);
  const overIt = storage ? enabled.filter((flow) => isOver(flow, storage.name)) : [];
  const flow = overIt.find((one) => one.id === asked.get("workflow")) ?? overIt[0];
  const hasPerson = session.value?.with === "password";
  const stepAt = again ?? (!hasPerson && asked.get("person") !== "skip" ? "person" : !storage ? "place" : !flow ? "flow" : "clip");
  const choose = (changes: Record<string, string | null>) => {
    setAgain(null);
    setQuery(changes);
    storages.refresh();
    flows.refresh();
  };
  return (
    <>
      <PageHead title={t("title")} note={t("note")} />
      <ol class="fr-steps">
        <Step n={1} title={t("person")} open={stepAt === "person"} done={hasPerson ? t("person_done", { name: session.value?.name ?? "" }) : asked.get("person") === "skip" ? "–" : null} change={() => setAgain("person")}>
          <PersonStep done={() => choose({ person: null })} skip={() => choose({ person: "skip" })} />
        </Step>
        <Step n={2} title={t("place")} open={stepAt === "place"} done={storage ? t("place_done", { name: storage.name }) : null} change={() => setAgain("place")}>
          <PlaceStep storages={watched} chosen={storage?.name} done={(name) => choose({ storage: name, workflow: null })} />
        </Step>
        <Step n={3} title={t("flow")} open={stepAt === "flow"} done={flow ? t("flow_done", { name: flow.name }) : null} change={() => setAgain("flow")}>
          {storage && <FlowStep storage={storage} storages={storages.data.items} flows={flows.data.items} done={(id) => choose({ workflow: id })} />}
        </Step>
        <Step n={4} title={t("clip")} open={stepAt === "clip"} done={null}>
          {storage && flow && <ClipStep storage={storage} flow={flow} />}
        </Step>
      </ol>
    </>
  );
}

function Step({ n, title, open, done, change, children }: { n: number; title: string; open: boolean; done: string | null; change?: () => void; children: ComponentChildren }) {
  return (
    <li class={`card fr-step${open ? " fr-open" : ""}${done ? " fr-done" : ""}`} aria-current={open ? "step" : undefined}>
      <span class="fr-mark" aria-hidden="true">{done && !open ? <Icon name="check" size={18} /> : n}</span>
      <div class="fr-body">
        <h2><span class="visually-hidden">{t("step", { n })} {done ? t("done") : ""} </span>{title}</h2>
        {!open && done && <p class="fr-what">{done} {change && <button type="button" class="link" onClick={change}>{t("change")}</button>}</p>}
        {open && children}
      </div>
    </li>
  );
}
