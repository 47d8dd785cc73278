// Who is signed in. The session is a cookie that no script can read; what changes something also needs its CSRF token.
import { computed, signal } from "@preact/signals";

export type Role = "admin" | "operator" | "viewer";

export interface Session {
  id: string;
  kind: "session" | "token";
  /// What the session was opened with.
  with: "password" | "token" | null;
  name: string;
  role: Role;
  csrf_token: string | null;
  created_at: string | null;
  expires_at: string | null;
}

/// null: nobody.
export const session = signal<Session | null>(null);
export const csrf = computed(() => session.value?.csrf_token ?? null);
export const isAdmin = computed(() => session.value?.role === "admin");
export const isOperator = computed(() => session.value?.role === "admin" || session.value?.role === "operator");

/// Asks the daemon whether the cookie still opens anything.
export async function findSession(): Promise<void> {
  const response = await fetch("/api/v1/sessions/current", { headers: { accept: "application/json" } }).catch(() => null);
  session.value = response?.ok ? ((await response.json()) as Session) : null;
}

export function signedIn(opened: Session): void {
  session.value = opened;
}

export function signedOut(): void {
  session.value = null;
}
