// What a person decides about a media: approve it or block it, with a reason and a comment; or ask others to.
import { useState } from "preact/hooks";
import { post } from "../../api.ts";
import { openDialog } from "../../parts/dialog.tsx";
import { NumberField, SelectField, TextField } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Time } from "../../parts/time.tsx";
import { attempt } from "../../parts/toast.tsx";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import type { ReviewBrief } from "./shapes.ts";
import { State } from "./state.tsx";

const t = words({
  reason: ["Reason", "理由"],
  comment: ["Comment", "备注"],
  approve: ["Approve", "通过"],
  block: ["Block", "屏蔽"],
  approved: ["Approved.", "已通过。"],
  blocked: ["Blocked.", "已屏蔽。"],
  withdraw: ["Withdraw", "撤回"],
  withdrawn: ["The question was withdrawn.", "已撤回审核请求。"],
  ask: ["Ask for a review", "发起审核"],
  ask_deed: ["Ask", "发起"],
  asked: ["The review was asked for.", "已发起审核。"],
  instructions: ["What to look at", "审核要点"],
  hours: ["Time to decide", "审核时限"],
  hours_help: ["Empty: as long as they like.", "留空表示不限时。"],
  on_timeout: ["When the time is over", "超时后"],
  fail: ["It expires without a decision", "过期，不作决定"],
  approve_then: ["It is approved", "自动通过"],
  block_then: ["It is blocked", "自动屏蔽"],
  cancel: ["Cancel", "取消"],
  by: ["by {who}", "由 {who}"],
  waits: ["waits for a decision", "等待审核"],
  none: ["Nobody was asked about this media.", "尚未发起过审核。"],
});

export interface Decision {
  reason: string;
  comment: string;
}

/// Decides a review. Answers whether it was taken.
export async function decide(id: string, approve: boolean, decision: Decision): Promise<boolean> {
  const done = await attempt(() => post(`reviews/${id}/${approve ? "approve" : "block"}`, decision), approve ? t("approved") : t("blocked"));
  return done !== undefined;
}

/// The form with which a waiting review is decided.
export function Decide({ id, onDone }: { id: string; onDone: (approved: boolean) => void }) {
  const [reason, setReason] = useState("");
  const [comment, setComment] = useState("");
  const [busy, setBusy] = useState(false);
  const press = async (approve: boolean) => {
    setBusy(true);
    const done = await decide(id, approve, { reason: reason.trim(), comment: comment.trim() });
    setBusy(false);
    if (done) onDone(approve);
  };
  return (
    <div class="media-decide">
      <TextField label={t("reason")} value={reason} onInput={setReason} maxLength={1000} name="reason" />
      <TextField label={t("comment")} value={comment} onInput={setComment} maxLength={4000} lines={2} name="comment" />
      <div class="media-decide-buttons">
        <button type="button" class="button media-approve" disabled={busy} onClick={() => void press(true)}><Icon name="check" size={18} />{t("approve")}</button>
        <button type="button" class="button danger" disabled={busy} onClick={() => void press(false)}><Icon name="cross" size={18} />{t("block")}</button>
      </div>
    </div>
  );
}

export function Reviews({ media, reviews, onChange }: { media: string; reviews: ReviewBrief[]; onChange: () => void }) {
  const open = reviews.filter((review) => review.status === "waiting");
  const past = reviews.filter((review) => review.status !== "waiting");
  return (
    <div class="stack">
      {reviews.length === 0 && <p class="muted">{t("none")}</p>}
      {open.map((review) => (
        <div key={review.id} class="media-review">
          <p class="row"><State state="waiting" /><span class="muted"><Time at={review.created_at} /></span><a href={`/reviews/${review.id}`}>{t("waits")}</a></p>
          {isOperator.value && <Decide id={review.id} onDone={onChange} />}
          {isOperator.value && review.task === null && <button type="button" class="button small ghost" onClick={() => void attempt(() => post(`reviews/${review.id}/cancel`), t("withdrawn")).then((done) => done !== undefined && onChange())}>{t("withdraw")}</button>}
        </div>
      ))}
      {past.length > 0 && (
        <ul class="media-past">
          {past.map((review) => (
            <li key={review.id}>
              <p class="row"><State state={review.status} />{review.auditor && <span>{t("by", { who: review.auditor })}</span>}<span class="muted"><Time at={review.ended_at ?? review.created_at} /></span></p>
              {review.reason && <p>{review.reason}</p>}
              {review.comment && <p class="muted">{review.comment}</p>}
            </li>
          ))}
        </ul>
      )}
      {isOperator.value && open.length === 0 && <p><button type="button" class="button small" onClick={() => void askForReview(media).then((done) => done && onChange())}><Icon name="eye" size={16} />{t("ask")}</button></p>}
    </div>
  );
}

async function askForReview(media: string): Promise<boolean> {
  const wanted = await openDialog<{ instructions: string; timeout_s: number | null; on_timeout: string }>(t("ask"), (close) => <AskForm close={close} />);
  if (!wanted) return false;
  return (await attempt(() => post(`media/${media}/reviews`, wanted), t("asked"))) !== undefined;
}

function AskForm({ close }: { close: (wanted?: { instructions: string; timeout_s: number | null; on_timeout: string }) => void }) {
  const [instructions, setInstructions] = useState("");
  const [hours, setHours] = useState<number | null>(null);
  const [then, setThen] = useState("fail");
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      close({ instructions, timeout_s: hours === null ? null : Math.round(hours * 3600), on_timeout: then });
    }}>
      <TextField label={t("instructions")} value={instructions} onInput={setInstructions} lines={3} autofocus />
      <NumberField label={t("hours")} value={hours} onInput={setHours} min={0.02} max={8760} unit="h" help={t("hours_help")} />
      {hours !== null && <SelectField label={t("on_timeout")} value={then} onInput={setThen} choices={[{ value: "fail", text: t("fail") }, { value: "approve", text: t("approve_then") }, { value: "block", text: t("block_then") }]} />}
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => close()}>{t("cancel")}</button>
        <button type="submit" class="button primary">{t("ask_deed")}</button>
      </div>
    </form>
  );
}
