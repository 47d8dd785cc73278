// All templates, by type: those that ship and a studio's own.
import { said } from "../../flow/said.ts";
import { get } from "../../api.ts";
import { usePaged } from "../../resource.ts";
import { query, setQuery } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { Icon } from "../../parts/icon.tsx";
import { Menu, type MenuItem } from "../../parts/menu.tsx";
import { PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Badge } from "../../parts/status.tsx";
import { Time } from "../../parts/time.tsx";
import { attempt } from "../../parts/toast.tsx";
import { go } from "../../router.ts";
import { typeIcon } from "../../flow/graph.tsx";
import { typeHelp, typeName } from "../../flow/labels.ts";
import { deleteTemplate, setDefault } from "./deeds.tsx";
import { TEMPLATE_TYPES, type Template, type WholeTemplate } from "./template.ts";

const t = words({
  title: ["Templates", "模板"],
  note: ["Named parameters that activities of workflows take, and override where they must.", "供工作流活动引用的参数集，可在活动中覆盖。"],
  make: ["New template", "新建模板"],
  search: ["Search by name", "按名称搜索"],
  type: ["Type", "类型"],
  any_type: ["All types", "全部类型"],
  origin: ["Made by", "来源"],
  any_origin: ["System and custom", "系统与自定义"],
  system: ["system", "系统"],
  custom: ["custom", "自定义"],
  is_default: ["default", "默认"],
  more: ["What can be done with {name}", "{name} 的操作"],
  edit: ["Edit", "编辑"],
  from: ["New one from this", "以此新建"],
  set_default: ["Make it the default", "设为默认"],
  unset_default: ["Default no more", "取消默认"],
  remove: ["Delete", "删除"],
  none: ["No template fits", "没有符合条件的模板"],
  clear: ["Show all", "显示全部"],
});

export function TemplateList() {
  const asked = query.value;
  const list = usePaged<Template>("templates", { name: asked.get("name"), type: asked.get("type"), origin: asked.get("origin") }, { every: 30_000 }, 500);
  const types = [...new Set([...TEMPLATE_TYPES, ...list.items.map((one) => one.type)])];
  return (
    <>
      <PageHead title={t("title")} note={t("note")}>
        {isOperator.value && <a class="button primary" href={`/templates/new${asked.get("type") ? `?type=${asked.get("type")}` : ""}`}><Icon name="plus" size={18} />{t("make")}</a>}
      </PageHead>
      <div class="tp-filters">
        <input type="search" value={asked.get("name") ?? ""} placeholder={t("search")} aria-label={t("search")} onInput={(event) => setQuery({ name: event.currentTarget.value || null })} />
        <select aria-label={t("type")} value={asked.get("type") ?? ""} onChange={(event) => setQuery({ type: event.currentTarget.value || null })}>
          <option value="">{t("any_type")}</option>
          {TEMPLATE_TYPES.map((type) => <option key={type} value={type} selected={type === asked.get("type")}>{typeName(type)}</option>)}
        </select>
        <select aria-label={t("origin")} value={asked.get("origin") ?? ""} onChange={(event) => setQuery({ origin: event.currentTarget.value || null })}>
          <option value="">{t("any_origin")}</option>
          <option value="system">{t("system")}</option>
          <option value="custom">{t("custom")}</option>
        </select>
      </div>
      <ErrorBox error={list.error} retry={list.refresh} />
      {list.loading && list.items.length === 0 && <Skeleton lines={8} />}
      {!list.loading && !list.error && list.items.length === 0 && <div class="card empty"><h2>{t("none")}</h2><button type="button" class="button" onClick={() => setQuery({ name: null, type: null, origin: null })}>{t("clear")}</button></div>}
      <div class="stack">
        {types.filter((type) => list.items.some((one) => one.type === type)).map((type) => (
          <section key={type} class="card tp-type" aria-labelledby={`type-${type}`}>
            <header><h2 id={`type-${type}`}><Icon name={typeIcon(type)} size={18} />{typeName(type)}</h2><p class="muted">{typeHelp(type)}</p></header>
            <ul>
              {list.items.filter((one) => one.type === type).map((one) => (
                <li key={one.id}>
                  <p class="tp-name"><a href={`/templates/${encodeURIComponent(one.name)}`}>{one.name}</a> <Badge tone={one.origin === "system" ? "idle" : "run"}>{t(one.origin)}</Badge>{one.default && <> <Badge tone="good">{t("is_default")}</Badge></>}</p>
                  <p class="muted tp-about">{said(one.description)}</p>
                  <span class="muted tp-when">{one.modified_at && <Time at={one.modified_at} />}</span>
                  {isOperator.value && <RowMenu template={one} refresh={list.refresh} />}
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </>
  );
}

function RowMenu({ template, refresh }: { template: Template; refresh: () => void }) {
  const custom = template.origin === "custom";
  const items: MenuItem[] = [
    ...(custom ? [{ text: t("edit"), icon: "edit" as const, act: () => go(`/templates/${encodeURIComponent(template.name)}/edit`) }] : []),
    { text: t("from"), icon: "copy", act: () => go(`/templates/new?from=${encodeURIComponent(template.name)}`) },
    { text: t(template.default ? "unset_default" : "set_default"), icon: "check", act: () => void setDefault(template, !template.default).then(refresh) },
    ...(custom ? [{ text: t("remove"), icon: "trash" as const, danger: true, act: () => void attempt(() => get<WholeTemplate>(`templates/${encodeURIComponent(template.name)}`)).then((whole) => whole && deleteTemplate(template, whole.used_by)).then((gone) => gone && refresh()) }] : []),
  ];
  return <Menu label={t("more", { name: template.name })} icon="more" items={items} />;
}
