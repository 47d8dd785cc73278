// Who may come in: people, tokens of programs, key pairs of the cloud-compatible APIs.
import { useState } from "preact/hooks";
import { patch, post, remove } from "../../api.ts";
import { usePaged } from "../../resource.ts";
import { session } from "../../session.ts";
import { words } from "../../words.ts";
import { Copy } from "../../parts/copy.tsx";
import { confirm, openDialog } from "../../parts/dialog.tsx";
import { NumberField, SecretField, SelectField, TextField } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Menu } from "../../parts/menu.tsx";
import { PageHead } from "../../parts/page.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { Badge } from "../../parts/status.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Time } from "../../parts/time.tsx";
import { attempt } from "../../parts/toast.tsx";
import "./access.css";

const t = words({
  title: ["Users and keys", "用户与密钥"],
  note: ["People log in with a name and a password; programs show a token or a key pair.", "人员用用户名和密码登录；程序使用令牌或密钥对。"],
  users: ["Users", "用户"],
  tokens: ["Tokens", "令牌"],
  keys: ["Access keys", "访问密钥"],
  users_hint: ["A person with a name, a password and a role.", "拥有用户名、密码和角色的人员。"],
  tokens_hint: ["A secret for the REST API and the command line. It also opens a session here, with its role.", "用于 REST API 和命令行的密钥，也可凭其角色在此登录。"],
  keys_hint: ["A key pair with which the SDKs of the clouds speak to this host.", "云厂商 SDK 访问本机所用的密钥对。"],
  new_user: ["New user", "新建用户"],
  new_token: ["New token", "新建令牌"],
  new_key: ["New access key", "新建访问密钥"],
  name: ["Name", "名称"],
  what_for: ["What it is for", "用途"],
  what_for_help: ["For example: asset manager.", "例如：媒资管理系统。"],
  role: ["Role", "角色"],
  state: ["State", "状态"],
  created: ["Created", "创建时间"],
  used: ["Last use", "最近使用"],
  logged_in: ["Last log-in", "最近登录"],
  expires: ["Expires", "过期时间"],
  never: ["never", "从不"],
  id: ["Key id", "密钥 ID"],
  admin: ["Admin", "管理员"],
  operator: ["Operator", "操作员"],
  viewer: ["Viewer", "查看者"],
  admin_hint: ["Everything, people and settings too", "全部权限，包括人员和设置"],
  operator_hint: ["Runs tasks, changes workflows", "运行任务、修改工作流"],
  viewer_hint: ["Looks", "只读"],
  enabled: ["enabled", "已启用"],
  disabled: ["disabled", "已停用"],
  valid: ["valid", "有效"],
  expired: ["expired", "已过期"],
  revoked: ["revoked", "已吊销"],
  password: ["Password", "密码"],
  password_help: ["10 to 256 characters, not the name.", "10 至 256 个字符，不能是用户名。"],
  new_password: ["New password", "新密码"],
  set_password: ["Set a password", "重设密码"],
  change_role: ["Change the role", "修改角色"],
  disable: ["Disable", "停用"],
  enable: ["Enable", "启用"],
  remove: ["Remove", "删除"],
  revoke: ["Revoke", "吊销"],
  days: ["Days until it expires", "有效天数"],
  days_help: ["Left empty: never.", "留空：永不过期。"],
  day_unit: ["days", "天"],
  make: ["Create", "创建"],
  save: ["Save", "保存"],
  cancel: ["Cancel", "取消"],
  done: ["Done", "完成"],
  deeds: ["What can be done with {name}", "{name} 的操作"],
  you: ["you", "当前"],
  shown_once: ["Copy it now: it is shown this one time and kept nowhere.", "请立即复制：仅显示这一次，系统不会保存。"],
  secret: ["Secret", "密钥"],
  token: ["Token", "令牌"],
  really_remove: ["Remove {name}?", "删除 {name}？"],
  really_remove_text: ["Every session of this user ends at once. What they did stays in the audit log.", "该用户的所有会话立即结束；其操作仍保留在审计日志中。"],
  really_disable: ["Disable {name}?", "停用 {name}？"],
  really_revoke: ["Revoke {name}?", "吊销 {name}？"],
  really_revoke_text: ["Whoever uses it is refused from now on. This cannot be undone.", "使用者将立即被拒绝，且无法恢复。"],
  made_user: ["{name} can log in", "{name} 可以登录了"],
  saved: ["Saved", "已保存"],
  gone: ["{name} is removed", "{name} 已删除"],
  void: ["{name} opens nothing any more", "{name} 已失效"],
  no_users: ["No users yet", "还没有用户"],
  no_tokens: ["No tokens", "没有令牌"],
  no_keys: ["No access keys", "没有访问密钥"],
});

type Role = "admin" | "operator" | "viewer";

interface User { id: string; created_at: string; status: "enabled" | "disabled"; name: string; role: Role; modified_at: string; used_at: string | null }
interface Token { id: string; created_at: string; status: "valid" | "expired" | "revoked"; name: string; role: Role; used_at: string | null; expires_at: string | null }
interface Key { id: string; created_at: string; status: "valid" | "revoked"; name: string; role: Role; used_at: string | null }

const roles = () => (["viewer", "operator", "admin"] as const).map((role) => ({ value: role, text: `${t(role)} – ${t(`${role}_hint`)}` }));
const tone = (status: string) => (status === "enabled" || status === "valid" ? "good" : status === "expired" ? "wait" : "idle");

function State({ status }: { status: User["status"] | Token["status"] }) {
  return <Badge tone={tone(status)}>{t(status)}</Badge>;
}

export default function Access() {
  return (
    <>
      <PageHead title={t("title")} note={t("note")} />
      <Tabs label={t("title")} tabs={[
        { key: "users", title: t("users"), body: () => <Users /> },
        { key: "tokens", title: t("tokens"), body: () => <Tokens /> },
        { key: "keys", title: t("keys"), body: () => <Keys /> },
      ]} />
    </>
  );
}

function Head({ hint, deed, onMake }: { hint: string; deed: string; onMake: () => void }) {
  return (
    <div class="access-head">
      <p class="muted">{hint}</p>
      <button type="button" class="button primary" onClick={onMake}><Icon name="plus" size={18} />{deed}</button>
    </div>
  );
}

/// A small form in a dialog: its fields, and what is done with them.
function Sheet<T>({ fields, deed, close, send }: { fields: preact.ComponentChildren; deed: string; close: (result?: T) => void; send: () => Promise<T> }) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      setBusy(true);
      send().then((result) => close(result), (failed: unknown) => {
        setError(failed);
        setBusy(false);
      });
    }}>
      {fields}
      <ErrorBox error={error} />
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => close()}>{t("cancel")}</button>
        <button type="submit" class="button primary" disabled={busy}>{deed}</button>
      </div>
    </form>
  );
}

/// Shows a secret that nobody will show again.
const showOnce = (title: string, label: string, secret: string, id?: string) => openDialog(title, (close) => (
  <>
    <p class="access-once"><Icon name="warn" size={18} />{t("shown_once")}</p>
    {id && <div class="field"><label>{t("id")}</label><Copy text={id} /></div>}
    <div class="field"><label>{label}</label><div class="access-secret"><Copy text={secret} /></div></div>
    <div class="dialog-buttons"><button type="button" class="button primary" onClick={() => close()}>{t("done")}</button></div>
  </>
));

function Users() {
  const list = usePaged<User>("users");
  const change = async (user: User, what: object) => {
    await attempt(() => patch(`users/${user.id}`, what), t("saved"));
    list.refresh();
  };
  const columns: Column<User>[] = [
    { key: "name", title: t("name"), width: "minmax(0, 2fr)", cell: (user) => <span class="access-name"><Icon name="user" size={18} /><b>{user.name}</b>{user.name === session.value?.name && <Badge tone="run">{t("you")}</Badge>}</span> },
    { key: "role", title: t("role"), width: "minmax(5.500rem, 1fr)", cell: (user) => t(user.role) },
    { key: "state", title: t("state"), width: "7rem", from: 2, cell: (user) => <State status={user.status} /> },
    { key: "used", title: t("logged_in"), from: 2, cell: (user) => (user.used_at ? <Time at={user.used_at} /> : <span class="muted">{t("never")}</span>) },
    { key: "created", title: t("created"), from: 3, cell: (user) => <Time at={user.created_at} /> },
    {
      key: "deeds", title: "", width: "2.500rem", align: "end", cell: (user) => (
        <Menu label={t("deeds", { name: user.name })} items={[
          { text: t("change_role"), icon: "key", act: () => void changeRole(user).then((done) => done && list.refresh()) },
          { text: t("set_password"), icon: "lock", act: () => void setPassword(user).then((done) => done && list.refresh()) },
          user.status === "enabled"
            ? { text: t("disable"), icon: "pause", act: () => void confirm(t("really_disable", { name: user.name }), t("really_remove_text"), t("disable"), { danger: true }).then(async (yes) => {
            if (yes) await change(user, { disabled: true });
          }) }
            : { text: t("enable"), icon: "play", act: () => void change(user, { disabled: false }) },
          { text: t("remove"), icon: "trash", danger: true, act: () => void confirm(t("really_remove", { name: user.name }), t("really_remove_text"), t("remove"), { danger: true }).then(async (yes) => {
            if (!yes) return;
            await attempt(() => remove(`users/${user.id}`), t("gone", { name: user.name }));
            list.refresh();
          }) },
        ]} />
      ),
    },
  ];
  return (
    <>
      <Head hint={t("users_hint")} deed={t("new_user")} onMake={() => void newUser().then((made) => made && list.refresh())} />
      <Table label={t("users")} columns={columns} list={list} empty={<><Icon name="users" size={32} /><h2>{t("no_users")}</h2></>} />
    </>
  );
}

function newUser() {
  return openDialog<User>(t("new_user"), (close) => <NewUser close={close} />);
}

function NewUser({ close }: { close: (made?: User) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<string>("operator");
  const [password, setPassword] = useState("");
  return (
    <Sheet close={close} deed={t("make")} send={() => post<User>("users", { name: name.trim(), role, password })} fields={
      <>
        <TextField label={t("name")} value={name} onInput={setName} required autofocus maxLength={64} autocomplete="off" />
        <SelectField label={t("role")} value={role} onInput={setRole} choices={roles()} />
        <SecretField label={t("password")} help={t("password_help")} value={password} onInput={setPassword} required autocomplete="new-password" />
      </>
    } />
  );
}

function setPassword(user: User) {
  return openDialog<User>(`${t("set_password")}: ${user.name}`, (close) => <NewPassword user={user} close={close} />);
}

function NewPassword({ user, close }: { user: User; close: (done?: User) => void }) {
  const [password, setPassword] = useState("");
  return <Sheet close={close} deed={t("save")} send={() => patch<User>(`users/${user.id}`, { password })} fields={<SecretField label={t("new_password")} help={t("password_help")} value={password} onInput={setPassword} required autofocus autocomplete="new-password" />} />;
}

function changeRole(user: User) {
  return openDialog<User>(`${t("change_role")}: ${user.name}`, (close) => <NewRole user={user} close={close} />);
}

function NewRole({ user, close }: { user: User; close: (done?: User) => void }) {
  const [role, setRole] = useState<string>(user.role);
  return <Sheet close={close} deed={t("save")} send={() => patch<User>(`users/${user.id}`, { role })} fields={<SelectField label={t("role")} value={role} onInput={setRole} choices={roles()} />} />;
}

const revoke = async (path: string, name: string): Promise<void> => {
  const yes = await confirm(t("really_revoke", { name }), t("really_revoke_text"), t("revoke"), { danger: true });
  if (yes) await attempt(() => remove(path), t("void", { name }));
};

function Tokens() {
  const list = usePaged<Token>("tokens");
  const columns: Column<Token>[] = [
    { key: "name", title: t("what_for"), width: "minmax(0, 2fr)", cell: (token) => <span class="access-name"><Icon name="key" size={18} /><b>{token.name}</b></span> },
    { key: "role", title: t("role"), width: "minmax(5.500rem, 1fr)", from: 2, cell: (token) => t(token.role) },
    { key: "state", title: t("state"), width: "6rem", cell: (token) => <State status={token.status} /> },
    { key: "used", title: t("used"), from: 2, cell: (token) => (token.used_at ? <Time at={token.used_at} /> : <span class="muted">{t("never")}</span>) },
    { key: "expires", title: t("expires"), from: 3, cell: (token) => (token.expires_at ? <Time at={token.expires_at} /> : <span class="muted">{t("never")}</span>) },
    { key: "created", title: t("created"), from: 3, cell: (token) => <Time at={token.created_at} /> },
    { key: "deeds", title: "", width: "2.500rem", align: "end", cell: (token) => token.status === "valid" && <button type="button" class="icon-button" aria-label={`${t("revoke")} ${token.name}`} title={t("revoke")} onClick={() => void revoke(`tokens/${token.id}`, token.name).then(list.refresh)}><Icon name="trash" size={18} /></button> },
  ];
  return (
    <>
      <Head hint={t("tokens_hint")} deed={t("new_token")} onMake={() => void openDialog<{ token: string; name: string }>(t("new_token"), (close) => <NewToken close={close} />).then((made) => {
        if (!made) return;
        list.refresh();
        void showOnce(made.name, t("token"), made.token);
      })} />
      <Table label={t("tokens")} columns={columns} list={list} empty={<><Icon name="key" size={32} /><h2>{t("no_tokens")}</h2></>} />
    </>
  );
}

function NewToken({ close }: { close: (made?: { token: string; name: string }) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<string>("viewer");
  const [days, setDays] = useState<number | null>(null);
  return (
    <Sheet close={close} deed={t("make")} send={() => post<{ token: string; name: string }>("tokens", { name: name.trim(), role, ...(days ? { expires_days: days } : {}) })} fields={
      <>
        <TextField label={t("what_for")} help={t("what_for_help")} value={name} onInput={setName} required autofocus maxLength={128} />
        <SelectField label={t("role")} value={role} onInput={setRole} choices={roles()} />
        <NumberField label={t("days")} help={t("days_help")} value={days} onInput={setDays} min={1} max={3650} step={1} unit={t("day_unit")} />
      </>
    } />
  );
}

function Keys() {
  const list = usePaged<Key>("accesskeys");
  const columns: Column<Key>[] = [
    { key: "name", title: t("what_for"), width: "minmax(0, 1.500fr)", cell: (key) => <span class="access-name"><Icon name="key" size={18} /><b>{key.name}</b></span> },
    { key: "id", title: t("id"), width: "minmax(0, 2fr)", from: 2, cell: (key) => <Copy text={key.id} /> },
    { key: "role", title: t("role"), width: "minmax(5.500rem, 1fr)", from: 2, cell: (key) => t(key.role) },
    { key: "state", title: t("state"), width: "6rem", cell: (key) => <State status={key.status} /> },
    { key: "used", title: t("used"), from: 3, cell: (key) => (key.used_at ? <Time at={key.used_at} /> : <span class="muted">{t("never")}</span>) },
    { key: "created", title: t("created"), from: 3, cell: (key) => <Time at={key.created_at} /> },
    { key: "deeds", title: "", width: "2.500rem", align: "end", cell: (key) => key.status === "valid" && <button type="button" class="icon-button" aria-label={`${t("revoke")} ${key.name}`} title={t("revoke")} onClick={() => void revoke(`accesskeys/${key.id}`, key.name).then(list.refresh)}><Icon name="trash" size={18} /></button> },
  ];
  return (
    <>
      <Head hint={t("keys_hint")} deed={t("new_key")} onMake={() => void openDialog<{ id: string; name: string; secret: string }>(t("new_key"), (close) => <NewKey close={close} />).then((made) => {
        if (!made) return;
        list.refresh();
        void showOnce(made.name, t("secret"), made.secret, made.id);
      })} />
      <Table label={t("keys")} columns={columns} list={list} empty={<><Icon name="key" size={32} /><h2>{t("no_keys")}</h2></>} />
    </>
  );
}

function NewKey({ close }: { close: (made?: { id: string; name: string; secret: string }) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<string>("operator");
  return (
    <Sheet close={close} deed={t("make")} send={() => post<{ id: string; name: string; secret: string }>("accesskeys", { name: name.trim(), role })} fields={
      <>
        <TextField label={t("what_for")} help={t("what_for_help")} value={name} onInput={setName} required autofocus maxLength={128} />
        <SelectField label={t("role")} value={role} onInput={setRole} choices={roles()} />
      </>
    } />
  );
}
