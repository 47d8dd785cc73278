// What happens in the daemon, as it happens: one stream of events for all pages, opened again by itself when it breaks.
import { effect, signal } from "@preact/signals";
import { session } from "./session.ts";

export interface Progress {
  task: string;
  job: string;
  percent: number;
  frames: number;
  fps: number;
  speed: number;
  eta_s: number | null;
  /// gpu: it was given a device; software: the processors.
  backend: "gpu" | "software";
  /// Its name.
  device: string | null;
}

export interface Happened {
  id: string;
  type: string;
  [name: string]: unknown;
}

export type Connection = "off" | "connecting" | "live" | "lost";

export const connection = signal<Connection>("off");
/// What was last told of each running job.
export const progress = signal<ReadonlyMap<string, Progress>>(new Map());

type Listener = (event: Happened) => void;
const listeners = new Set<Listener>();
let source: EventSource | null = null;
let again: ReturnType<typeof setTimeout> | undefined;

/// Calls `listener` for every event until the returned function is called.
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/// What has ended makes no progress any more: the stream says so only by its events.
function forgetEnded(event: Happened): void {
  const whole = event.type === "WorkflowTaskComplete";
  const left = [...progress.value].filter(([job, told]) => job !== event.job && !(whole && told.task === event.task));
  if (left.length !== progress.value.size) progress.value = new Map(left);
}

function open(): void {
  connection.value = "connecting";
  source = new EventSource("/api/v1/events/stream");
  source.onopen = () => (connection.value = "live");
  source.addEventListener("event", (message) => {
    const event = JSON.parse((message as MessageEvent<string>).data) as Happened;
    forgetEnded(event);
    for (const listener of listeners) listener(event);
  });
  source.addEventListener("progress", (message) => {
    const told = JSON.parse((message as MessageEvent<string>).data) as Progress;
    progress.value = new Map(progress.value).set(told.job, told);
  });
  source.onerror = () => {
    connection.value = "lost";
    // A stream that was refused stays closed by itself; one that broke comes back with its last event's id.
    if (source?.readyState === EventSource.CLOSED) {
      clearTimeout(again);
      again = setTimeout(() => session.value && (close(), open()), 3000);
    }
  };
}

function close(): void {
  clearTimeout(again);
  source?.close();
  source = null;
  connection.value = "off";
  progress.value = new Map();
}

let opened: string | null = null;
effect(() => {
  const id = session.value ? session.value.name : null;
  if (id === opened) return;
  opened = id;
  if (source) close();
  if (id !== null) open();
});
