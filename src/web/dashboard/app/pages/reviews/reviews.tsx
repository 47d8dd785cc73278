// The queue of what people are asked: looked at beside the player, decided with a key, and on to the next one.
import "../media/media.css";
import "./reviews.css";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../../parts/icon.tsx";
import { PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { usePaged, useResource } from "../../resource.ts";
import { go, path, query, setQuery } from "../../router.ts";
import { words } from "../../words.ts";
import { ReviewLine } from "./line.tsx";
import { ReviewRoom } from "./room.tsx";
import type { Review } from "./review.ts";

const t = words({
  reviews: ["Reviews", "审核"],
  queue: ["What people are asked", "审核队列"],
  status: ["Status", "状态"],
  waiting: ["Waiting", "待审核"],
  approved: ["Approved", "已通过"],
  blocked: ["Blocked", "已屏蔽"],
  expired: ["Expired", "已过期"],
  canceled: ["Withdrawn", "已撤回"],
  none: ["Nothing waits for a decision", "没有待审核的内容"],
  none_hint: ["A workflow with a review activity asks people, and so does the review button of a media.", "带有审核活动的工作流会发起审核；也可在媒资页面发起。"],
  none_past: ["None", "无"],
  pick: ["Choose one on the left.", "请在左侧选择。"],
  more: ["Show more", "显示更多"],
});

const STATUSES = ["waiting", "approved", "blocked", "expired", "canceled"] as const;

export default function ReviewsFamily() {
  const id = path.value.split("/")[2] ?? null;
  const asked = query.value.get("status");
  const status = STATUSES.find((one) => one === asked) ?? "waiting";
  const list = usePaged<Review>("reviews", { status }, { on: (event) => /^(CreateAuditComplete|WorkflowTask|MediaConvertComplete|QcComplete)/.test(event.type), every: 10_000 }, 50);
  const inList = list.items.find((one) => one.id === id);
  // What was decided just now is no longer in the queue, and is looked at all the same.
  const alone = useResource<Review>(id && !inList ? `reviews/${id}` : null);
  const review = inList ?? alone.data;
  const order = useRef<string[]>([]);
  // The order in which the queue was seen: what is decided leaves it, and the next one is still the next one.
  order.current = [...order.current, ...list.items.map((one) => one.id).filter((one) => !order.current.includes(one))];
  useEffect(() => {
    order.current = [];
  }, [status]);
  const open = (to: string | undefined, replace = false) => to && go(`/reviews/${to}${location.search}`, { replace });
  const wide = () => matchMedia("(min-width: 60rem)").matches;
  useEffect(() => {
    if (!id && list.items.length > 0 && wide()) open(list.items[0]?.id, true);
  }, [id, list.items.length === 0, status]);
  const neighbour = (step: 1 | -1) => {
    const known = list.items.map((one) => one.id);
    const at = known.indexOf(id ?? "");
    if (at >= 0) return known[at + step];
    const seen = order.current;
    const from = seen.indexOf(id ?? "");
    const behind = step > 0 ? seen.slice(from + 1) : seen.slice(0, Math.max(0, from)).reverse();
    return behind.find((one) => known.includes(one)) ?? known[0];
  };
  return (
    <div class={`reviews${id ? " reviews-one" : ""}`}>
      <PageHead title={t("reviews")} note={id ? undefined : t("queue")} />
      <div class="reviews-columns">
        <section class="reviews-queue" aria-label={t("queue")}>
          <div class="reviews-status">
            <select aria-label={t("status")} value={status} onChange={(event) => {
              const next = event.currentTarget.value;
              if (id) go(`/reviews?status=${next}`);
              else setQuery({ status: next === "waiting" ? null : next });
            }}>
              {STATUSES.map((one) => <option key={one} value={one} selected={one === status}>{t(one)}</option>)}
            </select>
          </div>
          {list.error && list.items.length === 0 ? <ErrorBox error={list.error} retry={list.refresh} /> : null}
          {list.items.length === 0 && list.loading && <Skeleton lines={6} />}
          {list.items.length === 0 && !list.loading && !list.error && <div class="empty"><Icon name="check" size={30} /><h2>{status === "waiting" ? t("none") : t("none_past")}</h2>{status === "waiting" && <p>{t("none_hint")}</p>}</div>}
          <ul>
            {list.items.map((one) => <ReviewLine key={one.id} review={one} current={one.id === id} />)}
          </ul>
          {list.more && <button type="button" class="button wide" disabled={list.loading} onClick={list.fetchMore}>{t("more")}</button>}
        </section>
        <section class="reviews-room">
          {id && alone.error && !review ? <ErrorBox error={alone.error} retry={alone.refresh} /> : null}
          {review
            ? <ReviewRoom key={review.id} review={review} next={neighbour(1)} before={neighbour(-1)} onOpen={open} onDecided={() => {
              const next = neighbour(1);
              list.refresh();
              if (next && next !== review.id) open(next);
              else alone.refresh();
            }} />
            : !id && list.items.length > 0 && <p class="muted">{t("pick")}</p>}
        </section>
      </div>
    </div>
  );
}
