// Short notes of what was done, at the edge of the page; a refusal stays until it is closed.
import { signal } from "@preact/signals";
import { words } from "../words.ts";
import { Icon } from "./icon.tsx";
import { told } from "./problem.tsx";

const t = words({ close: ["Close", "关闭"] });

interface Toast {
  id: number;
  text: string;
  remedy: string;
  bad: boolean;
}

const toasts = signal<Toast[]>([]);
let count = 0;

const drop = (id: number) => (toasts.value = toasts.value.filter((toast) => toast.id !== id));

function show(text: string, remedy: string, bad: boolean): void {
  count += 1;
  const id = count;
  toasts.value = [...toasts.value.slice(-3), { id, text, remedy, bad }];
  if (!bad) setTimeout(() => drop(id), 4000);
}

export const tellDone = (text: string): void => show(text, "", false);

export function tellError(error: unknown): void {
  const { text, remedy } = told(error);
  show(text, remedy, true);
}

/// Runs `deed`, and says how it ended. Answers undefined when it was refused.
export async function attempt<T>(deed: () => Promise<T>, done?: string): Promise<T | undefined> {
  try {
    const result = await deed();
    if (done) tellDone(done);
    return result;
  } catch (error) {
    tellError(error);
    return undefined;
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.id} role={toast.bad ? "alert" : undefined} class={`toast${toast.bad ? " toast-bad" : ""}`}>
          <Icon name={toast.bad ? "warn" : "check"} size={18} />
          <div><p>{toast.text}</p>{toast.remedy && <p class="remedy">{toast.remedy}</p>}</div>
          <button type="button" class="icon-button" aria-label={t("close")} onClick={() => drop(toast.id)}><Icon name="cross" size={16} /></button>
        </div>
      ))}
    </div>
  );
}
