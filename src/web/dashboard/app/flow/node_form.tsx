// The form of one activity: where it stands in the graph, when it runs, the template it is made from, and its parameters.
import { useId } from "preact/hooks";
import { words } from "../words.ts";
import { type Activity, needsOf, set, successors, withNeeds, activitiesOf, type Definition } from "./definition.ts";
import { Draft, FlagField, ChoiceField, TextValue } from "./fields.tsx";
import { TableForm, type FormContext } from "./form.tsx";
import { keyName } from "./key_names.ts";
import { typeHelp } from "./labels.ts";
import { said } from "./said.ts";
import type { Schema } from "./schema.ts";
import type { Table } from "./toml.ts";

const t = words({
  after: ["Runs after", "前置活动"],
  after_help: ["None: right after Start. Several: when all of them have ended. What comes after this one cannot be chosen.", "不选：紧跟“开始”。多选：全部结束后运行。其后的活动不可选。"],
  start: ["right after Start", "紧跟开始"],
  when: ["Runs when", "执行条件"],
  success: ["they succeeded", "前置活动成功"],
  failure: ["one of them failed", "前置活动失败"],
  always: ["always, however they ended", "总是（无论结果如何）"],
  blocked: ["a review or moderation said block", "审核结果为屏蔽"],
  expression: ["an expression holds …", "满足表达式…"],
  expression_label: ["Expression", "表达式"],
  expression_help: ["Over the facts of the source and earlier results, such as {a} or {b}. Known: {names}.", "基于源文件信息和之前的结果，如 {a} 或 {b}。可用名称：{names}。"],
  needs_one: ["Conditions need something before: choose what it runs after.", "条件需要前置活动，请先选择。"],
  template: ["Template", "模板"],
  no_template: ["none: everything is said here", "不使用模板，全部在此设置"],
  default_template: ["{name} (stands in by default)", "{name}（默认使用）"],
  template_help: ["What is left out here comes from the template; what is set here overrides it.", "此处未设置的参数取自模板，已设置的覆盖模板。"],
  parameters: ["Parameters", "参数"],
  nothing: ["This type has no parameters.", "此类型没有参数。"],
});

export interface TemplateOf {
  name: string;
  type: string;
  description: string;
  default: boolean;
  parameters: Table;
}

const HIDDEN = ["id", "type", "needs", "when", "optional", "backend", "template", "outputs_of"];

export interface NodeFormProps {
  context: FormContext;
  definition: Definition;
  activity: Activity;
  /// Place in the list, for findings.
  path: string;
  templates: TemplateOf[];
  onChange: (activity: Activity, kind: string) => void;
}

export function NodeForm(props: NodeFormProps) {
  const { context, definition, activity, path, templates, onChange } = props;
  const schema = context.root.$defs[`activity.${activity.type}`] ?? {};
  const own = templates.filter((one) => one.type === activity.type);
  const chosen = own.find((one) => one.name === activity.template);
  const bare = Object.keys(activity).every((key) => ["id", "type", "needs", "when", "optional", "backend"].includes(key));
  const standing = chosen ?? (activity.template === undefined && bare ? own.find((one) => one.default) : undefined);
  const property = (key: string): Schema => schema.properties?.[key] ?? {};
  const put = (key: string) => (value: Parameters<typeof set>[2]) => onChange(set(activity, key, value) as Activity, `${activity.id}.${key}`);
  const error = (key: string) => context.findings.filter((one) => one.path === `${path}.${key}`).map((one) => one.why).join("; ") || undefined;
  const whole = context.findings.filter((one) => one.path === path || (one.activity === activity.id && one.path === ""));
  const keys = Object.keys(schema.properties ?? {}).filter((key) => !HIDDEN.includes(key));
  return (
    <div class="sf-node">
      <p class="help">{typeHelp(activity.type)}</p>
      {whole.map((one) => <p key={one.why} class="field-error" role="alert">{one.why}</p>)}
      <div class="sf-fields">
        <TextValue name="id" schema={property("id")} required value={activity.id} error={error("id")} disabled={context.disabled} onChange={(value) => onChange({ ...activity, id: String(value ?? "") }, "id")} />
        <WhenField {...props} error={error("when")} />
        <Needs {...props} error={error("needs")} definition={definition} />
        {own.length > 0 && <ChoiceField name="template" label={t("template")} schema={{ ...property("template"), description: t("template_help"), enum: own.map((one) => one.name), "x-choices": own.map((one) => ({ value: one.name, help: one.description })) }} nothing={standing && !chosen ? t("default_template", { name: standing.name }) : t("no_template")} value={activity.template} error={error("template")} disabled={context.disabled} onChange={put("template")} />}
        {property("outputs_of").type && <OutputsOf {...props} error={error("outputs_of")} help={said(property("outputs_of").description)} />}
        <FlagField name="optional" schema={property("optional")} value={activity.optional} error={error("optional")} disabled={context.disabled} onChange={put("optional")} />
        <ChoiceField name="backend" schema={property("backend")} value={activity.backend} error={error("backend")} disabled={context.disabled} onChange={put("backend")} />
      </div>
      <h3 class="sf-heading">{t("parameters")}</h3>
      {keys.length === 0 ? <p class="muted">{t("nothing")}</p> : (
        <TableForm key={`${activity.id}:${activity.type}`} context={{ ...context, findings: context.findings.filter((one) => one.path !== path) }} schema={schema} of={`activity.${activity.type}`} path={path} value={activity} inherited={standing?.parameters} hide={HIDDEN} onChange={(next) => onChange(next as Activity, `${activity.id}.parameters`)} />
      )}
    </div>
  );
}

function Boxes({ id, legend, help, error, choices, chosen, disabled, onChange }: { id: string; legend: string; help: string; error?: string; choices: string[]; chosen: string[]; disabled: boolean; onChange: (chosen: string[]) => void }) {
  return (
    <div class={`field sf-field${error ? " field-bad" : ""}`} data-key={id}>
      <fieldset class="sf-checks" disabled={disabled}>
        <legend>{legend}</legend>
        {choices.map((one) => (
          <label key={one}><input type="checkbox" checked={chosen.includes(one)} onChange={(event) => onChange(event.currentTarget.checked ? [...chosen, one] : chosen.filter((other) => other !== one))} /> {one}</label>
        ))}
        {choices.length === 0 && <span class="muted">{t("start")}</span>}
      </fieldset>
      <p class="help">{help}</p>
      {error && <p class="field-error" role="alert">{error}</p>}
    </div>
  );
}

function Needs({ context, definition, activity, error, onChange }: NodeFormProps & { error?: string }) {
  const later = new Set([activity.id, ...successors(definition, activity.id)]);
  const choices = activitiesOf(definition).map((one) => one.id).filter((id) => !later.has(id));
  const now = needsOf(activity);
  return <Boxes id="needs" legend={t("after")} help={t("after_help")} error={error} choices={[...new Set([...choices, ...now])]} chosen={now} disabled={context.disabled} onChange={(needs) => onChange(withNeeds(activity, needs), `${activity.id}.needs`)} />;
}

function OutputsOf({ context, definition, activity, error, help, onChange }: NodeFormProps & { error?: string; help: string }) {
  const choices = activitiesOf(definition).map((one) => one.id).filter((id) => id !== activity.id);
  const now = Array.isArray(activity.outputs_of) ? activity.outputs_of.map(String) : [];
  return <Boxes id="outputs_of" legend={keyName("outputs_of")} help={help} error={error} choices={choices} chosen={now} disabled={context.disabled} onChange={(list) => onChange(set(activity, "outputs_of", list.length > 0 ? list : undefined) as Activity, `${activity.id}.outputs_of`)} />;
}

const WORDS = ["success", "failure", "always", "blocked"] as const;

function WhenField({ context, activity, error, onChange }: NodeFormProps & { error?: string }) {
  const id = useId();
  const when = typeof activity.when === "string" ? activity.when : "success";
  const isExpression = !WORDS.some((word) => word === when);
  const alone = needsOf(activity).length === 0;
  const put = (value: string | undefined) => onChange(set(activity, "when", value) as Activity, `${activity.id}.when`);
  const names = context.root.$defs[`activity.${activity.type}`]?.properties?.when?.["x-names"] ?? [];
  return (
    <div class={`field sf-field${error ? " field-bad" : ""}`} data-key="when">
      <label for={id}>{t("when")}</label>
      <select id={id} disabled={context.disabled} value={isExpression ? "expression" : when} aria-describedby={`${id}-help`} onChange={(event) => {
        const word = event.currentTarget.value;
        put(word === "success" ? undefined : word === "expression" ? "height >= 1080" : word);
      }}>
        {WORDS.map((word) => <option key={word} value={word}>{t(word)}</option>)}
        <option value="expression">{t("expression")}</option>
      </select>
      {isExpression && <Draft value={when} mono disabled={context.disabled} aria-label={t("expression_label")} aria-invalid={error ? true : undefined} onDraft={put} />}
      <p class="help" id={`${id}-help`}>{isExpression ? t("expression_help", { a: "height >= 1080 && has_audio", b: "results.qc.status == 'Success'", names: names.join(", ") }) : alone ? t("needs_one") : ""}</p>
      {error && <p class="field-error" role="alert">{error}</p>}
    </div>
  );
}
