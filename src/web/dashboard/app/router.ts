// Where in the dashboard we are: the path and the query are the state, so every view has a link.
import { signal } from "@preact/signals";

export const path = signal(location.pathname);
export const query = signal(new URLSearchParams(location.search));

function read(): void {
  path.value = location.pathname;
  query.value = new URLSearchParams(location.search);
}

let guard: (() => Promise<boolean>) | null = null;

/// Asks `leave` before another page is shown, until the returned function is called; false: the page stays.
export function guardLeaving(leave: () => Promise<boolean>): () => void {
  guard = leave;
  return () => {
    if (guard === leave) guard = null;
  };
}

/// Whether a step to `pathname` must wait for an answer; then `step` follows it.
function asked(pathname: string, step: () => void): boolean {
  const leave = guard;
  if (!leave || pathname === path.value) return false;
  void leave().then((yes) => {
    if (!yes) return;
    if (guard === leave) guard = null;
    step();
  });
  return true;
}

addEventListener("popstate", () => {
  const wanted = location.pathname + location.search;
  const text = query.value.toString();
  // The address has changed already: it goes back to what is shown until there is an answer.
  if (asked(location.pathname, () => go(wanted))) history.pushState(null, "", path.value + (text ? `?${text}` : ""));
  else read();
});

/// Goes to a path of the dashboard, with its query.
export function go(to: string, options: { replace?: boolean } = {}): void {
  if (to === location.pathname + location.search) return;
  if (asked(new URL(to, location.href).pathname, () => go(to, options))) return;
  if (options.replace) history.replaceState(null, "", to);
  else {
    history.pushState(null, "", to);
    scrollTo(0, 0);
  }
  read();
}

/// Changes parts of the query; null takes a part away.
export function setQuery(changes: Record<string, string | null>, options: { replace?: boolean } = { replace: true }): void {
  const next = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  go(location.pathname + (text ? `?${text}` : ""), options);
}

/// Links are ordinary <a href>; clicks on those of the dashboard stay in the page.
addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (/^\/(api|o|docs|openapi\.json|metrics)(\/|$)/.test(link.pathname)) return;
  event.preventDefault();
  if (link.hash && link.pathname === location.pathname) {
    document.getElementById(link.hash.slice(1))?.scrollIntoView();
    return;
  }
  go(link.pathname + link.search);
});
