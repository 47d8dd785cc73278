// The pictures of a media: cover, stills, animated preview, and every cell of its sprite with its time.
import { useEffect, useState } from "preact/hooks";
import { get, type Page } from "../../api.ts";
import { Card } from "../../parts/page.tsx";
import { Icon } from "../../parts/icon.tsx";
import { timecode } from "../../parts/format.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { CellPicture } from "./cell.tsx";
import { setCover } from "./describing.tsx";
import { fileOf, here, type MediaDetail, type Output, pictureHere } from "./shapes.ts";
import type { Cell } from "./sprite.ts";

const t = words({
  cover: ["Cover", "封面"],
  stills: ["Stills", "截图"],
  preview: ["Animated preview", "动态预览"],
  sprite: ["Sprite sheet, {n} pictures", "雪碧图，共 {n} 幅"],
  none: ["No pictures yet. A workflow with a snapshot, cover or dynamic_image activity makes them.", "还没有图片。带有截图、封面或动图活动的工作流会生成图片。"],
  use: ["Use as cover", "设为封面"],
  drop: ["No cover", "取消封面"],
  outside: ["The cover lies at another host, of which this page asks nothing:", "封面在其他主机上，本页面不会加载："],
  more: ["Show all {n}", "显示全部 {n} 幅"],
  go: ["Go to {time}", "跳到 {time}"],
  is_cover: ["is the cover", "当前封面"],
});

interface OutputFile {
  number: number;
  object: string;
}

const SHOWN = 60;

export function Gallery({ media, cells, onSeek, onChange }: { media: MediaDetail; cells: readonly Cell[]; onSeek: (to_s: number) => void; onChange: () => void }) {
  const stills = media.outputs.filter((output) => output.kind === "stills" && output.url);
  const previews = media.outputs.filter((output) => output.kind === "animation" && output.url);
  const cover = pictureHere(media.cover_url);
  const [all, setAll] = useState(false);
  if (!media.cover && stills.length + previews.length + cells.length === 0) return <p class="muted">{t("none")}</p>;
  const drop = isOperator.value && <button type="button" class="button small ghost" onClick={() => void setCover(media, null).then((done) => done && onChange())}>{t("drop")}</button>;
  return (
    <div class="stack">
      {media.cover && <Card title={t("cover")} deeds={drop}>{cover ? <img class="media-picture" src={cover} alt={t("cover")} /> : <p>{t("outside")} <code>{media.cover}</code></p>}</Card>}
      {previews.map((output) => <Card key={output.id} title={`${t("preview")} · ${output.name}`}><img class="media-picture" src={here(output.url ?? "")} alt={t("preview")} loading="lazy" /></Card>)}
      {stills.length > 0 && <Card title={t("stills")}><div class="media-pictures">{stills.map((output) => <Stills key={output.id} media={media} output={output} onChange={onChange} />)}</div></Card>}
      {cells.length > 0 && (
        <Card title={t("sprite", { n: cells.length })} deeds={cells.length > SHOWN && !all && <button type="button" class="button small" onClick={() => setAll(true)}>{t("more", { n: cells.length })}</button>}>
          <div class="media-cells">
            {(all ? cells : cells.slice(0, SHOWN)).map((cell) => (
              <button type="button" key={`${cell.sheet}${cell.x},${cell.y}`} aria-label={t("go", { time: timecode(cell.from_s, 1) })} onClick={() => onSeek(cell.from_s)}>
                <CellPicture cell={cell} width={144} label={timecode(cell.from_s, 1)} />
                <span>{timecode(cell.from_s, 1)}</span>
              </button>
            ))}
          </div>
        </Card>
      )}
    </div>
  );
}

/// The pictures of one output; of several the others stand beside the first under the same link.
function Stills({ media, output, onChange }: { media: MediaDetail; output: Output; onChange: () => void }) {
  const [files, setFiles] = useState<string[]>([output.object]);
  useEffect(() => {
    if (output.file_count <= 1) return;
    let gone = false;
    void get<Page<OutputFile>>(`outputs/${output.id}/files`, { limit: 200 }).then((page) => {
      const pictures = page.items.map((file) => file.object).filter((object) => /\.(jpe?g|png|webp)$/i.test(object));
      if (!gone && pictures.length > 0) setFiles(pictures.sort());
    }, () => null);
    return () => {
      gone = true;
    };
  }, [output.id]);
  const first = here(output.url ?? "");
  return (
    <>
      {files.map((object) => {
        const address = object === output.object ? first : first.replace(/[^/]*$/, encodeURIComponent(fileOf(object)));
        const isCover = media.cover === object;
        return (
          <figure key={object}>
            <a href={address} target="_blank" rel="noopener"><img src={address} alt={fileOf(object)} loading="lazy" /></a>
            <figcaption>
              <span title={object}>{fileOf(object)}</span>
              {isCover ? <span class="muted"><Icon name="check" size={14} /> {t("is_cover")}</span> : isOperator.value && <button type="button" class="link" onClick={() => void setCover(media, object).then((done) => done && onChange())}>{t("use")}</button>}
            </figcaption>
          </figure>
        );
      })}
    </>
  );
}
