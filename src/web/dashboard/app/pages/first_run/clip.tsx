// A test clip is made, lands like anybody's film, and its task is followed to the end.
import { useState } from "preact/hooks";
import { type Page, post } from "../../api.ts";
import { progress } from "../../live.ts";
import { useResource } from "../../resource.ts";
import { words } from "../../words.ts";
import { Bar } from "../../parts/bar.tsx";
import { size } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Status } from "../../parts/status.tsx";
import { type Explained, type Storage, at, pageOf } from "../storages/storage.ts";
import type { Flow } from "./flow.tsx";

const t = words({
  why: ["A clip of ten seconds is drawn by the program itself and put into {storage}, as a film of yours would come. {flow} takes it.", "程序会生成一段十秒的片段并放入 {storage}，如同您的影片到达一样，由 {flow} 处理。"],
  make: ["Make a test clip", "生成测试片段"],
  making: ["The clip is being made …", "正在生成片段…"],
  landed: ["{key} landed ({size})", "{key} 已到达（{size}）"],
  settles: ["It is looked at until it does not change any more …", "等待文件稳定…"],
  runs: ["The task runs", "任务运行中"],
  again: ["Make another one", "再生成一个"],
  ended: ["It is done. This is what was made:", "已完成，结果如下："],
  failed: ["The task failed.", "任务失败。"],
  to_task: ["Look at the task", "查看任务"],
  to_media: ["Watch the result", "查看媒体"],
  next: ["Put films of yours into {place}, or send them by the page of uploads.", "现在可以将影片放入 {place}，或通过上传页面发送。"],
  outputs: ["Results", "结果"],
  activity: ["Activity", "活动"],
});

interface Sample {
  object: string;
  key: string;
  size_bytes: number;
}

interface TaskRow {
  id: string;
  status: string;
  workflow: { id: string; name: string };
  media: { id: string; object: string };
}

interface Whole extends TaskRow {
  activities: { id: string; type: string; job?: string | null }[];
  jobs: { id: string; activity: string; status: string; fault?: { cause: string; remedy: string } | null }[];
  outputs: { id: string; name: string; object: string; size_bytes: number }[];
}

const DONE = ["Succeed", "Failed", "Canceled"];

export function ClipStep({ storage, flow }: { storage: Storage; flow: Flow }) {
  const [sample, setSample] = useState<Sample | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const make = async () => {
    setBusy(true);
    setError(null);
    try {
      const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
      setSample(await post<Sample>(at(storage.name, "/sample"), { key: `${flow.source.prefix}test-clip-${stamp}.mp4`, seconds: 10 }));
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <p class="fr-why">{t("why", { storage: storage.name, flow: flow.name })}</p>
      <ErrorBox error={error} />
      {sample && <Followed key={sample.object} sample={sample} storage={storage} />}
      <div class="row">
        <button type="button" class={`button${sample ? "" : " primary"}`} disabled={busy} onClick={() => void make()}><Icon name="play" size={18} />{busy ? t("making") : sample ? t("again") : t("make")}</button>
      </div>
    </>
  );
}

function Followed({ sample, storage }: { sample: Sample; storage: Storage }) {
  const [over, setOver] = useState(false);
  const tasks = useResource<Page<TaskRow>>("tasks", { text: sample.key, limit: 10 }, over ? {} : { every: 1_000 });
  const found = tasks.data?.items.find((task) => task.media.object === sample.object);
  const task = useResource<Whole>(found ? `tasks/${found.id}` : null, undefined, over ? {} : { every: 1_000 });
  const told = useResource<Explained>(found ? null : at(storage.name, "/explain"), { key: sample.key }, { every: 3_000 });
  const one = task.data;
  if (one && DONE.includes(one.status) && !over) setOver(true);
  return (
    <div class="fr-follow" aria-live="polite">
      <p class="fr-line"><Icon name="check" size={18} />{t("landed", { key: sample.key, size: size(sample.size_bytes) })}</p>
      {!one && <><p class="fr-line"><Icon name="clock" size={18} />{t("settles")}</p>{told.data && <p class="help">{told.data.explanation}</p>}</>}
      {one && <p class="fr-line"><Status status={one.status} /> <a href={`/tasks/${one.id}`}>{one.workflow.name}</a></p>}
      {one && !DONE.includes(one.status) && (
        <ul class="fr-jobs">
          {one.jobs.map((job) => {
            const live = progress.value.get(job.id);
            const part = job.status === "Success" || job.status === "Skipped" ? 100 : (live?.percent ?? 0);
            return <li key={job.id}><span>{job.activity}</span><Bar percent={part} label={`${t("activity")} ${job.activity}`} /><Status status={job.status} /></li>;
          })}
        </ul>
      )}
      {one && one.status === "Failed" && (
        <>
          <p>{t("failed")}</p>
          {one.jobs.filter((job) => job.fault).map((job) => <p key={job.id} class="problem"><Icon name="warn" /><span>{job.activity}: {job.fault?.cause}. <span class="remedy">{job.fault?.remedy}</span></span></p>)}
        </>
      )}
      {one && one.status === "Succeed" && (
        <>
          <p>{t("ended")}</p>
          <ul class="fr-outputs">
            {one.outputs.slice(0, 12).map((output) => <li key={output.id}><Icon name="file" size={16} /><span class="mono">{output.object}</span><span class="muted nowrap">{size(output.size_bytes)}</span></li>)}
          </ul>
          <div class="row">
            <a class="button primary" href={`/media/${one.media.id}`}><Icon name="film" size={18} />{t("to_media")}</a>
            <a class="button" href={`/tasks/${one.id}`}><Icon name="tasks" size={18} />{t("to_task")}</a>
          </div>
          <p class="help">{t("next", { place: storage.location })} <a href={pageOf(storage.name)}>{storage.name}</a></p>
        </>
      )}
    </div>
  );
}
