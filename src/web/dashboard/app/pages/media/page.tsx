// One media: played, looked at, judged, described; and all that was made of it.
import { useEffect } from "preact/hooks";
import type { Page } from "../../api.ts";
import { Copy } from "../../parts/copy.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Menu } from "../../parts/menu.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Status } from "../../parts/status.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Time } from "../../parts/time.tsx";
import { between, number, size, span, timecode } from "../../parts/format.ts";
import { useResource } from "../../resource.ts";
import { useSettled } from "../storages/settled.ts";
import { go, query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { deleteOne } from "./deleting.tsx";
import { Reviews } from "./deciding.tsx";
import { describeMedia } from "./describing.tsx";
import { FactSheet } from "./facts.tsx";
import { Files } from "./files.tsx";
import { marksOf } from "./findings.tsx";
import { Gallery } from "./gallery.tsx";
import { firstChoice } from "./playable.ts";
import { Player } from "./player.tsx";
import { Gaps, membersLine } from "./members.tsx";
import { newestReport, QualityPanel } from "./quality.tsx";
import { useScreening } from "./screening.ts";
import { type Category, mainVideo, type MediaDetail, type Said, shownSize } from "./shapes.ts";
import { startOn } from "./starting.tsx";
import { State, wordOf } from "./state.tsx";

const t = words({
  media: ["Media", "媒资"],
  edit: ["Edit", "编辑"],
  start: ["Start a workflow", "运行工作流"],
  delete: ["Delete …", "删除…"],
  more: ["More", "更多"],
  deleting: ["It is being deleted ({what}).", "正在删除（{what}）。"],
  views: ["About this media", "媒资详情"],
  facts: ["Facts", "媒体信息"],
  quality: ["Quality", "质量"],
  pictures: ["Pictures", "图片"],
  files: ["Files", "文件"],
  tasks: ["Tasks", "任务"],
  review: ["Review", "审核"],
  about: ["About", "概要"],
  state: ["State", "状态"],
  object: ["Source", "源文件"],
  origin: ["Origin", "来源"],
  settled: ["File settled", "文件稳定时间"],
  settled_why: ["Why it was triggered", "触发详情"],
  members: ["Consists of", "组成"],
  taken: ["Taken", "入库时间"],
  changed: ["Changed", "修改时间"],
  length: ["Length", "时长"],
  bytes: ["Size", "大小"],
  picture: ["Picture", "画面"],
  category: ["Category", "分类"],
  tags: ["Tags", "标签"],
  description: ["Description", "描述"],
  user_data: ["User data", "用户数据"],
  id: ["Id", "ID"],
  unreadable: ["It could not be read", "无法读取"],
  no_tasks: ["No task ran on it.", "没有运行过任务。"],
  opinions: ["What was said of it", "意见"],
  took: ["took {time}", "耗时 {time}"],
  run: ["run {n}", "第 {n} 次运行"],
});

export function MediaPage({ id }: { id: string }) {
  const screening = useScreening(id);
  const categories = useResource<Page<Category>>("categories", { limit: 500 });
  const { media: resource, head, all } = screening;
  const media = resource.data;
  const start = Number(query.value.get("t") ?? 0);
  useEffect(() => {
    if (start > 0) head.seek(start);
  }, [head]);
  if (!media) return resource.error ? <><PageHead title={t("media")} crumbs={[{ text: t("media"), href: "/media" }]} /><ErrorBox error={resource.error} retry={resource.refresh} /></> : <Skeleton lines={10} />;
  const chosen = all.find((one) => one.id === query.value.get("play")) ?? firstChoice(all);
  const report = newestReport(media, screening.measured);
  const change = screening.refresh;
  const playable = media.type !== "image" && media.type !== "text";
  const still = media.type === "image" && screening.source;
  return (
    <div class="media-page">
      <PageHead title={media.title} crumbs={[{ text: t("media"), href: "/media" }]} note={<span class="row"><State state={media.status} /><span class="mono media-object">{media.object}</span></span>}>
        {isOperator.value && media.status !== "Deleted" && (
          <>
            <button type="button" class="button" onClick={() => void describeMedia(media).then((done) => done && change())}><Icon name="edit" size={17} />{t("edit")}</button>
            <button type="button" class="button primary" onClick={() => void startOn(media)}><Icon name="play" size={17} />{t("start")}</button>
            <Menu label={t("more")} icon="more" items={[{ text: t("delete"), icon: "trash", danger: true, act: () => void deleteOne(media.id, media.title).then((what) => {
              if (what === "all" || what === "media") go("/media");
              else if (what) change();
            }) }]} />
          </>
        )}
      </PageHead>
      {media.deleting && <p class="media-note tone-wait">{t("deleting", { what: media.deleting })}</p>}
      {media.fault && <div class="problem" role="alert"><Icon name="warn" /><div><p><b>{t("unreadable")}:</b> {media.fault.cause}</p><p class="remedy">{media.fault.remedy}</p></div></div>}
      <div class="media-columns">
        <div class="media-main">
          {still
            ? <div class="media-player"><a href={still} target="_blank" rel="noopener"><img class="media-still" src={still} alt={media.title} /></a></div>
            : playable && <Player key={media.id} head={head} all={all} chosen={chosen} onChoose={(play) => setQuery({ play })} title={media.title} facts={media.facts} poster={screening.poster} cells={screening.cells} marks={marksOf(report)} captions={screening.captions} start_s={start} onStale={change} />}
          <Tabs label={t("views")} tabs={[
            { key: "quality", title: t("quality"), body: () => <QualityPanel media={media} measured={screening.measured} head={head} length={screening.length} /> },
            { key: "facts", title: t("facts"), body: () => <FactSheet facts={media.facts} onSeek={head.seek} /> },
            { key: "pictures", title: t("pictures"), body: () => <Gallery media={media} cells={screening.cells} onSeek={head.seek} onChange={change} /> },
            { key: "files", title: `${t("files")} (${number(media.outputs.length + media.attachments.length + media.renditions.length + 1)})`, body: () => <Files media={media} source={screening.source} onChange={change} /> },
            { key: "tasks", title: `${t("tasks")} (${number(media.tasks.length)})`, body: () => <Tasks media={media} /> },
          ]} />
        </div>
        <aside class="media-side stack">
          <Card title={t("review")}><Reviews media={media.id} reviews={media.reviews} onChange={change} /></Card>
          {media.opinions.some((one) => one.kind !== "review") && <Card title={t("opinions")}><Opinions said={media.opinions.filter((one) => one.kind !== "review")} /></Card>}
          <Card title={t("about")}><About media={media} categories={categories.data?.items ?? []} /></Card>
        </aside>
      </div>
    </div>
  );
}

function About({ media, categories }: { media: MediaDetail; categories: Category[] }) {
  const settled = useSettled(media.origin === "arrival" && media.status !== "Deleted" ? media.object : null);
  const video = mainVideo(media.facts);
  const shown = shownSize(video);
  const path = (id: string | null): string => {
    const found = categories.find((one) => one.id === id);
    return found ? `${found.parent ? `${path(found.parent)} / ` : ""}${found.name}` : "";
  };
  return (
    <>
      {media.parts && <Gaps members={media.parts} />}
      {media.description && <p class="media-description">{media.description}</p>}
      {media.tags.length > 0 && <p class="row media-tags">{media.tags.map((tag) => <a key={tag} class="badge tone-idle" href={`/media?tag=${encodeURIComponent(tag)}`}>{tag}</a>)}</p>}
      <Facts rows={[
        !!media.facts?.duration_s && [t("length"), timecode(media.facts.duration_s, 2)],
        !!shown && [t("picture"), `${shown.width}×${shown.height} ${video?.codec_name ?? ""}`],
        [t("bytes"), size(media.size_bytes)],
        media.parts !== null && [t("members"), membersLine(media.parts)],
        media.category !== null && [t("category"), <a href={`/media?category=${media.category}`}>{path(media.category) || media.category}</a>],
        [t("origin"), wordOf(media.origin)],
        settled !== null && [t("settled"), <a href={settled.href} title={t("settled_why")}><Time at={settled.at} /></a>],
        [t("taken"), <Time at={media.created_at} />],
        [t("changed"), <Time at={media.modified_at} />],
        !!media.user_data && [t("user_data"), <code>{media.user_data}</code>],
        [t("id"), <Copy text={media.id} shown={`${media.id.slice(0, 10)}…`} />],
      ]} />
    </>
  );
}

function Opinions({ said }: { said: Said[] }) {
  return (
    <ul class="media-past">
      {said.map((one) => {
        const opinion = one.said as { verdict?: string; summary?: string; by?: string; labels?: (string | { name?: string })[] };
        return (
          <li key={`${one.job}${one.activity}`}>
            <p class="row"><b>{one.activity}</b>{opinion.verdict && <span>{opinion.verdict}</span>}<span class="muted">{opinion.by} <Time at={one.at} /></span></p>
            {opinion.summary && <p>{opinion.summary}</p>}
            {opinion.labels && <p class="muted">{opinion.labels.map((label) => (typeof label === "string" ? label : (label.name ?? ""))).join(", ")}</p>}
          </li>
        );
      })}
    </ul>
  );
}

function Tasks({ media }: { media: MediaDetail }) {
  if (media.tasks.length === 0) return <p class="muted">{t("no_tasks")}</p>;
  return (
    <ul class="media-tasks">
      {media.tasks.map((task) => {
        const took = task.ended_at ? between(task.started_at, task.ended_at) : null;
        return (
          <li key={task.id}>
            <Status status={task.status} />
            <a href={`/tasks/${task.id}`}>{task.workflow.name}</a>
            <span class="muted">{task.runs > 1 && `${t("run", { n: task.runs })}, `}{took !== null && t("took", { time: span(took) })}</span>
            <span class="muted"><Time at={task.created_at} /></span>
          </li>
        );
      })}
    </ul>
  );
}
