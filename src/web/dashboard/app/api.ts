// The REST API: every request of the dashboard goes through here.
import { csrf, signedOut } from "./session.ts";

/// What the daemon says when it refuses (RFC 9457, with a remedy).
export interface Problem {
  type?: string;
  title?: string;
  status: number;
  code?: string;
  detail: string;
  remedy?: string;
  errors?: { path?: string; detail?: string }[];
}

export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/// The daemon did not answer at all.
export class Unreachable extends Error {}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export function address(path: string, query?: Query): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") parts.set(name, String(value));
  }
  const text = parts.toString();
  return `${path.startsWith("/") ? path : `/api/v1/${path}`}${text ? `?${text}` : ""}`;
}

export interface Asked {
  method?: string;
  query?: Query;
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/// Answers that are on their way for a page which is still being fetched itself, each for whoever asks first.
const early = new Map<string, Promise<Response>>();
/// After this, milliseconds, an early answer is too old to be shown.
const EARLY_FOR = 3000;

/// Asks for JSON that the page which is being fetched will ask for.
export function askEarly(path: string, query?: Query): void {
  const place = address(path, query);
  const forget = () => early.delete(place);
  const reply = fetch(place, { headers: { accept: "application/json" }, credentials: "same-origin" });
  early.set(place, reply);
  setTimeout(forget, EARLY_FOR);
  // A refusal may be over when the page asks: somebody signed in.
  reply.then((response) => response.ok || forget(), forget);
}

/// Asks and answers the response; refusals become [`Refused`].
export async function ask(path: string, asked: Asked = {}): Promise<Response> {
  const method = asked.method ?? (asked.json !== undefined || asked.body !== undefined ? "POST" : "GET");
  const headers: Record<string, string> = { accept: "application/json", ...asked.headers };
  if (method !== "GET" && csrf.value) headers["x-csrf-token"] = csrf.value;
  if (asked.json !== undefined) headers["content-type"] = "application/json";
  const place = address(path, asked.query);
  const sooner = method === "GET" && !asked.headers ? early.get(place) : undefined;
  early.delete(place);
  let response: Response;
  try {
    response = await (sooner ?? fetch(place, {
      method,
      headers,
      body: asked.json !== undefined ? JSON.stringify(asked.json) : asked.body,
      signal: asked.signal,
      credentials: "same-origin",
    }));
    asked.signal?.throwIfAborted();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable("the daemon does not answer");
  }
  if (response.ok) return response;
  const told = (await response.json().catch(() => null)) as Partial<Problem> | null;
  if (response.status === 401 && !path.endsWith("sessions")) signedOut();
  throw new Refused({ ...told, status: response.status, detail: told?.detail ?? `${response.status} ${response.statusText}` });
}

/// Asks for JSON; an answer without a body is null.
export async function call<T>(path: string, asked: Asked = {}): Promise<T> {
  const response = await ask(path, asked);
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as T;
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> => call<T>(path, { query, signal });
export const post = <T>(path: string, json: unknown = {}): Promise<T> => call<T>(path, { method: "POST", json });
export const put = <T>(path: string, json: unknown): Promise<T> => call<T>(path, { method: "PUT", json });
export const patch = <T>(path: string, json: unknown): Promise<T> => call<T>(path, { method: "PATCH", json });
export const remove = <T>(path: string): Promise<T> => call<T>(path, { method: "DELETE" });
