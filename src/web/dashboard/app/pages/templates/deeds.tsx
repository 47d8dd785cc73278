// What is done to a template: default or not, delete.
import { put, remove } from "../../api.ts";
import { words } from "../../words.ts";
import { confirm } from "../../parts/dialog.tsx";
import { attempt, tellDone } from "../../parts/toast.tsx";
import { typeName } from "../../flow/labels.ts";
import type { Template, WholeTemplate } from "./template.ts";

const t = words({
  is_default: ["{name} stands in for {type} that says nothing", "{name} 已设为“{type}”的默认模板"],
  no_default: ["{name} is no default any more", "{name} 不再是默认模板"],
  ask: ["Delete {name}?", "删除 {name}？"],
  text: ["Workflows that name it keep the copy they were saved with, but cannot be saved again until they name another.", "引用它的工作流保留保存时的副本，但改用其他模板前无法再次保存。"],
  used: ["Named by: {list}.", "引用它的工作流：{list}。"],
  deed: ["Delete", "删除"],
  gone: ["{name} was deleted", "已删除 {name}"],
});

export async function setDefault(template: Template, on: boolean): Promise<WholeTemplate | undefined> {
  const address = `templates/${encodeURIComponent(template.name)}/default`;
  return attempt(() => (on ? put<WholeTemplate>(address, {}) : remove<WholeTemplate>(address)), on ? t("is_default", { name: template.name, type: typeName(template.type) }) : t("no_default", { name: template.name }));
}

/// True: it is gone.
export async function deleteTemplate(template: Template, usedBy: string[] = []): Promise<boolean> {
  const sure = await confirm(t("ask", { name: template.name }), <><p>{t("text")}</p>{usedBy.length > 0 && <p>{t("used", { list: usedBy.join(", ") })}</p>}</>, t("deed"), { danger: true });
  if (!sure) return false;
  const gone = await attempt(() => remove<{ name: string; note: string | null }>(`templates/${encodeURIComponent(template.name)}`), t("gone", { name: template.name }));
  if (gone?.note) tellDone(gone.note);
  return gone !== undefined;
}
