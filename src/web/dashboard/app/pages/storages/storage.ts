// A storage as the REST API shows it, and what can be asked of one.

export interface Settings {
  name: string;
  kind?: string;
  path?: string;
  watch?: string;
  ready?: string;
  marker?: string;
  settle_looks?: number;
  settle_interval_s?: number;
  poll_interval_s?: number;
  min_age_s?: number;
  include?: string[];
  exclude?: string[];
  sidecars?: boolean;
  subtitles?: boolean;
  groups?: string[];
  sequence_fps?: number;
  sentinel?: string;
  file_mode?: string;
  folder_mode?: string;
  file_group?: string;
  endpoint?: string;
  region?: string;
  bucket?: string;
  path_style?: boolean;
  credentials?: string;
  access_key?: string;
  secret_key?: string;
  session_token?: string;
  tls_ca?: string;
  storage_class?: string;
  acl?: string;
  sse?: string;
  sse_kms_key?: string;
  cache_control?: string;
  part_mib?: number;
  concurrency?: number;
  retry_s?: number;
  notify_secret?: string;
  notify_confirm_urls?: string[];
  monotonic_prefixes?: string[];
}

export type StorageStatus = "available" | "scanning" | "waiting" | "unavailable" | "frozen" | "broken";

export interface Storage {
  id: string;
  name: string;
  created_at: string;
  modified_at: string | null;
  origin: "file" | "api";
  kind: "folder" | "s3";
  status: StorageStatus;
  why: string | null;
  note: string | null;
  watch: string;
  location: string;
  file_system: string | null;
  free_bytes: number | null;
  total_bytes: number | null;
  objects: number;
  backlog: number;
  waiting: { key: string; size_bytes: number; since: string; why: string | null }[];
  troubled: number;
  last_scan_at: string | null;
  last_scan_took_ms: number | null;
  scan: { began_at: string; found: number; expected: number | null; first: boolean } | null;
  calls_per_hour: number | null;
  settings: Settings | null;
  secrets: string[];
}

export interface Entry {
  id: string;
  kind: "file" | "folder" | "other";
  name: string;
  key: string;
  size_bytes: number | null;
  modified_at: string | null;
}

export interface Explained {
  object: string;
  state: string;
  explanation: string;
  seen_at: string | null;
  settled_at: string | null;
  gone_at: string | null;
  size_bytes: number | null;
  reasons: { code: string; prevents: boolean; text: string }[];
  workflows: { id: string; name: string; takes: boolean; why_not: string | null }[];
  tasks: string[];
}

export interface Trial {
  ok: boolean;
  steps: { step: string; ok: boolean; error: string | null; remedy: string | null; took_ms: number }[];
}

export interface Ground {
  roots: { path: string; is_there: boolean; free_bytes: number | null; total_bytes: number | null }[];
  local_buckets: boolean;
}

/// The address of a storage in the API.
export const at = (name: string, rest = ""): string => `storages/${encodeURIComponent(name)}${rest}`;

/// Its page.
export const pageOf = (name: string, rest = ""): string => `/storages/${encodeURIComponent(name)}${rest}`;
