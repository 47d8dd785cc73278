// A button that opens a list of choices. Arrow keys move, Escape closes, focus comes back. The list stands above
// everything (the browser's top layer), so that neither a table's row nor a scrolled box cuts it off.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon.tsx";

export interface MenuItem {
  text: string;
  /// None: a line to read.
  act?: () => void;
  icon?: IconName;
  checked?: boolean;
  disabled?: boolean;
  danger?: boolean;
}

export function Menu({ label, text, icon, items, align = "end" }: { label: string; text?: string; icon?: IconName; items: MenuItem[]; align?: "start" | "end" }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    const element = list.current;
    const at = button.current?.getBoundingClientRect();
    if (!open || !element?.showPopover || !at) return;
    element.showPopover();
    const { offsetWidth: width, offsetHeight: height } = element;
    const left = align === "end" ? at.right - width : at.left;
    const below = at.bottom + 4 + height <= innerHeight || at.top < height + 4;
    element.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    element.style.top = `${below ? at.bottom + 4 : at.top - height - 4}px`;
    const close = () => setOpen(false);
    addEventListener("scroll", close, { passive: true, capture: true });
    addEventListener("resize", close);
    return () => {
      removeEventListener("scroll", close, { capture: true });
      removeEventListener("resize", close);
    };
  }, [open, align]);
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLButtonElement>("button[role]:not(:disabled)")?.focus({ preventScroll: true });
    const outside = (event: PointerEvent) => event.target instanceof Node && !box.current?.contains(event.target) && setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const keys = (event: KeyboardEvent) => {
    if (!open) return;
    if (event.key === "Escape") {
      setOpen(false);
      button.current?.focus();
      event.stopPropagation();
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const choices = [...(box.current?.querySelectorAll<HTMLButtonElement>("button[role]:not(:disabled)") ?? [])];
    const at = choices.indexOf(document.activeElement as HTMLButtonElement);
    choices[(at + (event.key === "ArrowDown" ? 1 : choices.length - 1)) % choices.length]?.focus();
  };
  return (
    <div class="menu" ref={box} onKeyDown={keys}>
      <button type="button" ref={button} class={text ? "button ghost" : "icon-button"} aria-label={text ? undefined : label} title={label} aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        {(icon || !text) && <Icon name={icon ?? "more"} />}
        {text && <span class="menu-text">{text}</span>}
      </button>
      {open && (
        <ul ref={list} popover="manual" role="menu" aria-label={label} class={`menu-list menu-${align}`}>
          {items.map((item, at) => (
            <li key={at} role="none">
              {item.act ? (
                <button type="button" role={item.checked === undefined ? "menuitem" : "menuitemradio"} aria-checked={item.checked} disabled={item.disabled} class={item.danger ? "danger" : undefined} onClick={() => {
                  setOpen(false);
                  button.current?.focus();
                  item.act?.();
                }}>
                  {item.icon ? <Icon name={item.icon} size={16} /> : item.checked !== undefined && <span class="menu-mark">{item.checked && <Icon name="check" size={16} />}</span>}
                  {item.text}
                </button>
              ) : <span class="menu-line">{item.text}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
