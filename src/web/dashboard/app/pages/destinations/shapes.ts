// What the daemon tells of destinations, and which parts of a definition belong to which kind.

export interface Health {
  breaker: string;
  next_try_at: string | null;
  pending: number;
  dead: number;
  last_success_at: string | null;
  last_error_at: string | null;
  last_error: string | null;
  tries: number;
  p50_ms: number | null;
  p95_ms: number | null;
}

/// Names as the REST API has them; parts that are empty are left out by the daemon.
export interface Definition {
  name: string;
  kind: string;
  url?: string;
  profile: string;
  global: boolean;
  events: string[];
  legacy_events: boolean;
  retry: string;
  timeout_s: number;
  headers?: Record<string, string>;
  template?: string;
  body_template?: string;
  tls_ca?: string;
  user?: string;
  queue?: string;
  exchange?: string;
  routing_key?: string;
  declare?: boolean;
  subject?: string;
  topic?: string;
  stream?: string;
  max_entries?: number;
  program?: string;
  storage?: string;
  prefix?: string;
  smtp?: string;
  security?: string;
  from?: string;
  to?: string[];
}

export interface Destination extends Definition {
  id: string;
  created_at: string;
  status: string;
  origin: string;
  unified: boolean;
  fault: string | null;
  secrets: string[];
  health: Health;
}

export const KINDS = ["http", "amqp", "nats", "mqtt", "redis", "exec", "storage", "mail"] as const;
export type Kind = (typeof KINDS)[number];
export const kindOf = (definition: { kind: string }): Kind => KINDS.find((kind) => kind === definition.kind) ?? "http";

export type Secret = "auth_key" | "signing_key" | "password" | "tls_client";

/// The secrets that a kind can have.
export const SECRETS: Record<Kind, Secret[]> = {
  http: ["auth_key", "signing_key", "tls_client"],
  amqp: ["password", "auth_key", "signing_key", "tls_client"],
  nats: ["password", "auth_key", "signing_key", "tls_client"],
  mqtt: ["password", "auth_key", "signing_key", "tls_client"],
  redis: ["password", "auth_key", "signing_key", "tls_client"],
  exec: ["auth_key", "signing_key"],
  storage: [],
  mail: ["password"],
};

/// Where a destination is, in one line.
export function address(one: Definition): string {
  const kind = kindOf(one);
  if (kind === "exec") return one.program ?? "";
  if (kind === "storage") return `${one.storage ?? ""}:${one.prefix ?? ""}`;
  if (kind === "mail") return (one.to ?? []).join(", ");
  const inner = one.queue ?? one.exchange ?? one.subject ?? one.topic ?? one.stream;
  return `${one.url ?? ""}${inner ? ` · ${inner}` : ""}`;
}
