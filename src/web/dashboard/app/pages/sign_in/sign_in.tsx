// Log-in by name and password, or by a token such as the first one in admin.token.
import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { SecretField, TextField } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { ErrorBox } from "../../parts/problem.tsx";
import { type Session, signedIn } from "../../session.ts";
import { chooseLanguage, language, words } from "../../words.ts";

const t = words({
  title: ["Sign in", "登录"],
  by_user: ["User", "用户"],
  by_token: ["Token", "令牌"],
  name: ["Name", "用户名"],
  password: ["Password", "密码"],
  token: ["Token", "令牌"],
  token_help: [
    "The first token lies in the file admin.token of the state directory (/var/lib/reelmill/admin.token in a packaged installation). Others are made with: reelmill token create.",
    "首个令牌位于状态目录的 admin.token 文件中（软件包安装时为 /var/lib/reelmill/admin.token）。其他令牌用 reelmill token create 创建。",
  ],
  enter: ["Sign in", "登录"],
  how: ["How", "登录方式"],
});

export function SignIn() {
  const [by, setBy] = useState<"user" | "token">("user");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [token, setToken] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const enter = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const json = by === "user" ? { name, password } : { token: token.trim() };
      signedIn(await call<Session>("sessions", { method: "POST", json }));
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => void enter(event)}>
        <p class="brand"><Icon name="reel" size={28} /><span>reelmill</span></p>
        <h1>{t("title")}</h1>
        <div class="segments" role="radiogroup" aria-label={t("how")}>
          <button type="button" role="radio" aria-checked={by === "user"} onClick={() => setBy("user")}>{t("by_user")}</button>
          <button type="button" role="radio" aria-checked={by === "token"} onClick={() => setBy("token")}>{t("by_token")}</button>
        </div>
        {by === "user" ? (
          <>
            <TextField label={t("name")} name="username" value={name} onInput={setName} autocomplete="username" required autofocus />
            <SecretField label={t("password")} name="password" value={password} onInput={setPassword} autocomplete="current-password" required />
          </>
        ) : <SecretField label={t("token")} name="token" value={token} onInput={setToken} help={t("token_help")} autocomplete="off" required autofocus />}
        <ErrorBox error={error} />
        <button type="submit" class="button primary wide" disabled={busy}>{t("enter")}</button>
        <p class="sign-in-language">
          <button type="button" class="link" onClick={() => chooseLanguage(language.value === "zh" ? "en" : "zh")}>{language.value === "zh" ? "English" : "简体中文"}</button>
        </p>
      </form>
    </main>
  );
}
