// A definition while it is being written: texts of fields, and what is sent of them.
import { type Definition, type Destination, type Kind, SECRETS, type Secret, kindOf } from "./shapes.ts";

export interface Draft {
  name: string;
  kind: Kind;
  text: Record<TextName, string>;
  secrets: Partial<Record<Secret, string>>;
  /// Secrets that are set and shall go.
  dropped: Secret[];
  headers: { name: string; value: string }[];
  to: string;
  events: string[];
  global: boolean;
  legacy: boolean;
  declare: boolean;
  timeout: number | null;
  maxEntries: number | null;
}

const TEXTS = ["url", "profile", "retry", "template", "body_template", "tls_ca", "user", "queue", "exchange", "routing_key", "subject", "topic", "stream", "program", "storage", "prefix", "smtp", "security", "from"] as const;
export type TextName = (typeof TEXTS)[number];

/// The texts that only some kinds have.
const OF_KIND: Record<Kind, TextName[]> = {
  http: ["url", "template", "body_template", "tls_ca"],
  amqp: ["url", "user", "queue", "exchange", "routing_key", "tls_ca"],
  nats: ["url", "user", "subject", "tls_ca"],
  mqtt: ["url", "user", "topic", "tls_ca"],
  redis: ["url", "user", "stream", "tls_ca"],
  exec: ["program"],
  storage: ["storage", "prefix"],
  mail: ["smtp", "security", "from", "subject", "user", "body_template", "tls_ca"],
};

const WITH_HEADERS: Kind[] = ["http", "amqp", "nats", "mqtt", "redis", "exec"];
export const hasHeaders = (kind: Kind): boolean => WITH_HEADERS.includes(kind);

export function draftOf(one: Destination | null): Draft {
  const texts = Object.fromEntries(TEXTS.map((name) => [name, one?.[name] ?? ""])) as Record<TextName, string>;
  if (!one) texts.profile = "ims";
  return {
    name: one?.name ?? "",
    kind: one ? kindOf(one) : "http",
    text: texts,
    secrets: {},
    dropped: [],
    headers: Object.entries(one?.headers ?? {}).map(([name, value]) => ({ name, value })),
    to: (one?.to ?? []).join("\n"),
    events: one?.events ?? [],
    global: one?.global ?? false,
    legacy: one?.legacy_events ?? false,
    declare: one?.declare ?? false,
    timeout: one && one.timeout_s > 0 ? one.timeout_s : null,
    maxEntries: one?.max_entries ?? null,
  };
}

/// What is sent. Secrets that are left out stay; empty ones are taken away.
export function definitionOf(draft: Draft): Definition & Partial<Record<Secret, string>> {
  const made: Definition & Partial<Record<Secret, string>> & Record<string, unknown> = {
    name: draft.name,
    kind: draft.kind,
    profile: draft.text.profile,
    retry: draft.text.retry,
    global: draft.global,
    events: draft.events,
    legacy_events: draft.legacy,
    timeout_s: draft.timeout ?? 0,
  };
  for (const name of OF_KIND[draft.kind]) if (draft.text[name].trim() !== "") made[name] = draft.text[name].trim();
  for (const name of SECRETS[draft.kind]) {
    if (draft.dropped.includes(name)) made[name] = "";
    else if (draft.secrets[name]) made[name] = draft.secrets[name];
  }
  if (hasHeaders(draft.kind)) {
    const headers = draft.headers.filter((header) => header.name.trim() !== "");
    if (headers.length > 0) made.headers = Object.fromEntries(headers.map((header) => [header.name.trim(), header.value]));
  }
  if (draft.kind === "mail") made.to = draft.to.split(/[\s,;]+/).filter(Boolean);
  if (draft.kind === "amqp") made.declare = draft.declare;
  if (draft.kind === "redis" && draft.maxEntries !== null) made.max_entries = draft.maxEntries;
  return made;
}
