// What stands in the place of a page that a role has nothing to do on: who has, and where to go instead.
import type { Role } from "../session.ts";
import { words } from "../words.ts";
import { Icon } from "./icon.tsx";

const t = words({
  admin: ["This page is for administrators", "此页面仅限管理员"],
  operator: ["This page is for operators and administrators", "此页面仅限操作员和管理员"],
  viewer: ["Sign in to see this page", "请登录后查看"],
  hint: ["Ask an administrator for the role, or for what you wanted to change here.", "如有需要，请联系管理员授权或代为操作。"],
  back: ["To the overview", "返回概览"],
});

export function NotForYou({ needs }: { needs: Role }) {
  return (
    <div class="empty">
      <Icon name="lock" size={34} />
      <h1>{t(needs)}</h1>
      <p>{t("hint")}</p>
      <a class="button" href="/overview">{t("back")}</a>
    </div>
  );
}
