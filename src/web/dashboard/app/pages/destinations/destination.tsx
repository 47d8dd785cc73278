// One destination: how it does, a test, its keys, its definition.
import { useState } from "preact/hooks";
import { post, remove } from "../../api.ts";
import { Copy } from "../../parts/copy.tsx";
import { confirm, openDialog } from "../../parts/dialog.tsx";
import { number } from "../../parts/format.ts";
import { Icon } from "../../parts/icon.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { Badge, Status } from "../../parts/status.tsx";
import { Time } from "../../parts/time.tsx";
import { attempt } from "../../parts/toast.tsx";
import { useResource } from "../../resource.ts";
import { go } from "../../router.ts";
import { isAdmin, isOperator } from "../../session.ts";
import { words } from "../../words.ts";
import { kindName } from "./kinds.ts";
import { type Destination, SECRETS, address, kindOf } from "./shapes.ts";

const t = words({
  destinations: ["Destinations", "回调目标"],
  edit: ["Change", "修改"],
  delete: ["Delete", "删除"],
  delete_ask: ["Delete the destination {name}?", "删除回调目标 {name}？"],
  delete_text: ["What waits for it becomes dead letters. Workflows that name it get dead letters too.", "等待发送的回调将成为死信，引用它的工作流之后的回调也会成为死信。"],
  deleted: ["The destination was deleted", "回调目标已删除"],
  file: ["It stands in the configuration file and is changed there.", "该目标定义在配置文件中，请在配置文件中修改。"],
  unified: ["unified callback", "统一回调"],
  health: ["How it does", "运行状况"],
  waiting: ["Waiting", "待发"],
  dead: ["Given up", "已放弃"],
  half: ["Half of tries within", "响应中位数"],
  most: ["95 % within", "P95 响应"],
  accepted: ["Last accepted", "最近送达"],
  refused: ["Last not accepted", "最近失败"],
  asleep: ["It does not take events and is asked ever more rarely; next", "目标暂不接收，探测间隔逐步拉长；下次"],
  broken: ["It cannot be used", "无法使用"],
  see_dead: ["See what was given up", "查看已放弃的回调"],
  see_all: ["All deliveries", "全部回调记录"],
  test: ["Test", "测试"],
  test_note: ["Sends a WorkflowTaskComplete of a workflow named test, now. Nothing is kept of it.", "立即发送一条名为 test 的工作流的 WorkflowTaskComplete，不留记录。"],
  test_now: ["Send a test event", "发送测试事件"],
  testing: ["Sending …", "发送中…"],
  test_good: ["accepted", "已接收"],
  test_bad: ["not accepted", "未接收"],
  took: ["{n} ms", "{n} 毫秒"],
  keys: ["Keys", "密钥"],
  keys_note: ["Secrets go in and never come out.", "密钥只可写入，不再显示。"],
  set: ["set", "已设置"],
  not_set: ["not set", "未设置"],
  auth_key: ["Key of the profile's own signature", "协议签名密钥"],
  signing_key: ["Key of X-Reelmill-Signature", "X-Reelmill-Signature 密钥"],
  old_signing_key: ["The key before it, signs as well", "旧密钥（仍同时签名）"],
  password: ["Password", "密码"],
  tls_client: ["Client certificate", "客户端证书"],
  rotate: ["Exchange the signing key", "轮换签名密钥"],
  make: ["Make a signing key", "生成签名密钥"],
  rotate_ask: ["Exchange the signing key of {name}?", "轮换 {name} 的签名密钥？"],
  make_ask: ["Make a signing key for {name}?", "为 {name} 生成签名密钥？"],
  rotate_text: ["A new key is made and shown once. The new and the present key both sign until you finish the exchange.", "将生成新密钥并仅显示一次。完成轮换前，新旧密钥会同时签名。"],
  make_text: ["It is made and shown once. From then on every message carries X-Reelmill-Signature.", "密钥仅显示一次。之后每条消息都带有 X-Reelmill-Signature。"],
  new_key: ["The new signing key", "新的签名密钥"],
  once: ["It is shown here once. Give it to the receiver now.", "密钥仅在此显示一次，请立即交给接收方。"],
  noted: ["I have kept it", "我已保存"],
  finish: ["Finish the exchange", "完成轮换"],
  finish_ask: ["Do receivers know the new key?", "接收方是否已使用新密钥？"],
  finish_text: ["The old key signs no more from then on.", "之后旧密钥将不再签名。"],
  finished: ["Only the new key signs now", "现在仅使用新密钥签名"],
  about: ["Definition", "定义"],
  kind: ["Kind", "类型"],
  where: ["Where", "地址"],
  profile: ["Form of the messages", "消息格式"],
  events: ["Events", "事件"],
  all_events: ["all but those that must be asked for", "除需显式订阅外的全部事件"],
  global: ["Told of every workflow's events", "接收所有工作流的事件"],
  yes: ["yes", "是"],
  no: ["no", "否"],
  retry: ["Retry", "重试策略"],
  retry_default: ["1 s to 15 min apart, for 72 h", "间隔 1 秒至 15 分钟，持续 72 小时"],
  retry_ims: ["three tries, 1 s apart", "重试 3 次，间隔 1 秒"],
  timeout: ["A try may take", "单次超时"],
  seconds: ["{n} s", "{n} 秒"],
  headers: ["Headers", "请求头"],
  template: ["Body", "消息体"],
  own_template: ["a template of one's own", "自定义模板"],
  made: ["Made", "创建时间"],
});

interface Trial {
  accepted: boolean;
  status: number | null;
  error: string | null;
  answer: string | null;
  took_ms: number;
}

export function DestinationPage({ name }: { name: string }) {
  const found = useResource<Destination>(`destinations/${encodeURIComponent(name)}`, undefined, { every: 4000 });
  const one = found.data;
  const crumbs = [{ text: t("destinations"), href: "/destinations" }];
  if (!one) return <><PageHead title={name} crumbs={crumbs} />{found.error ? <ErrorBox error={found.error} retry={found.refresh} /> : <Skeleton lines={6} />}</>;
  const api = one.origin !== "file";
  const drop = async () => {
    if (!(await confirm(t("delete_ask", { name }), t("delete_text"), t("delete"), { danger: true }))) return;
    const gone = await attempt(async () => (await remove(`destinations/${encodeURIComponent(name)}`), true), t("deleted"));
    if (gone) go("/destinations");
  };
  return (
    <>
      <PageHead title={name} crumbs={crumbs} note={<span class="destinations-note"><Status status={one.status} />{one.unified && <Badge tone="run">{t("unified")}</Badge>}<span>{kindName(kindOf(one))}</span><span class="mono">{address(one)}</span></span>}>
        {isAdmin.value && api && (
          <>
            <a class="button" href={`/destinations/${encodeURIComponent(name)}/edit`}><Icon name="edit" size={16} />{t("edit")}</a>
            <button type="button" class="button danger" onClick={() => void drop()}><Icon name="trash" size={16} />{t("delete")}</button>
          </>
        )}
      </PageHead>
      <div class="stack">
        {one.fault && <div class="problem"><Icon name="warn" /><div><p><b>{t("broken")}</b></p><p>{one.fault}</p></div></div>}
        <HealthCard one={one} />
        <div class="cards">
          {isOperator.value && <TestCard name={name} onDone={found.refresh} />}
          {SECRETS[kindOf(one)].length > 0 && <KeysCard one={one} api={api} onDone={found.refresh} />}
        </div>
        <Card title={t("about")}>
          {!api && <p class="muted">{t("file")}</p>}
          <Facts rows={[
            [t("kind"), kindName(kindOf(one))],
            [t("where"), <span class="mono">{address(one)}</span>],
            [t("profile"), one.profile || "ims"],
            [t("events"), one.events.length > 0 ? one.events.join(", ") : t("all_events")],
            [t("global"), t(one.global ? "yes" : "no")],
            [t("retry"), t(one.retry === "ims" ? "retry_ims" : "retry_default")],
            one.timeout_s > 0 && [t("timeout"), t("seconds", { n: one.timeout_s })],
            one.headers !== undefined && [t("headers"), Object.keys(one.headers).join(", ")],
            (one.template !== undefined || one.body_template !== undefined) && [t("template"), one.template ?? t("own_template")],
            [t("made"), <Time at={one.created_at} whole />],
          ]} />
        </Card>
      </div>
    </>
  );
}

function HealthCard({ one }: { one: Destination }) {
  const health = one.health;
  const to = `/deliveries?destination=${encodeURIComponent(one.id)}`;
  const ms = (value: number | null) => (value === null ? "–" : t("took", { n: number(value) }));
  return (
    <Card title={t("health")} deeds={<><a href={to}>{t("see_all")}</a>{health.dead > 0 && <a class="button small" href={`${to}&status=dead`}>{t("see_dead")}</a>}</>}>
      <dl class="destinations-figures">
        <div><dt>{t("waiting")}</dt><dd>{number(health.pending)}</dd></div>
        <div><dt>{t("dead")}</dt><dd class={health.dead > 0 ? "destinations-bad" : undefined}>{number(health.dead)}</dd></div>
        <div><dt>{t("half")}</dt><dd>{ms(health.p50_ms)}</dd></div>
        <div><dt>{t("most")}</dt><dd>{ms(health.p95_ms)}</dd></div>
        <div><dt>{t("accepted")}</dt><dd><Time at={health.last_success_at} /></dd></div>
        {health.last_error_at && <div><dt>{t("refused")}</dt><dd><Time at={health.last_error_at} /></dd></div>}
      </dl>
      {one.status !== "ok" && health.last_error && <div class="problem"><Icon name="warn" /><div><p>{health.last_error}</p>{health.next_try_at && <p class="remedy">{t("asleep")}: <Time at={health.next_try_at} /></p>}</div></div>}
    </Card>
  );
}

function TestCard({ name, onDone }: { name: string; onDone: () => void }) {
  const [busy, setBusy] = useState(false);
  const [trial, setTrial] = useState<Trial | null>(null);
  const [error, setError] = useState<unknown>(null);
  const test = async () => {
    setBusy(true);
    setError(null);
    setTrial(null);
    try {
      setTrial(await post<Trial>(`destinations/${encodeURIComponent(name)}/test`));
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
      onDone();
    }
  };
  return (
    <Card title={t("test")}>
      <div class="destinations-trial">
        <p class="muted">{t("test_note")}</p>
        <p><button type="button" class="button" disabled={busy} onClick={() => void test()}><Icon name="send" size={16} />{t(busy ? "testing" : "test_now")}</button></p>
        <div aria-live="polite">
          {trial && <p class="row"><Status status={trial.accepted ? "Success" : "Fail"} text={t(trial.accepted ? "test_good" : "test_bad")} />{trial.status !== null && <span>{trial.status}</span>}<span class="muted">{t("took", { n: number(trial.took_ms) })}</span></p>}
          {trial?.error && <p>{trial.error}</p>}
          {trial?.answer && <pre>{trial.answer}</pre>}
        </div>
        <ErrorBox error={error} />
      </div>
    </Card>
  );
}

function KeysCard({ one, api, onDone }: { one: Destination; api: boolean; onDone: () => void }) {
  const has = (name: string) => one.secrets.includes(name);
  const at = `destinations/${encodeURIComponent(one.id)}/rotate`;
  const signs = SECRETS[kindOf(one)].includes("signing_key");
  const rotate = async () => {
    const first = !has("signing_key");
    if (!(await confirm(t(first ? "make_ask" : "rotate_ask", { name: one.id }), t(first ? "make_text" : "rotate_text"), t(first ? "make" : "rotate")))) return;
    const made = await attempt(() => post<{ signing_key: string | null }>(at));
    if (made?.signing_key) await showOnce(made.signing_key);
    onDone();
  };
  const finish = async () => {
    if (!(await confirm(t("finish_ask"), t("finish_text"), t("finish")))) return;
    await attempt(() => post(at, { finish: true }), t("finished"));
    onDone();
  };
  return (
    <Card title={t("keys")}>
      <p class="muted">{t("keys_note")}</p>
      <Facts rows={[
        ...SECRETS[kindOf(one)].map((name): [string, string] => [t(name), t(has(name) ? "set" : "not_set")]),
        has("old_signing_key") && [t("old_signing_key"), t("set")],
      ]} />
      {isAdmin.value && api && signs && (
        <p class="row">
          <button type="button" class="button small" onClick={() => void rotate()}><Icon name="key" size={15} />{t(has("signing_key") ? "rotate" : "make")}</button>
          {has("old_signing_key") && <button type="button" class="button small" onClick={() => void finish()}><Icon name="check" size={15} />{t("finish")}</button>}
        </p>
      )}
    </Card>
  );
}

/// A secret that can be read now and never again.
const showOnce = (key: string): Promise<unknown> =>
  openDialog(t("new_key"), (close) => (
    <>
      <p>{t("once")}</p>
      <p class="destinations-once"><Copy text={key} /></p>
      <div class="dialog-buttons"><button type="button" class="button primary" onClick={() => close()}>{t("noted")}</button></div>
    </>
  ));
