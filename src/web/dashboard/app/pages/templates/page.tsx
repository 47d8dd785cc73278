// One template: what it says, who names it, and what can be done with it.
import { said } from "../../flow/said.ts";
import { useResource } from "../../resource.ts";
import { go } from "../../router.ts";
import { isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { Switch } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Menu } from "../../parts/menu.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Badge } from "../../parts/status.tsx";
import { Time } from "../../parts/time.tsx";
import { tidy } from "../../flow/definition.ts";
import type { FormContext } from "../../flow/form.tsx";
import { TableForm } from "../../flow/form.tsx";
import { typeName } from "../../flow/labels.ts";
import { useSchema } from "../../flow/schema.ts";
import { write } from "../../flow/toml.ts";
import { TomlView } from "../../flow/toml_view.tsx";
import { deleteTemplate, setDefault } from "./deeds.tsx";
import { definitionOf, type WholeTemplate } from "./template.ts";

const t = words({
  templates: ["Templates", "模板"],
  edit: ["Edit", "编辑"],
  from: ["New one from this", "以此新建"],
  more: ["More", "更多"],
  remove: ["Delete", "删除"],
  default_switch: ["Default", "默认"],
  default_help: ["It stands in where an activity or mark of this type says nothing.", "此类型的活动或标记未设置任何参数时使用它。"],
  system: ["system", "系统"],
  custom: ["custom", "自定义"],
  type: ["Type", "类型"],
  origin: ["Made by", "来源"],
  created: ["Created", "创建时间"],
  changed: ["Changed", "修改时间"],
  used_by: ["Named by", "被引用"],
  nobody: ["no workflow", "没有工作流引用"],
  system_note: ["It ships with the product and cannot be changed. Make one of your own from it, or override parameters in an activity.", "此模板随产品提供，不能修改。可以此新建自定义模板，或在活动中覆盖参数。"],
  parameters: ["Parameters", "参数"],
  toml: ["TOML", "TOML"],
});

export function TemplatePage({ name }: { name: string }) {
  const found = useResource<WholeTemplate>(`templates/${encodeURIComponent(name)}`);
  const template = found.data;
  if (!template) return found.error ? <ErrorBox error={found.error} retry={found.refresh} /> : <Skeleton lines={8} />;
  const custom = template.origin === "custom";
  const definition = tidy(definitionOf(template));
  return (
    <>
      <PageHead title={template.name} crumbs={[{ text: t("templates"), href: "/templates" }]} note={<>{said(template.description)} <Badge tone={custom ? "run" : "idle"}>{t(template.origin)}</Badge></>}>
        {isOperator.value && <span class="tp-switch" title={t("default_help")}><Switch value={template.default} label={t("default_switch")} onInput={(on) => void setDefault(template, on).then(found.refresh)} /> {t("default_switch")}</span>}
        {isOperator.value && <a class="button" href={`/templates/new?from=${encodeURIComponent(template.name)}`}><Icon name="copy" size={18} />{t("from")}</a>}
        {isOperator.value && custom && <a class="button" href={`/templates/${encodeURIComponent(template.name)}/edit`}><Icon name="edit" size={18} />{t("edit")}</a>}
        {isOperator.value && custom && <Menu label={t("more")} icon="more" items={[{ text: t("remove"), icon: "trash", danger: true, act: () => void deleteTemplate(template, template.used_by).then((gone) => gone && go("/templates")) }]} />}
      </PageHead>
      {!custom && <p class="tp-note"><Icon name="info" size={16} />{t("system_note")}</p>}
      <div class="stack">
        <Card>
          <Facts rows={[
            [t("type"), typeName(template.type)],
            [t("used_by"), template.used_by.length > 0 ? template.used_by.map((one, at) => <span key={one}>{at > 0 && ", "}<a href={`/workflows/${encodeURIComponent(one)}`}>{one}</a></span>) : t("nobody")],
            template.created_at !== null && [t("created"), <Time at={template.created_at} />],
            template.modified_at !== null && [t("changed"), <Time at={template.modified_at} />],
          ]} />
          {template.note && <p class="muted">{template.note}</p>}
        </Card>
        <div class="tp-panes">
          <Card title={t("parameters")}><Parameters template={template} /></Card>
          <Card title={t("toml")}><TomlView text={write(definition)} /></Card>
        </div>
      </div>
    </>
  );
}

const none = () => undefined;

function Parameters({ template }: { template: WholeTemplate }) {
  const schema = useSchema("template");
  if (!schema.root) return schema.error ? <ErrorBox error={schema.error} retry={schema.retry} /> : <Skeleton />;
  const table = schema.root.$defs[`template.${template.type}`];
  if (!table) return null;
  const context: FormContext = { root: schema.root, findings: [], disabled: true, storages: [], destinations: [], templates: () => [] };
  // Only what is said: a list of everything that is not would hide it.
  const said = Object.fromEntries(Object.entries(table.properties ?? {}).filter(([key]) => key in template.parameters));
  return <TableForm context={context} schema={{ ...table, properties: said }} of="" path="" value={template.parameters} onChange={none} />;
}
