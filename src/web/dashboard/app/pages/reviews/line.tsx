// One review in the queue: its picture, what it is about, until when.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../parts/icon.tsx";
import { Time } from "../../parts/time.tsx";
import { query } from "../../router.ts";
import { words } from "../../words.ts";
import { picturesOf } from "../media/pictures.ts";
import { fileOf } from "../media/shapes.ts";
import { State } from "../media/state.tsx";
import type { Review } from "./review.ts";

const t = words({ due: ["until", "截止"], outside: ["asked by hand", "手动发起"] });

export function ReviewLine({ review, current }: { review: Review; current: boolean }) {
  const [poster, setPoster] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    void picturesOf(review.media, review.id).then((all) => wanted && setPoster(all.poster), () => null);
    return () => {
      wanted = false;
    };
  }, [review.media]);
  const search = query.value.toString();
  return (
    <li>
      <a class="reviews-line" href={`/reviews/${review.id}${search ? `?${search}` : ""}`} aria-current={current ? "true" : undefined}>
        <span class="reviews-thumb">{poster ? <img src={poster} alt="" loading="lazy" /> : <Icon name="film" size={22} />}</span>
        <span class="reviews-text">
          <b title={review.object}>{review.title || fileOf(review.object)}</b>
          <small>{review.workflow ?? t("outside")}</small>
          <small>{review.status === "waiting" ? (review.due_at ? <>{t("due")} <Time at={review.due_at} /></> : <Time at={review.created_at} />) : <><State state={review.status} /> {review.auditor}</>}</small>
        </span>
      </a>
    </li>
  );
}
