// The head of a page: where it lies, its name, what can be done; and what stands beside its list.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

export interface Crumb {
  text: string;
  href: string;
}

export function PageHead({ title, crumbs, children, note }: { title: string; crumbs?: Crumb[]; children?: ComponentChildren; note?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · reelmill`;
  }, [title]);
  return (
    <header class="page-head">
      <div>
        {crumbs && <p class="crumbs">{crumbs.map((crumb) => <a key={crumb.href} href={crumb.href}>{crumb.text}</a>)}</p>}
        <h1>{title}</h1>
        {note && <p class="page-note">{note}</p>}
      </div>
      {children && <div class="page-deeds">{children}</div>}
    </header>
  );
}

export function Card({ title, children, deeds, class: extra }: { title?: string; children: ComponentChildren; deeds?: ComponentChildren; class?: string }) {
  return (
    <section class={`card${extra ? ` ${extra}` : ""}`}>
      {(title || deeds) && <header><h2>{title}</h2>{deeds && <div class="card-deeds">{deeds}</div>}</header>}
      {children}
    </section>
  );
}

/// Names and what they are, in two columns.
export function Facts({ rows }: { rows: ([string, ComponentChildren] | null | false)[] }) {
  return (
    <dl class="facts">
      {rows.map((row) => row && <div key={row[0]}><dt>{row[0]}</dt><dd>{row[1] ?? "–"}</dd></div>)}
    </dl>
  );
}
