// What people say of a media: its title, what it is about, its tags, its category.
import { useState } from "preact/hooks";
import { ask, get, type Page } from "../../api.ts";
import { openDialog } from "../../parts/dialog.tsx";
import { SelectField, TextField } from "../../parts/form.tsx";
import { attempt } from "../../parts/toast.tsx";
import { words } from "../../words.ts";
import { categoryChoices } from "./categories.tsx";
import type { Category, Media } from "./shapes.ts";

const t = words({
  edit: ["Edit {title}", "编辑“{title}”"],
  title: ["Title", "标题"],
  title_help: ["Empty: the name of its file.", "留空则使用文件名。"],
  description: ["Description", "描述"],
  tags: ["Tags", "标签"],
  tags_help: ["With commas between them.", "多个标签用逗号分隔。"],
  category: ["Category", "分类"],
  none: ["(none)", "（无）"],
  cancel: ["Cancel", "取消"],
  save: ["Save", "保存"],
  saved: ["Saved.", "已保存。"],
  cover_set: ["It is the cover now.", "已设为封面。"],
});

interface Said {
  title: string;
  description: string;
  tags: string[];
  category: string | null;
}

export async function describeMedia(media: Media): Promise<boolean> {
  const categories = await attempt(() => get<Page<Category>>("categories", { limit: 500 }));
  if (!categories) return false;
  const said = await openDialog<Said>(t("edit", { title: media.title }), (close) => <Form media={media} categories={categories.items} close={close} />);
  if (!said) return false;
  return change(media, said, t("saved"));
}

/// Makes a picture the cover: `storage:key`, or the id of an output.
export const setCover = (media: Media, cover: string | null): Promise<boolean> => change(media, { cover }, t("cover_set"));

async function change(media: Media, said: Partial<Said> & { cover?: string | null }, done: string): Promise<boolean> {
  return (await attempt(() => ask(`media/${media.id}`, { method: "PATCH", json: said }), done)) !== undefined;
}

function Form({ media, categories, close }: { media: Media; categories: Category[]; close: (said?: Said) => void }) {
  const [title, setTitle] = useState(media.title);
  const [description, setDescription] = useState(media.description);
  const [tags, setTags] = useState(media.tags.join(", "));
  const [category, setCategory] = useState(media.category ?? "");
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      const apart = tags.split(/[,，、]/).map((tag) => tag.trim()).filter(Boolean);
      close({ title: title.trim(), description: description.trim(), tags: [...new Set(apart)], category: category || null });
    }}>
      <TextField label={t("title")} value={title} onInput={setTitle} help={t("title_help")} autofocus name="title" />
      <TextField label={t("description")} value={description} onInput={setDescription} lines={3} name="description" />
      <TextField label={t("tags")} value={tags} onInput={setTags} help={t("tags_help")} name="tags" />
      {categories.length > 0 && <SelectField label={t("category")} value={category} onInput={setCategory} choices={[{ value: "", text: t("none") }, ...categoryChoices(categories)]} />}
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => close()}>{t("cancel")}</button>
        <button type="submit" class="button primary">{t("save")}</button>
      </div>
    </form>
  );
}
