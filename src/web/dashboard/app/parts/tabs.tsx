// Views of one thing beside one another; the chosen one stands in the query, so it has a link.
import type { ComponentChildren } from "preact";
import { query, setQuery } from "../router.ts";

export interface Tab {
  key: string;
  title: string;
  body: () => ComponentChildren;
}

export function Tabs({ name = "tab", tabs, label }: { name?: string; tabs: Tab[]; label: string }) {
  const asked = query.value.get(name);
  const current = tabs.find((tab) => tab.key === asked) ?? tabs[0];
  const choose = (key: string) => setQuery({ [name]: key === tabs[0]?.key ? null : key });
  const keys = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step || !current) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(current) + step + tabs.length) % tabs.length];
    if (!next) return;
    choose(next.key);
    requestAnimationFrame(() => document.getElementById(`tab-${name}-${next.key}`)?.focus());
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={label} onKeyDown={keys}>
        {tabs.map((tab) => (
          <button type="button" key={tab.key} id={`tab-${name}-${tab.key}`} role="tab" aria-selected={tab === current} aria-controls={`panel-${name}`} tabIndex={tab === current ? 0 : -1} onClick={() => choose(tab.key)}>{tab.title}</button>
        ))}
      </div>
      <div role="tabpanel" id={`panel-${name}`} aria-labelledby={current ? `tab-${name}-${current.key}` : undefined}>{current?.body()}</div>
    </div>
  );
}
