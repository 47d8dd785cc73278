// What the daemon tells of its host and of itself.
import type { Alert } from "../alerts/alert.tsx";

export interface Sample {
  at: string;
  cpu_percent: number | null;
  load: [number, number, number] | null;
  memory_bytes: number | null;
  memory_available_bytes: number | null;
  received_bytes_per_s: number | null;
  sent_bytes_per_s: number | null;
  devices: {
    uuid: string;
    busy_percent: number | null;
    encoder_percent: number | null;
    decoder_percent: number | null;
    memory_used_bytes: number | null;
    memory_bytes: number | null;
  }[];
}

export interface Host {
  step_s: number;
  processors: number;
  now: Sample | null;
  rooms: { kind: string; name: string; free_bytes: number; size_bytes: number }[];
  samples: Sample[];
}

export interface System {
  version: string;
  uptime_s: number;
  draining: boolean;
  threads: number;
  attempts: number;
  gpu: {
    devices: {
      ordinal: number;
      uuid: string;
      name: string;
      work: { attempts: number; attempts_limit: number; sessions: number; sessions_limit: number | null; set_aside: { since: string; why: string; next_look_at: string } | null } | null;
      meters: { temperature_c: number | null } | null;
    }[];
    missing: { piece: string; cause: string; remedy: string }[];
  };
  queue: { tasks: Record<string, number>; ready_jobs: number; running_attempts: number; deliveries: Record<string, number> };
  alerts: Alert[];
}

export interface Storage {
  id: string;
  name: string;
  kind: string;
  status: string;
  why: string | null;
  note: string | null;
  watch: string;
  location: string;
  free_bytes: number | null;
  total_bytes: number | null;
  objects: number;
  backlog: number;
  troubled: number;
}

export interface DestinationHealth {
  id: string;
  status: string;
  fault: string | null;
  health: { breaker: string; pending: number; dead: number; last_success_at: string | null; last_error: string | null; next_try_at: string | null };
}

export interface History {
  name: string;
  step_s: number;
  items: { at: string; value: number; min: number; max: number }[];
}
