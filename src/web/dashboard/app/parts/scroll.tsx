// A field that what is wider than it is pushed within: by keys too, once there is something to push.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export function Scroll({ label, class: extra, children }: { label?: string; class?: string; children: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  const [wide, setWide] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => setWide(element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight);
    const watch = new ResizeObserver(look);
    watch.observe(element);
    if (element.firstElementChild) watch.observe(element.firstElementChild);
    return () => watch.disconnect();
  }, []);
  return <div ref={box} class={extra ? `scroll ${extra}` : "scroll"} tabIndex={wide ? 0 : undefined} role={wide && label ? "group" : undefined} aria-label={wide ? label : undefined}>{children}</div>;
}
