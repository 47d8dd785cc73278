// The admin token opens everything and belongs to nobody: a user with a password takes its place.
import { useState } from "preact/hooks";
import { call, post, remove } from "../../api.ts";
import { type Session, signedIn } from "../../session.ts";
import { words } from "../../words.ts";
import { SecretField, TextField } from "../../parts/form.tsx";
import { ErrorBox } from "../../parts/problem.tsx";

const t = words({
  why: ["You are signed in with a token. Make yourself a user: what is done then stands under your name in the audit log, and the token can be put away.", "当前以令牌登录。请为自己创建用户：之后的操作会以您的名字记入审计日志，令牌可妥善保存。"],
  name: ["Name", "用户名"],
  password: ["Password", "密码"],
  password_help: ["At least 10 characters.", "至少 10 个字符。"],
  again: ["Password again", "确认密码"],
  differ: ["They differ.", "两次输入不一致。"],
  make: ["Make the user and sign in", "创建用户并登录"],
  skip: ["Go on with the token", "继续使用令牌"],
});

export function PersonStep({ done, skip }: { done: () => void; skip: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const differ = again !== "" && again !== password;
  const make = async (event: SubmitEvent) => {
    event.preventDefault();
    if (password !== again) return;
    setBusy(true);
    setError(null);
    try {
      await post("users", { name, password, role: "admin" });
      // The session of the token ends before that of the user begins.
      await remove("sessions/current").catch(() => null);
      const opened = await call<Session>("sessions", { method: "POST", json: { name, password } });
      signedIn(opened);
      done();
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void make(event)}>
      <p class="fr-why">{t("why")}</p>
      <div class="fields">
        <TextField label={t("name")} value={name} onInput={setName} required maxLength={64} autocomplete="username" name="new-user" />
        <SecretField label={t("password")} help={t("password_help")} value={password} onInput={setPassword} required autocomplete="new-password" name="new-password" />
        <SecretField label={t("again")} error={differ ? t("differ") : null} value={again} onInput={setAgain} required autocomplete="new-password" name="new-password-again" />
      </div>
      <ErrorBox error={error} />
      <div class="row">
        <button type="submit" class="button primary" disabled={busy || differ}>{t("make")}</button>
        <button type="button" class="button ghost" onClick={skip}>{t("skip")}</button>
      </div>
    </form>
  );
}
