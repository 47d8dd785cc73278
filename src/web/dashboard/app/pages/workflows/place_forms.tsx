// The ends of a workflow: what it is called and runs on (Start), where outputs go and whom it tells (End).
import { words } from "../../words.ts";
import { type Definition, set } from "../../flow/definition.ts";
import { TableForm, KeyField, type FormContext } from "../../flow/form.tsx";
import { asTable } from "../../flow/schema.ts";
import type { Table } from "../../flow/toml.ts";

const t = words({
  general: ["Name", "名称"],
  source: ["Source", "源"],
  outputs: ["Outputs", "输出"],
  callback: ["Callback and events", "回调与事件"],
  preset: ["Preset", "预置"],
});

interface PlaceProps {
  context: FormContext;
  definition: Definition;
  onChange: (definition: Definition, kind: string) => void;
}

function Section({ context, definition, onChange, name }: PlaceProps & { name: "source" | "output" | "callback" }) {
  const schema = context.root.properties?.[name] ?? {};
  const of = name === "output" ? "output_place" : name;
  // A table that was emptied is left out, as people write it.
  const put = (table: Table) => onChange(set(definition, name, Object.keys(table).length > 0 ? table : undefined), name);
  return <TableForm context={context} schema={schema} of={of} path={name} value={asTable(definition[name]) ?? {}} onChange={put} />;
}

export function StartForm(props: PlaceProps) {
  const { context, definition, onChange } = props;
  const keys = ["name", "description", "success", ...(definition.preset !== undefined ? ["preset"] : [])];
  // A source must say where: its storage is asked for as long as it is not the library.
  const root = context.root;
  const source = root.$defs.source ?? {};
  const asking = asTable(definition.source)?.library === true ? root : { ...root, $defs: { ...root.$defs, source: { ...source, required: ["storage"] } } };
  return (
    <>
      <div class="sf-fields">
        {keys.map((name) => <KeyField key={name} name={name} table={root} context={context} schema={root} of="" path="" value={definition} onChange={(next) => onChange(next, name)} />)}
      </div>
      <h3 class="sf-heading">{t("source")}</h3>
      <Section {...props} context={{ ...context, root: asking }} name="source" />
    </>
  );
}

export function EndForm(props: PlaceProps) {
  return (
    <>
      <h3 class="sf-heading wfe-first">{t("outputs")}</h3>
      <Section {...props} name="output" />
      <h3 class="sf-heading">{t("callback")}</h3>
      <Section {...props} name="callback" />
    </>
  );
}
