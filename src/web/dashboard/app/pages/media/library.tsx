// All media: as posters or as a list, found by words and narrowed by what they are.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Page } from "../../api.ts";
import { Icon } from "../../parts/icon.tsx";
import { PageHead } from "../../parts/page.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { size, timecode } from "../../parts/format.ts";
import { usePaged, useResource } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { Thumb } from "./card.tsx";
import { categoryChoices, editCategories } from "./categories.tsx";
import { deleteMany } from "./deleting.tsx";
import { Grid } from "./grid.tsx";
import { mainAudio, mainVideo, shownSize, type Category, type Media } from "./shapes.ts";
import { KINDS, ORIGINS, STATES, State, wordOf } from "./state.tsx";

const t = words({
  media: ["Media", "媒资"],
  search: ["Search title, key, description, tags", "搜索标题、路径、描述、标签"],
  type: ["Type", "类型"],
  any_type: ["All types", "全部类型"],
  state: ["State", "状态"],
  any_state: ["All states", "全部状态"],
  storage: ["Storage", "存储"],
  any_storage: ["All storages", "全部存储"],
  category: ["Category", "分类"],
  any_category: ["All categories", "全部分类"],
  origin: ["Origin", "来源"],
  any_origin: ["Any origin", "全部来源"],
  sort: ["Order", "排序"],
  newest: ["Newest first", "最新在前"],
  oldest: ["Oldest first", "最早在前"],
  posters: ["Posters", "海报"],
  list: ["List", "列表"],
  view: ["View", "视图"],
  tag: ["Tag: {tag}", "标签：{tag}"],
  clear: ["Clear filters", "清除筛选"],
  upload: ["Upload", "上传"],
  categories: ["Categories", "分类管理"],
  marked: ["{n} marked", "已选 {n} 个"],
  unmark: ["Unmark", "取消选择"],
  delete: ["Delete …", "删除…"],
  none: ["No media yet", "还没有媒资"],
  none_hint: ["Drop a file into a watched storage, or upload one here. It appears as soon as it has settled.", "把文件放入受监控的存储，或在此上传。文件写入稳定后即会出现。"],
  none_found: ["Nothing matches", "没有匹配的媒资"],
  none_found_hint: ["Loosen a filter or search for another word.", "请放宽筛选条件或换个关键词。"],
  title: ["Title", "标题"],
  length: ["Length", "时长"],
  picture: ["Picture", "画面"],
  sound: ["Sound", "声音"],
  bytes: ["Size", "大小"],
  created: ["Taken", "入库时间"],
  filters: ["Filters", "筛选"],
});

const FILTERS = ["search", "type", "state", "storage", "category", "origin", "tag"] as const;

export function Library() {
  const asked = query.value;
  const view = asked.get("view") === "list" ? "list" : "grid";
  const filters: Record<string, string | null> = Object.fromEntries(FILTERS.map((name) => [name, asked.get(name)]));
  const narrowed = FILTERS.some((name) => filters[name]);
  const sort = asked.get("sort") === "created_at" ? "created_at" : null;
  const list = usePaged<Media>("media", { ...filters, sort }, { on: (event) => typeof event.media === "string" && /Complete$/.test(event.type), every: 15_000 });
  const storages = useResource<Page<{ id: string; name: string }>>("storages");
  const categories = useResource<Page<Category>>("categories", { limit: 500 });
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => setMarked(new Set()), [JSON.stringify(filters), sort]);
  const mark = isOperator.value ? setMarked : undefined;
  const empty = narrowed
    ? <><h2>{t("none_found")}</h2><p>{t("none_found_hint")}</p><button type="button" class="button" onClick={clear}>{t("clear")}</button></>
    : <><h2>{t("none")}</h2><p>{t("none_hint")}</p>{isOperator.value && <a class="button primary" href="/uploads">{t("upload")}</a>}</>;
  return (
    <div class="media-library">
      <PageHead title={t("media")}>
        {isOperator.value && <button type="button" class="button" onClick={() => void editCategories(categories.refresh)}>{t("categories")}</button>}
        {isOperator.value && <a class="button primary" href="/uploads"><Icon name="upload" size={18} />{t("upload")}</a>}
      </PageHead>
      <div class="media-filters" role="search" aria-label={t("filters")}>
        <SearchBox />
        <Choose name="type" label={t("type")} any={t("any_type")} choices={KINDS.map((value) => ({ value, text: wordOf(value) }))} />
        <Choose name="state" label={t("state")} any={t("any_state")} choices={STATES.map((value) => ({ value, text: wordOf(value) }))} />
        <Choose name="storage" label={t("storage")} any={t("any_storage")} choices={(storages.data?.items ?? []).map(({ name }) => ({ value: name, text: name }))} />
        {(categories.data?.items.length ?? 0) > 0 && <Choose name="category" label={t("category")} any={t("any_category")} choices={categoryChoices(categories.data?.items ?? [])} />}
        <Choose name="origin" label={t("origin")} any={t("any_origin")} choices={ORIGINS.map((value) => ({ value, text: wordOf(value) }))} />
        <Choose name="sort" label={t("sort")} any={t("newest")} choices={[{ value: "created_at", text: t("oldest") }]} />
        {filters.tag && <button type="button" class="button small" onClick={() => setQuery({ tag: null })}>{t("tag", { tag: filters.tag })}<Icon name="cross" size={14} /></button>}
        {narrowed && <button type="button" class="link" onClick={clear}>{t("clear")}</button>}
        <div class="segments media-view" role="group" aria-label={t("view")}>
          <button type="button" aria-pressed={view === "grid"} aria-label={t("posters")} title={t("posters")} onClick={() => setQuery({ view: null })}><Icon name="grid" size={18} /></button>
          <button type="button" aria-pressed={view === "list"} aria-label={t("list")} title={t("list")} onClick={() => setQuery({ view: "list" })}><Icon name="list" size={18} /></button>
        </div>
      </div>
      {marked.size > 0 && (
        <div class="media-marked" role="status">
          <b>{t("marked", { n: marked.size })}</b>
          <button type="button" class="button small" onClick={() => setMarked(new Set())}>{t("unmark")}</button>
          <button type="button" class="button small danger" onClick={() => void deleteMany([...marked]).then((done) => {
            if (!done) return;
            setMarked(new Set());
            list.refresh();
          })}><Icon name="trash" size={16} />{t("delete")}</button>
        </div>
      )}
      {view === "grid"
        ? <Grid list={list} label={t("media")} empty={empty} marked={marked} onMark={mark} />
        : <Table label={t("media")} list={list} empty={empty} rowHeight={60} href={(media) => `/media/${media.id}`} marked={mark && marked} onMark={mark} columns={[
          { key: "thumb", title: "", width: "84px", cell: (media) => <Thumb media={media} width={80} /> },
          { key: "title", title: t("title"), width: "minmax(8rem, 3fr)", cell: (media) => <><a href={`/media/${media.id}`} title={media.object}>{media.title}</a>{media.status !== "Normal" && <> <State state={media.status} /></>}</> },
          { key: "length", title: t("length"), width: "5rem", align: "end", cell: (media) => timecode(media.facts?.duration_s) },
          { key: "picture", title: t("picture"), width: "10rem", from: 2, cell: (media) => picture(media) },
          { key: "sound", title: t("sound"), width: "9rem", from: 3, cell: (media) => sound(media) },
          { key: "size", title: t("bytes"), width: "5.5rem", align: "end", from: 2, cell: (media) => size(media.size_bytes) },
          { key: "origin", title: t("origin"), width: "9rem", from: 3, cell: (media) => wordOf(media.origin) },
          { key: "created", title: t("created"), width: "7rem", from: 2, cell: (media) => <Time at={media.created_at} /> },
        ]} />}
    </div>
  );
}

function clear(): void {
  setQuery(Object.fromEntries(FILTERS.map((name) => [name, null])));
}

function picture(media: Media): string {
  const video = mainVideo(media.facts);
  const shown = shownSize(video);
  return video && shown ? `${video.codec_name} ${shown.width}×${shown.height}` : "–";
}

function sound(media: Media): string {
  const audio = mainAudio(media.facts);
  return audio ? `${audio.codec_name} ${audio.channel_layout ?? ""}` : "–";
}

function SearchBox() {
  const kept = query.value.get("search") ?? "";
  const [text, setText] = useState(kept);
  const soon = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setText(kept), [kept]);
  return (
    <label class="media-search">
      <Icon name="search" size={17} />
      <input type="search" value={text} placeholder={t("search")} aria-label={t("search")} onInput={(event) => {
        const value = event.currentTarget.value;
        setText(value);
        clearTimeout(soon.current);
        soon.current = setTimeout(() => setQuery({ search: value.trim() || null }), 250);
      }} />
    </label>
  );
}

function Choose({ name, label, any, choices }: { name: string; label: string; any: string; choices: { value: string; text: string }[] }) {
  const value = query.value.get(name) ?? "";
  return (
    <select aria-label={label} value={value} class={value ? "media-chosen" : undefined} onChange={(event) => setQuery({ [name]: event.currentTarget.value || null })}>
      <option value="" selected={!value}>{any}</option>
      {choices.map((choice) => <option key={choice.value} value={choice.value} selected={choice.value === value}>{choice.text}</option>)}
    </select>
  );
}
