// One review: the player, what is asked, and the decision; keys do all of it.
import { useEffect, useRef, useState } from "preact/hooks";
import { openDialog } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Card } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { timecode } from "../../parts/format.ts";
import { Time } from "../../parts/time.tsx";
import { query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { decide } from "../media/deciding.tsx";
import { Findings, marksOf } from "../media/findings.tsx";
import { KeyHelp } from "../media/key_help.tsx";
import { firstChoice } from "../media/playable.ts";
import { Player } from "../media/player.tsx";
import { newestReport } from "../media/quality.tsx";
import { useScreening } from "../media/screening.ts";
import { fileOf } from "../media/shapes.ts";
import { State } from "../media/state.tsx";
import type { Review } from "./review.ts";

const t = words({
  back: ["All reviews", "全部审核"],
  before: ["Previous", "上一个"],
  next: ["Next", "下一个"],
  media: ["Open the media", "打开媒资"],
  task: ["Task", "任务"],
  asked: ["asked", "发起于"],
  due: ["until", "截止"],
  then_fail: ["then it expires", "逾期作废"],
  then_approve: ["then it is approved", "逾期自动通过"],
  then_block: ["then it is blocked", "逾期自动屏蔽"],
  no_instructions: ["Nothing special is asked.", "没有特别的审核要点。"],
  reason: ["Reason", "理由"],
  comment: ["Comment", "备注"],
  approve: ["Approve", "通过"],
  block: ["Block", "屏蔽"],
  sure_approve: ["Press Enter to approve, Esc to think again.", "按回车确认通过，按 Esc 取消。"],
  sure_block: ["Press Enter to block, Esc to think again.", "按回车确认屏蔽，按 Esc 取消。"],
  keys: ["Keys", "快捷键"],
  here: ["Note the time {time}", "记下时间 {time}"],
  decided: ["Decided by {who}", "由 {who} 决定"],
  viewer: ["You may look; operators decide.", "您可以查看；由操作员作决定。"],
  found: ["Quality control", "质量检测"],
  key_next: ["Next or previous review", "下一个 / 上一个审核"],
  key_decide: ["Approve or block; Enter confirms", "通过 / 屏蔽；回车确认"],
  key_reason: ["Write a reason", "填写理由"],
  key_note: ["Note the time in the comment", "在备注中记下当前时间"],
});

type Armed = "approve" | "block" | null;

export function ReviewRoom({ review, next, before, onOpen, onDecided }: { review: Review; next?: string; before?: string; onOpen: (id: string | undefined) => void; onDecided: () => void }) {
  const screening = useScreening(review.media);
  const { media: resource, head, all } = screening;
  const media = resource.data;
  const chosen = all.find((one) => one.id === query.value.get("play")) ?? firstChoice(all);
  const report = media ? newestReport(media, screening.measured) : undefined;
  const [reason, setReason] = useState("");
  const [comment, setComment] = useState("");
  const [armed, setArmed] = useState<Armed>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLDivElement>(null);
  const open = review.status === "waiting" && isOperator.value;
  const send = async (approve: boolean) => {
    setBusy(true);
    const done = await decide(review.id, approve, { reason: reason.trim(), comment: comment.trim() });
    setBusy(false);
    setArmed(null);
    if (done) onDecided();
  };
  const note = () => setComment((text) => `${text}${text && !/\s$/.test(text) ? " " : ""}[${timecode(head.time.value, 1)}] `);
  const keys = () => void openDialog(t("keys"), () => <KeyHelp more={[[["N", "P"], t("key_next")], [["A", "B"], t("key_decide")], [["R"], t("key_reason")], [["T"], t("key_note")]]} />);
  const latest = useRef({ send, note, keys });
  latest.current = { send, note, keys };
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
      if (event.key === "Escape") {
        if (typing instanceof HTMLElement) typing.blur();
        setArmed(null);
        return;
      }
      if (typing) return;
      if (armed && event.key === "Enter") {
        event.preventDefault();
        void latest.current.send(armed === "approve");
        return;
      }
      const deeds: Record<string, () => void> = { n: () => onOpen(next), p: () => onOpen(before), "?": () => latest.current.keys() };
      if (open) {
        deeds.a = () => setArmed("approve");
        deeds.b = () => setArmed("block");
        deeds.r = () => form.current?.querySelector<HTMLElement>("[name=reason]")?.focus();
        deeds.t = () => latest.current.note();
      }
      const deed = deeds[event.key.toLowerCase()];
      if (!deed) return;
      event.preventDefault();
      deed();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [armed, open, next, before]);
  return (
    <div class="stack">
      <header class="reviews-head">
        <a class="reviews-back" href={`/reviews${location.search}`}><Icon name="back" size={17} />{t("back")}</a>
        <h2 title={review.object}>{media?.title ?? fileOf(review.object)}</h2>
        <span class="row">
          <button type="button" class="button small" disabled={!before} onClick={() => onOpen(before)}>{t("before")} <kbd>P</kbd></button>
          <button type="button" class="button small" disabled={!next} onClick={() => onOpen(next)}>{t("next")} <kbd>N</kbd></button>
          <button type="button" class="icon-button" aria-label={t("keys")} title={t("keys")} onClick={keys}><Icon name="keyboard" size={18} /></button>
        </span>
      </header>
      {resource.error && !media ? <ErrorBox error={resource.error} retry={resource.refresh} /> : null}
      {!media && !resource.error && <Skeleton lines={8} />}
      {media && <Player head={head} all={all} chosen={chosen} onChoose={(play) => setQuery({ play })} title={media.title} facts={media.facts} poster={screening.poster} cells={screening.cells} marks={marksOf(report)} captions={screening.captions} onStale={screening.refresh} />}
      <div class="reviews-below">
        <Card>
          <p class="reviews-asked">{review.instructions || <span class="muted">{t("no_instructions")}</span>}</p>
          <p class="row muted">
            <span>{t("asked")} <Time at={review.created_at} /></span>
            {review.due_at && review.status === "waiting" && <span>{t("due")} <Time at={review.due_at} />, {t(`then_${review.on_timeout}` as "then_fail")}</span>}
            <a href={`/media/${review.media}`}>{t("media")}</a>
            {review.task && <a href={`/tasks/${review.task}`}>{t("task")}: {review.workflow}</a>}
          </p>
        </Card>
        {open ? (
          <Card>
            <div class="media-decide" ref={form}>
              <TextField label={t("reason")} value={reason} onInput={setReason} maxLength={1000} name="reason" />
              <TextField label={t("comment")} value={comment} onInput={setComment} maxLength={4000} lines={2} name="comment" />
              <p><button type="button" class="link reviews-note" onClick={note}><NoteTime head={head} /></button></p>
              <div class="media-decide-buttons">
                <button type="button" class={`button media-approve${armed === "approve" ? " reviews-armed" : ""}`} disabled={busy} onClick={() => void send(true)}><Icon name="check" size={18} />{t("approve")} <kbd>A</kbd></button>
                <button type="button" class={`button danger${armed === "block" ? " reviews-armed" : ""}`} disabled={busy} onClick={() => void send(false)}><Icon name="cross" size={18} />{t("block")} <kbd>B</kbd></button>
              </div>
              <p class="reviews-sure" role="status">{armed === "approve" ? t("sure_approve") : armed === "block" ? t("sure_block") : "\u00a0"}</p>
            </div>
          </Card>
        ) : (
          <Card>
            <p class="row"><State state={review.status} />{review.auditor && <span>{t("decided", { who: review.auditor })}</span>}{review.ended_at && <span class="muted"><Time at={review.ended_at} /></span>}</p>
            {review.reason && <p>{review.reason}</p>}
            {review.comment && <p class="muted">{review.comment}</p>}
            {review.status === "waiting" && <p class="muted">{t("viewer")}</p>}
          </Card>
        )}
      </div>
      {report && <Card title={t("found")}><Findings report={report} head={head} length={screening.length} /></Card>}
    </div>
  );
}

function NoteTime({ head }: { head: { slow: { value: number } } }) {
  return <>{t("here", { time: timecode(head.slow.value, 1) })} <kbd>T</kbd></>;
}
