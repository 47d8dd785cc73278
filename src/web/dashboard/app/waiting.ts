// How much waits for a person, for the marks beside names of pages.
import { useResource } from "./resource.ts";

interface System {
  queue: { reviews_waiting: number };
}

/// Reviews that nobody has decided yet; 0 while that is not known. The daemon counts up to 1000.
export function useReviewsWaiting(): number {
  const system = useResource<System>("system", undefined, { every: 30_000, on: (event) => /^(CreateAuditComplete|WorkflowTask|MediaConvertComplete|QcComplete)/.test(event.type) });
  return system.data?.queue.reviews_waiting ?? 0;
}
