// Files on their way to the daemon: some at once, each by ranged PUTs that go on where they broke off. What is under way
// is remembered in this browser, so that after a reload the same file, given again, goes on too.
import { computed, signal } from "@preact/signals";
import { call, get, Refused, remove, type Problem } from "../../api.ts";
import { csrf } from "../../session.ts";

export interface Wish {
  storage: string | null;
  key: string | null;
  workflow: string | null;
  on_conflict: string | null;
  category: string | null;
}

export interface UploadView {
  id: string;
  created_at: string;
  status: string;
  object: string;
  size_bytes: number | null;
  offset: number;
  role: string;
  workflow: string | null;
  who: string;
  expires_at: string | null;
  ended_at: string | null;
  fault: { cause: string; remedy: string } | null;
  media: string | null;
  addition: string | null;
  tasks: string[];
  not_started: { cause: string; remedy: string } | null;
}

/// lost: begun before this page was loaded, and waits for its file. retrying: broke off, goes on by itself.
export type State = "queued" | "sending" | "retrying" | "paused" | "lost" | "finishing" | "done" | "failed";

export interface Transfer {
  key: string;
  name: string;
  size: number;
  modified: number;
  wish: Wish;
  file: File | null;
  upload: UploadView | null;
  state: State;
  sent: number;
  /// Bytes a second, of the last seconds.
  speed: number;
  error: unknown;
}

interface Remembered {
  id: string;
  name: string;
  size: number;
  modified: number;
  wish: Wish;
}

const KEPT = "reelmill-uploads";
const AT_ONCE = 3;
const PIECE_BYTES = 64 << 20;
const LONGEST_WAIT_MS = 30_000;

export const transfers = signal<readonly Transfer[]>([]);
export const active = computed(() => transfers.value.filter((one) => ["queued", "sending", "retrying", "finishing"].includes(one.state)).length);

const requests = new Map<string, XMLHttpRequest>();
const waits = new Map<string, ReturnType<typeof setTimeout>>();
let count = 0;

const find = (key: string): Transfer | undefined => transfers.value.find((one) => one.key === key);

function change(key: string, changes: Partial<Transfer>): void {
  transfers.value = transfers.value.map((one) => (one.key === key ? { ...one, ...changes } : one));
}

function remembered(): Remembered[] {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]") as Remembered[];
  } catch {
    return [];
  }
}

function remember(): void {
  const open = transfers.value.filter((one) => one.upload && !["done", "failed"].includes(one.state));
  localStorage.setItem(KEPT, JSON.stringify(open.map((one): Remembered => ({ id: one.upload?.id ?? "", name: one.name, size: one.size, modified: one.modified, wish: one.wish }))));
}

let recalled = false;

/// Finds again what was under way when the page was left.
export async function recall(): Promise<void> {
  if (recalled) return;
  recalled = true;
  for (const one of remembered()) {
    if (transfers.value.some((other) => other.upload?.id === one.id)) continue;
    const upload = await get<UploadView>(`uploads/${one.id}`).catch(() => null);
    if (!upload || upload.status !== "Waiting") continue;
    count += 1;
    transfers.value = [...transfers.value, { key: `t${count}`, name: one.name, size: one.size, modified: one.modified, wish: one.wish, file: null, upload, state: "lost", sent: upload.offset, speed: 0, error: null }];
  }
  remember();
}

/// Whether a file is the one that an interrupted upload waits for.
const same = (one: Transfer, file: File): boolean => one.state === "lost" && one.name === file.name && one.size === file.size && one.modified === file.lastModified;

/// Takes files; those that an interrupted upload waits for go on with it.
export function take(files: { file: File; key: string | null }[], wish: Omit<Wish, "key">): void {
  for (const { file, key } of files) {
    const waiting = transfers.value.find((one) => same(one, file));
    if (waiting) {
      change(waiting.key, { file, state: "queued", error: null });
      continue;
    }
    count += 1;
    transfers.value = [...transfers.value, { key: `t${count}`, name: file.name, size: file.size, modified: file.lastModified, wish: { ...wish, key }, file, upload: null, state: "queued", sent: 0, speed: 0, error: null }];
  }
  next();
}

/// Gives an interrupted upload its file again. Answers whether it is that file.
export function giveBack(key: string, file: File): boolean {
  const one = find(key);
  if (!one || !same(one, file)) return false;
  change(key, { file, state: "queued", error: null });
  next();
  return true;
}

export function pause(key: string): void {
  stop(key);
  change(key, { state: "paused", speed: 0 });
  next();
}

export function resume(key: string): void {
  const one = find(key);
  if (!one?.file) return;
  change(key, { state: "queued", error: null });
  next();
}

/// Ends an upload; the daemon drops what came of it.
export async function cancel(key: string): Promise<void> {
  const one = find(key);
  stop(key);
  transfers.value = transfers.value.filter((other) => other.key !== key);
  remember();
  next();
  if (one?.upload && one.state !== "done") await remove(`uploads/${one.upload.id}`).catch((error: unknown) => {
    // What is gone already is what was wanted.
    if (!(error instanceof Refused) || ![404, 410].includes(error.problem.status)) throw error;
  });
}

export function clearEnded(): void {
  transfers.value = transfers.value.filter((one) => one.state !== "done" && one.state !== "failed");
}

function stop(key: string): void {
  clearTimeout(waits.get(key));
  waits.delete(key);
  const request = requests.get(key);
  requests.delete(key);
  request?.abort();
}

function next(): void {
  const running = transfers.value.filter((one) => ["sending", "finishing", "retrying"].includes(one.state)).length;
  for (const one of transfers.value.filter((waiting) => waiting.state === "queued").slice(0, Math.max(0, AT_ONCE - running))) {
    change(one.key, { state: "sending" });
    void carry(one.key);
  }
}

async function carry(key: string): Promise<void> {
  let tries = 0;
  for (;;) {
    const one = find(key);
    if (!one?.file || one.state === "paused") return;
    try {
      const ended = await once(key, one);
      if (ended === null) return;
      change(key, { state: "done", upload: ended, sent: one.size, speed: 0 });
      break;
    } catch (error) {
      const now = find(key);
      if (!now || now.state === "paused") return;
      const status = error instanceof Refused ? error.problem.status : 0;
      // 409: another offset, 423: an earlier request of ours is still being ended, 5xx and none: the way is broken.
      if (status !== 0 && status !== 409 && status !== 423 && status < 500 || status === 507) {
        change(key, { state: "failed", error, speed: 0 });
        break;
      }
      tries = now.sent > one.sent ? 1 : tries + 1;
      change(key, { state: "retrying", error, speed: 0 });
      const again = await new Promise<boolean>((go) => {
        waits.set(key, setTimeout(() => go(true), status === 423 ? 500 : Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (tries - 1))));
      });
      if (!again || find(key)?.state !== "retrying") return;
      change(key, { state: "sending" });
    }
  }
  remember();
  next();
}

/// Sends until the file is whole, or throws. null: it was paused or cancelled.
async function once(key: string, one: Transfer): Promise<UploadView | null> {
  const file = one.file as File;
  let upload = one.upload;
  if (upload) {
    upload = await get<UploadView>(`uploads/${upload.id}`);
    if (upload.status === "Canceled" || upload.status === "Fail") throw new Refused({ status: 410, detail: upload.fault?.cause ?? "the upload has ended", remedy: upload.fault?.remedy ?? "Begin a new one." });
  } else {
    const { wish } = one;
    upload = await call<UploadView>("uploads", { json: { storage: wish.storage ?? undefined, key: wish.key ?? undefined, workflow: wish.workflow ?? undefined, on_conflict: wish.on_conflict ?? undefined, category: wish.category ?? undefined, file_name: file.name, size_bytes: file.size } });
  }
  change(key, { upload, sent: upload.offset, error: null });
  remember();
  while (upload.status === "Waiting" && upload.offset < file.size) {
    if (find(key)?.state === "paused" || !find(key)) return null;
    const sent: UploadView | null = await piece(key, upload, file);
    if (sent === null) return null;
    upload = sent;
    change(key, { upload, sent: upload.offset });
  }
  if (upload.status === "Fail") throw new Refused({ status: 422, detail: upload.fault?.cause ?? "it failed", remedy: upload.fault?.remedy ?? "" });
  while (upload.status === "Processing") {
    change(key, { state: "finishing", speed: 0, upload });
    await new Promise((go) => setTimeout(go, 1000));
    upload = await get<UploadView>(`uploads/${upload.id}`);
  }
  return upload;
}

/// One PUT. null: it was stopped.
function piece(key: string, upload: UploadView, file: File): Promise<UploadView | null> {
  const first = upload.offset;
  const end = Math.min(file.size, first + PIECE_BYTES);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    requests.set(key, request);
    let seen: [number, number][] = [[performance.now(), 0]];
    request.upload.onprogress = (event) => {
      const now = performance.now();
      seen = [...seen.filter(([at]) => now - at < 4000), [now, event.loaded]];
      const [at, bytes] = seen[0] ?? [now, 0];
      change(key, { sent: Math.min(file.size, first + event.loaded), speed: now > at ? ((event.loaded - bytes) / (now - at)) * 1000 : 0, ...(first + event.loaded >= file.size ? { state: "finishing" as State } : {}) });
    };
    request.onload = () => {
      requests.delete(key);
      let told: unknown = null;
      try {
        told = JSON.parse(request.responseText);
      } catch {
        // Said by something between us and the daemon.
      }
      if (request.status >= 200 && request.status < 300 && told) resolve(told as UploadView);
      else reject(new Refused({ ...(told as Problem | null), status: request.status, detail: (told as Problem | null)?.detail ?? `${request.status} ${request.statusText}` }));
    };
    request.onerror = () => {
      requests.delete(key);
      reject(new Error("the connection broke"));
    };
    request.onabort = () => resolve(null);
    request.open("PUT", `/api/v1/uploads/${upload.id}`);
    if (csrf.value) request.setRequestHeader("x-csrf-token", csrf.value);
    request.setRequestHeader("content-range", `bytes ${first}-${end - 1}/${file.size}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.send(file.slice(first, end));
  });
}

addEventListener("beforeunload", (event) => {
  if (active.value > 0) event.preventDefault();
});
