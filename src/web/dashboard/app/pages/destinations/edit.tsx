// Making a destination, and changing one.
import { type Page, post, put } from "../../api.ts";
import { useState } from "preact/hooks";
import { NumberField, SecretField, SelectField, SwitchField, TextField } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { tellDone } from "../../parts/toast.tsx";
import { useResource } from "../../resource.ts";
import { go } from "../../router.ts";
import { words } from "../../words.ts";
import { EVENT_TYPES } from "../deliveries/shapes.ts";
import { type Draft, type TextName, definitionOf, draftOf, hasHeaders } from "./definition_form.ts";
import { kindHelp, kindName } from "./kinds.ts";
import { type Destination, KINDS, SECRETS, type Secret } from "./shapes.ts";

const t = words({
  destinations: ["Destinations", "回调目标"],
  new: ["Add a destination", "添加回调目标"],
  change: ["Change {name}", "修改 {name}"],
  kind: ["What it is", "类型"],
  name: ["Name", "名称"],
  name_help: ["Letters, digits, - and _. Workflows name it so; it stays.", "字母、数字、- 和 _。工作流以此引用，之后不可修改。"],
  where: ["Where events go", "事件去向"],
  url: ["Address", "地址"],
  url_http: ["http or https. This host itself can only be named in the configuration file.", "http 或 https。本机地址只能写在配置文件中。"],
  url_broker: ["The address of the broker, as amqps://broker.local.", "消息代理地址，例如 amqps://broker.local。"],
  template: ["Body", "消息体"],
  template_none: ["the event itself", "事件本身"],
  template_own: ["a template of my own", "自定义模板"],
  body_template: ["Template of the body", "消息体模板"],
  body_template_help: ["Jinja over the native form: {{ type }}, {{ task.workflow_name }}, {{ summary.title }}. One that begins with { is JSON.", "基于 native 格式的 Jinja 模板：{{ type }}、{{ task.workflow_name }}、{{ summary.title }}。以 { 开头时按 JSON 处理。"],
  queue: ["Queue", "队列"],
  queue_help: ["Or an exchange below.", "或填写下方交换机。"],
  exchange: ["Exchange", "交换机"],
  routing_key: ["Routing key", "路由键"],
  declare: ["Make queue and exchange when connecting", "连接时声明队列和交换机"],
  subject: ["Subject", "主题"],
  subject_nats: ["A JetStream stream must take it.", "须有 JetStream 流接收该主题。"],
  subject_mail: ["The subject line, a template. Empty: a summary.", "邮件主题模板，留空则为摘要。"],
  topic: ["Topic", "主题"],
  stream: ["Stream", "流"],
  max_entries: ["Entries kept", "保留条数"],
  max_entries_help: ["About so many; 0 keeps all.", "近似值；0 表示全部保留。"],
  program: ["Program", "程序"],
  program_help: ["Its name in hooks_dir.", "hooks_dir 中的程序名。"],
  storage: ["Storage", "存储"],
  choose: ["Choose one …", "请选择…"],
  prefix: ["Folder", "目录"],
  smtp: ["Mail server", "邮件服务器"],
  smtp_help: ["HOST or HOST:PORT.", "HOST 或 HOST:PORT。"],
  security: ["Security", "加密方式"],
  none: ["none", "无"],
  from: ["Sender", "发件人"],
  to: ["Receivers", "收件人"],
  to_help: ["One a line.", "每行一个。"],
  user: ["User", "用户名"],
  message: ["What is told", "消息内容"],
  profile: ["Form of the messages", "消息格式"],
  profile_help: ["native has everything, and is the only one with words for alerts.", "native 包含全部信息，也是唯一支持告警的格式。"],
  native_always: ["Mail and templates are filled from the native form.", "邮件与模板始终使用 native 格式。"],
  global: ["Told of the events of every workflow, whatever it says of callbacks", "接收所有工作流的事件（不受工作流回调设置影响）"],
  legacy: ["Also TranscodeComplete and TranscodeParentComplete, the older words", "同时发送旧版 TranscodeComplete 与 TranscodeParentComplete"],
  events: ["Which events", "订阅的事件"],
  events_help: ["None marked: all but WorkflowTaskStart and WorkflowTaskProgress. Alerts are told only where they are marked.", "不选：除 WorkflowTaskStart 和 WorkflowTaskProgress 外的全部事件。告警仅在勾选后发送。"],
  retry: ["When it is not accepted", "未送达时"],
  retry_default: ["again after 1 s, doubling up to 15 min, for 72 h", "1 秒后重试，间隔倍增至 15 分钟，持续 72 小时"],
  retry_ims: ["three tries 1 s apart, 3 s each, status 200 only (as IMS)", "3 次、间隔 1 秒、单次 3 秒、仅认 200（同 IMS）"],
  timeout: ["A try may take", "单次超时"],
  timeout_help: ["Empty: 10 s, of a program 60 s.", "留空：10 秒，程序为 60 秒。"],
  secrets: ["Keys and secrets", "密钥"],
  auth_key: ["Key of the profile's own signature", "协议签名密钥"],
  signing_key: ["Key of X-Reelmill-Signature", "X-Reelmill-Signature 密钥"],
  password: ["Password", "密码"],
  tls_client: ["Client certificate and key, PEM", "客户端证书与私钥（PEM）"],
  tls_ca: ["Authorities to trust besides the system's, PEM", "额外信任的 CA（PEM）"],
  kept: ["Set. Leave it empty to keep it.", "已设置，留空则保持不变。"],
  drop: ["Take it away", "移除"],
  headers: ["Headers", "请求头"],
  header_name: ["Name of header {n}", "请求头 {n} 名称"],
  header_value: ["Value of header {n}", "请求头 {n} 值"],
  masked: ["*** keeps the value that is there.", "*** 表示保持原值。"],
  add_header: ["Add a header", "添加请求头"],
  remove: ["Remove header {n}", "删除请求头 {n}"],
  save: ["Save", "保存"],
  create: ["Add", "添加"],
  cancel: ["Cancel", "取消"],
  saved: ["The destination was saved", "回调目标已保存"],
});

export const NewPage = () => <Form before={null} />;

export function EditPage({ name }: { name: string }) {
  const found = useResource<Destination>(`destinations/${encodeURIComponent(name)}`);
  if (found.data) return <Form before={found.data} />;
  return found.error ? <ErrorBox error={found.error} retry={found.refresh} /> : <Skeleton lines={8} />;
}

type Set = (changes: Partial<Draft>) => void;

function Form({ before }: { before: Destination | null }) {
  const [draft, setDraft] = useState(() => draftOf(before));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const set: Set = (changes) => setDraft((now) => ({ ...now, ...changes }));
  const back = before ? `/destinations/${encodeURIComponent(before.name)}` : "/destinations";
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const definition = definitionOf(draft);
      const made = before ? await put<Destination>(`destinations/${encodeURIComponent(before.name)}`, definition) : await post<Destination>("destinations", definition);
      tellDone(t("saved"));
      go(`/destinations/${encodeURIComponent(made.name)}`);
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <PageHead title={before ? t("change", { name: before.name }) : t("new")} crumbs={[{ text: t("destinations"), href: "/destinations" }]} />
      <form class="destinations-form" onSubmit={(event) => void save(event)}>
        <Card>
          {!before && (
            <fieldset class="destinations-kinds">
              <legend>{t("kind")}</legend>
              {KINDS.map((kind) => (
                <label key={kind}><input type="radio" name="kind" value={kind} checked={draft.kind === kind} onChange={() => set({ kind })} /><b>{kindName(kind)}</b><span>{kindHelp(kind)}</span></label>
              ))}
            </fieldset>
          )}
          {!before && <TextField label={t("name")} required mono value={draft.name} onInput={(name) => set({ name })} help={t("name_help")} maxLength={128} />}
          <Where draft={draft} set={set} />
        </Card>
        <Card title={t("message")}><Message draft={draft} set={set} /></Card>
        {SECRETS[draft.kind].length > 0 && <Card title={t("secrets")}><Secrets draft={draft} set={set} before={before} /></Card>}
        {hasHeaders(draft.kind) && <Card title={t("headers")}><Headers draft={draft} set={set} masked={before !== null} /></Card>}
        <ErrorBox error={error} />
        <p class="row"><button type="submit" class="button primary" disabled={busy}>{t(before ? "save" : "create")}</button><a class="button" href={back}>{t("cancel")}</a></p>
      </form>
    </>
  );
}

function Where({ draft, set }: { draft: Draft; set: Set }) {
  const storages = useResource<Page<{ id: string; name: string }>>(draft.kind === "storage" ? "storages" : null);
  const text = (name: TextName) => ({ value: draft.text[name], onInput: (value: string) => set({ text: { ...draft.text, [name]: value } }) });
  const broker = draft.kind === "amqp" || draft.kind === "nats" || draft.kind === "mqtt" || draft.kind === "redis";
  return (
    <div class="fields">
      {(draft.kind === "http" || broker) && <TextField label={t("url")} required mono type="url" placeholder={draft.kind === "http" ? "https://mam.local/hook" : `${draft.kind}://broker.local`} help={t(broker ? "url_broker" : "url_http")} {...text("url")} />}
      {draft.kind === "amqp" && (
        <>
          <TextField label={t("queue")} mono help={t("queue_help")} {...text("queue")} />
          <TextField label={t("exchange")} mono {...text("exchange")} />
          <TextField label={t("routing_key")} mono {...text("routing_key")} />
          <SwitchField label={t("declare")} value={draft.declare} onInput={(declare) => set({ declare })} />
        </>
      )}
      {draft.kind === "nats" && <TextField label={t("subject")} required mono help={t("subject_nats")} {...text("subject")} />}
      {draft.kind === "mqtt" && <TextField label={t("topic")} required mono {...text("topic")} />}
      {draft.kind === "redis" && (
        <>
          <TextField label={t("stream")} required mono {...text("stream")} />
          <NumberField label={t("max_entries")} min={0} step={1} value={draft.maxEntries} onInput={(maxEntries) => set({ maxEntries })} help={t("max_entries_help")} />
        </>
      )}
      {draft.kind === "exec" && <TextField label={t("program")} required mono help={t("program_help")} {...text("program")} />}
      {draft.kind === "storage" && (
        <>
          <SelectField label={t("storage")} required choices={[{ value: "", text: t("choose"), disabled: true }, ...(storages.data?.items ?? []).map(({ name }) => ({ value: name, text: name }))]} {...text("storage")} />
          <TextField label={t("prefix")} mono {...text("prefix")} />
        </>
      )}
      {draft.kind === "mail" && (
        <>
          <TextField label={t("smtp")} required mono help={t("smtp_help")} {...text("smtp")} />
          <SelectField label={t("security")} choices={[{ value: "", text: "STARTTLS" }, { value: "tls", text: "TLS" }, { value: "none", text: t("none") }]} {...text("security")} />
          <TextField label={t("from")} required type="email" {...text("from")} />
          <TextField label={t("to")} required lines={2} help={t("to_help")} value={draft.to} onInput={(to) => set({ to })} />
          <TextField label={t("subject")} help={t("subject_mail")} {...text("subject")} />
        </>
      )}
      {(broker || draft.kind === "mail") && <TextField label={t("user")} {...text("user")} />}
    </div>
  );
}

function Message({ draft, set }: { draft: Draft; set: Set }) {
  const text = (name: TextName) => ({ value: draft.text[name], onInput: (value: string) => set({ text: { ...draft.text, [name]: value } }) });
  const [own, setOwn] = useState(draft.text.body_template !== "");
  const body = own ? "own" : draft.text.template;
  const native = draft.kind === "mail" || (draft.kind === "http" && body !== "");
  const marked = (type: string, on: boolean) => set({ events: on ? [...draft.events, type] : draft.events.filter((other) => other !== type) });
  return (
    <>
      <div class="fields">
        {draft.kind === "http" && <SelectField label={t("template")} value={body} onInput={(value) => {
          setOwn(value === "own");
          set({ text: { ...draft.text, template: value === "own" ? "" : value, body_template: value === "own" ? draft.text.body_template : "" } });
        }} choices={[{ value: "", text: t("template_none") }, { value: "wecom", text: "企业微信 WeCom" }, { value: "dingtalk", text: "钉钉 DingTalk" }, { value: "feishu", text: "飞书 Feishu / Lark" }, { value: "slack", text: "Slack" }, { value: "own", text: t("template_own") }]} />}
        <SelectField label={t("profile")} help={native ? t("native_always") : t("profile_help")} disabled={native} {...text("profile")} value={native ? "native" : draft.text.profile || "ims"}
          choices={[{ value: "ims", text: "Alibaba IMS (ims)" }, { value: "vod", text: "ApsaraVideo VOD (vod)" }, { value: "mps", text: "Tencent MPS (mps)" }, { value: "native", text: "reelmill (native)" }]} />
        <SelectField label={t("retry")} choices={[{ value: "", text: t("retry_default") }, { value: "ims", text: t("retry_ims") }]} value={draft.text.retry === "default" ? "" : draft.text.retry} onInput={(retry) => set({ text: { ...draft.text, retry } })} />
        <NumberField label={t("timeout")} min={1} max={600} step={1} unit="s" value={draft.timeout} onInput={(timeout) => set({ timeout })} help={t("timeout_help")} />
      </div>
      {(own || draft.kind === "mail") && <TextField label={t("body_template")} lines={6} mono help={t("body_template_help")} required={own && draft.kind === "http"} {...text("body_template")} />}
      <SwitchField label={t("global")} value={draft.global} onInput={(global) => set({ global })} />
      <SwitchField label={t("legacy")} value={draft.legacy} onInput={(legacy) => set({ legacy })} />
      <details open={draft.events.length > 0}>
        <summary>{t("events")}</summary>
        <p class="help">{t("events_help")}</p>
        <fieldset class="destinations-events">
          <legend class="visually-hidden">{t("events")}</legend>
          {EVENT_TYPES.map((type) => <label key={type}><input type="checkbox" checked={draft.events.includes(type)} onChange={(event) => marked(type, event.currentTarget.checked)} />{type}</label>)}
        </fieldset>
      </details>
    </>
  );
}

function Secrets({ draft, set, before }: { draft: Draft; set: Set; before: Destination | null }) {
  const has = (name: Secret) => before?.secrets.includes(name) ?? false;
  const ca = draft.kind !== "exec";
  return (
    <div class="fields">
      {SECRETS[draft.kind].map((name) => {
        const dropped = draft.dropped.includes(name);
        const change = (value: string) => set({ secrets: { ...draft.secrets, [name]: value } });
        const help = has(name) ? (
          <>{t("kept")} <label class="nowrap"><input type="checkbox" checked={dropped} onChange={(event) => set({ dropped: event.currentTarget.checked ? [...draft.dropped, name] : draft.dropped.filter((other) => other !== name) })} /> {t("drop")}</label></>
        ) : undefined;
        return name === "tls_client"
          ? <TextField key={name} label={t(name)} lines={4} mono disabled={dropped} help={help} value={draft.secrets[name] ?? ""} onInput={change} />
          : <SecretField key={name} label={t(name)} disabled={dropped} help={help} autocomplete="new-password" value={draft.secrets[name] ?? ""} onInput={change} />;
      })}
      {ca && <TextField label={t("tls_ca")} lines={4} mono value={draft.text.tls_ca} onInput={(value) => set({ text: { ...draft.text, tls_ca: value } })} />}
    </div>
  );
}

function Headers({ draft, set, masked }: { draft: Draft; set: Set; masked: boolean }) {
  const change = (at: number, changes: Partial<{ name: string; value: string }>) => set({ headers: draft.headers.map((header, one) => (one === at ? { ...header, ...changes } : header)) });
  return (
    <>
      {masked && draft.headers.length > 0 && <p class="help">{t("masked")}</p>}
      {draft.headers.map((header, at) => (
        <div class="destinations-header" key={at}>
          <input aria-label={t("header_name", { n: at + 1 })} class="mono" value={header.name} onInput={(event) => change(at, { name: event.currentTarget.value })} />
          <input aria-label={t("header_value", { n: at + 1 })} class="mono" value={header.value} onInput={(event) => change(at, { value: event.currentTarget.value })} />
          <button type="button" class="icon-button" aria-label={t("remove", { n: at + 1 })} onClick={() => set({ headers: draft.headers.filter((_, one) => one !== at) })}><Icon name="trash" size={16} /></button>
        </div>
      ))}
      <button type="button" class="button small" onClick={() => set({ headers: [...draft.headers, { name: "", value: "" }] })}><Icon name="plus" size={15} />{t("add_header")}</button>
    </>
  );
}
