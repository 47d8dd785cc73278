// Files on their way: dropped, chosen, paused, gone on with.
import { useEffect, useRef, useState } from "preact/hooks";
import { Bar } from "../../parts/bar.tsx";
import { confirm } from "../../parts/dialog.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Card } from "../../parts/page.tsx";
import { told } from "../../parts/problem.tsx";
import { number, size, span } from "../../parts/format.ts";
import { attempt, tellError } from "../../parts/toast.tsx";
import { words } from "../../words.ts";
import { type Dropped, readChosen, readDrop } from "./dropped.ts";
import { keyIn, PlaceFields, usePlace } from "./place.tsx";
import { active, cancel, clearEnded, giveBack, pause, recall, resume, take, type Transfer, transfers } from "./transfer.ts";

const t = words({
  drop: ["Drop files or folders here", "将文件或文件夹拖放到此处"],
  or: ["They go on where they broke off, after a lost connection and after a reload too.", "连接中断或刷新页面后可从断点继续。"],
  choose: ["Choose files", "选择文件"],
  choose_folder: ["Choose a folder", "选择文件夹"],
  where: ["Where they go", "存放位置"],
  under_way: ["On their way", "传输列表"],
  pause: ["Pause {name}", "暂停 {name}"],
  resume: ["Go on with {name}", "继续 {name}"],
  cancel: ["Cancel {name}", "取消 {name}"],
  cancel_text: ["What came of it is dropped.", "已上传的部分将被丢弃。"],
  forget: ["Take {name} off the list", "从列表移除 {name}"],
  retry: ["Try {name} again", "重试 {name}"],
  pause_all: ["Pause all", "全部暂停"],
  resume_all: ["Go on with all", "全部继续"],
  clear: ["Clear what has ended", "清除已结束"],
  queued: ["waits for its turn", "排队中"],
  sending: ["{sent} of {size}, {speed}/s, {left} left", "{sent} / {size}，{speed}/秒，剩余 {left}"],
  sending_slow: ["{sent} of {size}", "{sent} / {size}"],
  retrying: ["broke off at {sent}; it goes on by itself", "在 {sent} 处中断，将自动继续"],
  paused: ["paused at {sent} of {size}", "已暂停，{sent} / {size}"],
  lost: ["{sent} of {size} came. Give the same file again to go on.", "已上传 {sent} / {size}。请重新选择同一文件以继续。"],
  finishing: ["is being put in its place", "正在落盘"],
  done: ["arrived", "已完成"],
  failed: ["failed", "失败"],
  again: ["Choose the file", "选择文件"],
  other_file: ["That is another file: name, size and time must be the same.", "这不是同一个文件：名称、大小和修改时间必须一致。"],
  media: ["Media", "媒资"],
  task: ["Task", "任务"],
  summary: ["{n} under way, {left} to go", "{n} 个传输中，剩余 {left}"],
  progress: ["Progress of {name}", "{name} 的进度"],
});

export function Send() {
  const choice = usePlace();
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const latest = useRef(choice.place);
  latest.current = choice.place;
  useEffect(() => void recall(), []);
  const accept = (dropped: Dropped[]) => {
    const place = latest.current;
    take(dropped.map(({ file, way }) => ({ file, key: keyIn(place, way) })), { storage: place.storage, workflow: place.workflow, on_conflict: place.on_conflict, category: null });
  };
  useEffect(() => {
    // The whole page takes what is dropped; a browser would leave the page for it otherwise.
    const held = (event: DragEvent) => event.dataTransfer?.types.includes("Files");
    const enter = (event: DragEvent) => {
      if (held(event)) over();
    };
    // Not every browser says that a drag was broken off; while one goes on, it says so at least every half second.
    let still = 0;
    const over = () => {
      setOver(true);
      clearTimeout(still);
      still = window.setTimeout(() => setOver(false), 1_000);
    };
    const above = (event: DragEvent) => {
      if (!held(event)) return;
      event.preventDefault();
      over();
    };
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer || !held(event)) return;
      event.preventDefault();
      clearTimeout(still);
      setOver(false);
      void readDrop(event.dataTransfer).then(accept, tellError);
    };
    const all: [string, (event: DragEvent) => void][] = [["dragenter", enter], ["dragover", above], ["drop", drop]];
    for (const [name, deed] of all) addEventListener(name as "drop", deed);
    return () => {
      clearTimeout(still);
      for (const [name, deed] of all) removeEventListener(name as "drop", deed);
    };
  }, []);
  return (
    <div class="stack">
      <div class={`uploads-drop${over ? " uploads-over" : ""}`}>
        <Icon name="upload" size={34} />
        <h2>{t("drop")}</h2>
        <p class="muted">{t("or")}</p>
        <p class="row">
          <button type="button" class="button primary" onClick={() => files.current?.click()}>{t("choose")}</button>
          <button type="button" class="button" onClick={() => folder.current?.click()}>{t("choose_folder")}</button>
        </p>
        <input ref={files} type="file" multiple hidden aria-label={t("choose")} data-files onChange={(event) => {
          accept(readChosen(event.currentTarget.files ?? new DataTransfer().files));
          event.currentTarget.value = "";
        }} />
        <input ref={folder} type="file" multiple hidden aria-label={t("choose_folder")} {...{ webkitdirectory: true }} onChange={(event) => {
          accept(readChosen(event.currentTarget.files ?? new DataTransfer().files));
          event.currentTarget.value = "";
        }} />
      </div>
      <Card title={t("where")}><PlaceFields {...choice} /></Card>
      {transfers.value.length > 0 && <List />}
    </div>
  );
}

function List() {
  const all = transfers.value;
  const moving = all.filter((one) => ["queued", "sending", "retrying"].includes(one.state));
  const paused = all.filter((one) => one.state === "paused");
  const left = moving.reduce((sum, one) => sum + one.size - one.sent, 0);
  return (
    <Card title={t("under_way")} deeds={(
      <>
        {active.value > 0 && <span class="muted" role="status">{t("summary", { n: number(active.value), left: size(left) })}</span>}
        {moving.length > 0 && <button type="button" class="button small" onClick={() => moving.forEach((one) => pause(one.key))}>{t("pause_all")}</button>}
        {paused.length > 0 && <button type="button" class="button small" onClick={() => paused.forEach((one) => resume(one.key))}>{t("resume_all")}</button>}
        {all.some((one) => one.state === "done" || one.state === "failed") && <button type="button" class="button small ghost" onClick={clearEnded}>{t("clear")}</button>}
      </>
    )}>
      <ul class="uploads-list">{all.map((one) => <Line key={one.key} one={one} />)}</ul>
    </Card>
  );
}

const TONES: Record<string, string> = { done: "good", failed: "bad", paused: "idle", lost: "wait", retrying: "wait" };

function Line({ one }: { one: Transfer }) {
  const input = useRef<HTMLInputElement>(null);
  const share = one.size > 0 ? (one.sent / one.size) * 100 : one.state === "done" ? 100 : 0;
  const values = { sent: size(one.sent), size: size(one.size), speed: size(one.speed), left: span((one.size - one.sent) / (one.speed || 1)) };
  const says = one.state === "sending" ? t(one.speed > 0 ? "sending" : "sending_slow", values) : t(one.state, values);
  const why = one.error && (one.state === "failed" || one.state === "retrying") ? told(one.error) : null;
  const place = one.upload?.object ?? `${one.wish.storage ?? ""}:${one.wish.key ?? one.name}`;
  const press = (icon: "pause" | "play" | "cross" | "refresh", label: string, act: () => void) => <button type="button" class="icon-button" aria-label={label} title={label} onClick={act}><Icon name={icon} size={18} /></button>;
  const ended = one.state === "done" || one.state === "failed";
  return (
    <li class={`uploads-line tone-${TONES[one.state] ?? "run"}`} data-state={one.state}>
      <div class="uploads-what">
        <b title={one.name}>{one.name}</b>
        <span class="mono muted" title={place}>{place}</span>
      </div>
      <div class="uploads-how">
        <Bar percent={one.state === "done" ? 100 : share} label={t("progress", { name: one.name })} tone={TONES[one.state] ?? "run"} />
        <p>
          <span class="uploads-says">{says}</span>
          {one.upload?.media && <a href={`/media/${one.upload.media}`}>{t("media")}</a>}
          {one.upload?.tasks.map((task) => <a key={task} href={`/tasks/${task}`}>{t("task")}</a>)}
        </p>
        {why && <p class="uploads-why">{why.text} {why.remedy}</p>}
        {one.upload?.not_started && <p class="uploads-why">{one.upload.not_started.cause}. {one.upload.not_started.remedy}</p>}
      </div>
      <div class="uploads-deeds">
        {one.state === "lost" && (
          <>
            <button type="button" class="button small" onClick={() => input.current?.click()}>{t("again")}</button>
            <input ref={input} type="file" hidden aria-label={t("again")} onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              if (file && !giveBack(one.key, file)) tellError(new Error(t("other_file")));
              event.currentTarget.value = "";
            }} />
          </>
        )}
        {["queued", "sending", "retrying"].includes(one.state) && press("pause", t("pause", { name: one.name }), () => pause(one.key))}
        {one.state === "paused" && press("play", t("resume", { name: one.name }), () => resume(one.key))}
        {one.state === "failed" && one.file && press("refresh", t("retry", { name: one.name }), () => resume(one.key))}
        {ended
          ? press("cross", t("forget", { name: one.name }), () => void attempt(() => cancel(one.key)))
          : press("cross", t("cancel", { name: one.name }), () => void confirm(t("cancel", { name: one.name }), t("cancel_text"), undefined, { danger: true }).then((yes) => yes && void attempt(() => cancel(one.key))))}
      </div>
    </li>
  );
}
