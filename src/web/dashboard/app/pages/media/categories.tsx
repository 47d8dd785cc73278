// The tree that media are filed under: chosen from, and kept.
import { useState } from "preact/hooks";
import { type Page, patch, post, remove } from "../../api.ts";
import { confirm, openDialog } from "../../parts/dialog.tsx";
import { type Choice, SelectField, TextField } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { attempt } from "../../parts/toast.tsx";
import { useResource } from "../../resource.ts";
import { words } from "../../words.ts";
import type { Category } from "./shapes.ts";

const t = words({
  categories: ["Categories", "分类管理"],
  none: ["No categories yet. Make the first one below.", "还没有分类，请在下方新建。"],
  name: ["Name", "名称"],
  under: ["Under", "上级分类"],
  top: ["(at the top)", "（顶层）"],
  add: ["Add", "添加"],
  rename: ["Rename {name}", "重命名 {name}"],
  save: ["Save", "保存"],
  delete: ["Delete {name}", "删除 {name}"],
  delete_text: ["Media filed under it stay, without a category.", "其下的媒资会保留，但不再有分类。"],
  added: ["The category was added.", "分类已添加。"],
  saved: ["The category was renamed.", "分类已重命名。"],
  deleted: ["The category was deleted.", "分类已删除。"],
});

/// The tree in the order of its branches, each with how deep it lies.
export function branches(categories: Category[], parent: string | null = null, depth = 0): { category: Category; depth: number }[] {
  return categories
    .filter((one) => one.parent === parent)
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap((category) => [{ category, depth }, ...branches(categories, category.id, depth + 1)]);
}

export const categoryChoices = (categories: Category[]): Choice[] => branches(categories).map(({ category, depth }) => ({ value: category.id, text: `${"\u2003".repeat(depth)}${category.name}` }));

/// Shows the tree, to be changed.
export async function editCategories(changed: () => void): Promise<void> {
  await openDialog(t("categories"), () => <Editor changed={changed} />);
}

function Editor({ changed }: { changed: () => void }) {
  const list = useResource<Page<Category>>("categories", { limit: 500 });
  const [name, setName] = useState("");
  const [under, setUnder] = useState("");
  const [renaming, setRenaming] = useState<{ id: string; name: string } | null>(null);
  const all = list.data?.items ?? [];
  const after = () => {
    list.refresh();
    changed();
  };
  const add = async (event: Event) => {
    event.preventDefault();
    if (!(await attempt(() => post("categories", { name: name.trim(), parent: under || null }), t("added")))) return;
    setName("");
    after();
  };
  return (
    <div class="media-categories">
      <ErrorBox error={list.error} retry={list.refresh} />
      {list.data && all.length === 0 && <p class="muted">{t("none")}</p>}
      <ul>
        {branches(all).map(({ category, depth }) => (
          <li key={category.id} style={{ paddingInlineStart: `${depth * 1.25}rem` }}>
            {renaming?.id === category.id ? (
              <form class="row" onSubmit={(event) => {
                event.preventDefault();
                void attempt(() => patch(`categories/${category.id}`, { name: renaming.name.trim() }), t("saved")).then((done) => {
                  if (!done) return;
                  setRenaming(null);
                  after();
                });
              }}>
                <input aria-label={t("name")} value={renaming.name} autofocus onInput={(event) => setRenaming({ id: category.id, name: event.currentTarget.value })} />
                <button type="submit" class="button small primary">{t("save")}</button>
              </form>
            ) : (
              <>
                <span>{category.name}</span>
                <button type="button" class="icon-button" aria-label={t("rename", { name: category.name })} onClick={() => setRenaming({ id: category.id, name: category.name })}><Icon name="edit" size={16} /></button>
                <button type="button" class="icon-button" aria-label={t("delete", { name: category.name })} onClick={() => void confirm(t("delete", { name: category.name }), t("delete_text"), undefined, { danger: true }).then((yes) => {
                  if (yes) void attempt(() => remove(`categories/${category.id}`).then(() => true), t("deleted")).then((done) => done && after());
                })}><Icon name="trash" size={16} /></button>
              </>
            )}
          </li>
        ))}
      </ul>
      <form class="media-category-new" onSubmit={(event) => void add(event)}>
        <TextField label={t("name")} value={name} onInput={setName} required maxLength={128} />
        <SelectField label={t("under")} value={under} onInput={setUnder} choices={[{ value: "", text: t("top") }, ...categoryChoices(all)]} />
        <button type="submit" class="button primary" disabled={!name.trim()}>{t("add")}</button>
      </form>
    </div>
  );
}
