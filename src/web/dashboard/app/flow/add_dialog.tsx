// What shall be added to a graph: a type of activity, bare or from one of its templates.
import { said } from "./said.ts";
import { openDialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { words } from "../words.ts";
import { type Activity, type Definition, type Spot, END, START, TYPES, freeId } from "./definition.ts";
import { typeIcon } from "./graph.tsx";
import { rung } from "./groups.tsx";
import { typeHelp, typeName } from "./labels.ts";
import type { TemplateOf } from "./node_form.tsx";

const t = words({
  after_start: ["Add an activity after Start", "在“开始”之后添加活动"],
  after: ["Add an activity after {name}", "在 {name} 之后添加活动"],
  beside: ["Add an activity beside {name}", "与 {name} 并行添加活动"],
  between: ["Add an activity before {name}", "在 {name} 之前添加活动"],
  bare: ["Without a template", "不使用模板"],
  from: ["From a template:", "使用模板："],
});

function titleOf(spot: Spot): string {
  if ("beside" in spot) return t("beside", { name: spot.beside });
  if ("between" in spot && spot.between[1] !== END) return t("between", { name: spot.between[1] });
  const from = "after" in spot ? spot.after : spot.between[0];
  return from === START ? t("after_start") : t("after", { name: from });
}

function made(definition: Definition, type: string, template?: string): Activity {
  const id = freeId(definition, (template ?? type).replace(/_/g, "-"));
  if (template) return { id, type, template };
  if (type === "transcode") return { id, type, group: [{ name: "MP4", kind: "file", container: "mp4", output: [rung(1080), rung(720), rung(480)] }] };
  if (type === "review") return { id, type };
  return { id, type };
}

export const askActivity = (definition: Definition, spot: Spot, templates: TemplateOf[]): Promise<Activity | undefined> =>
  openDialog<Activity>(titleOf(spot), (close) => (
    <ul class="sf-types">
      {TYPES.map((type, at) => {
        const own = templates.filter((one) => one.type === type);
        return (
          <li key={type}>
            <button type="button" class="sf-type" data-type={type} autofocus={at === 0} onClick={() => close(made(definition, type))}>
              <Icon name={typeIcon(type)} size={20} />
              <span><b>{typeName(type)}</b><small>{typeHelp(type)}</small></span>
            </button>
            {own.length > 0 && (
              <p class="sf-type-templates">
                <span class="muted">{t("from")}</span>
                {own.map((one) => <button type="button" key={one.name} class="button small" title={said(one.description)} onClick={() => close(made(definition, type, one.name))}>{one.name}</button>)}
              </p>
            )}
          </li>
        );
      })}
    </ul>
  ), { wide: true });
