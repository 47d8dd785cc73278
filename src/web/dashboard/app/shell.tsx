// The frame of every page: navigation, what is signed in, whether the daemon answers; and which page stands in it.
import { type LazyPage, lazyPage } from "./parts/lazy.tsx";
import { Icon, type IconName } from "./parts/icon.tsx";
import { Dialogs } from "./parts/dialog.tsx";
import { Menu } from "./parts/menu.tsx";
import { NotForYou } from "./parts/not_for_you.tsx";
import { SignIn } from "./pages/sign_in/sign_in.tsx";
import { askEarly, remove } from "./api.ts";
import { connection } from "./live.ts";
import { firstRows } from "./resource.ts";
import { go, path, query } from "./router.ts";
import { type Role, isAdmin, isOperator, session, signedOut } from "./session.ts";
import { chooseTheme, theme } from "./theme.ts";
import { useReviewsWaiting } from "./waiting.ts";
import { chooseLanguage, language, words } from "./words.ts";
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const t = words({
  overview: ["Overview", "概览"],
  tasks: ["Tasks", "任务"],
  media: ["Media", "媒资"],
  reviews: ["Reviews", "审核"],
  reviews_wait: ["{n} wait for a decision", "{n} 个待审核"],
  uploads: ["Uploads", "上传"],
  workflows: ["Workflows", "工作流"],
  templates: ["Templates", "模板"],
  storages: ["Storages", "存储"],
  destinations: ["Destinations", "回调目标"],
  deliveries: ["Deliveries", "回调记录"],
  events: ["Events", "事件"],
  alerts: ["Alerts", "告警"],
  access: ["Users and keys", "用户与密钥"],
  audit: ["Audit log", "审计日志"],
  settings: ["Settings", "设置"],
  about: ["About", "关于"],
  work: ["Work", "运行"],
  build: ["Set-up", "配置"],
  system: ["System", "系统"],
  open_menu: ["Open navigation", "打开导航"],
  skip: ["Skip to the content", "跳到正文"],
  sign_out: ["Sign out", "退出登录"],
  lost: ["The daemon does not answer. What is shown may be out of date; this page tries again by itself.", "服务没有响应。所示内容可能已过时；本页会自动重试。"],
  theme: ["Theme", "主题"],
  system_theme: ["As the system", "跟随系统"],
  light: ["Light", "浅色"],
  dark: ["Dark", "深色"],
  language: ["Language", "语言"],
  account: ["Account", "账户"],
  not_found: ["There is no such page", "没有此页面"],
  not_found_hint: ["The address may be mistyped, or what it showed was removed.", "地址可能有误，或所示内容已被删除。"],
  to_overview: ["To the overview", "返回概览"],
  first_run: ["First steps", "快速开始"],
  role_admin: ["administrator", "管理员"],
  role_operator: ["operator", "操作员"],
  role_viewer: ["viewer", "查看者"],
});

export const roleName = (role: Role): string => t(`role_${role}`);

interface Place {
  path: string;
  icon: IconName;
  name: Parameters<typeof t>[0];
  admin?: boolean;
}

const PLACES: { title: Parameters<typeof t>[0]; places: Place[] }[] = [
  {
    title: "work",
    places: [
      { path: "/overview", icon: "gauge", name: "overview" },
      { path: "/tasks", icon: "tasks", name: "tasks" },
      { path: "/media", icon: "film", name: "media" },
      { path: "/reviews", icon: "eye", name: "reviews" },
      { path: "/uploads", icon: "upload", name: "uploads" },
      { path: "/alerts", icon: "bell", name: "alerts" },
    ],
  },
  {
    title: "build",
    places: [
      { path: "/workflows", icon: "flow", name: "workflows" },
      { path: "/templates", icon: "template", name: "templates" },
      { path: "/storages", icon: "storage", name: "storages" },
      { path: "/destinations", icon: "target", name: "destinations" },
      { path: "/deliveries", icon: "send", name: "deliveries" },
      { path: "/events", icon: "pulse", name: "events" },
    ],
  },
  {
    title: "system",
    places: [
      { path: "/access", icon: "users", name: "access", admin: true },
      { path: "/audit", icon: "log", name: "audit", admin: true },
      { path: "/settings", icon: "settings", name: "settings" },
      { path: "/about", icon: "info", name: "about" },
    ],
  },
];

/// A page family: the first part of the path, and what shows it. Each family is a file of its own that is fetched when
/// it is first looked at, and reads the rest of the path from `path` itself.
const PAGES: Record<string, LazyPage> = {
  overview: lazyPage(() => import("./pages/overview/overview.tsx")),
  tasks: lazyPage(() => import("./pages/tasks/tasks.tsx")),
  media: lazyPage(() => import("./pages/media/media.tsx")),
  reviews: lazyPage(() => import("./pages/reviews/reviews.tsx")),
  uploads: lazyPage(() => import("./pages/uploads/uploads.tsx")),
  alerts: lazyPage(() => import("./pages/alerts/alerts.tsx")),
  workflows: lazyPage(() => import("./pages/workflows/workflows.tsx")),
  templates: lazyPage(() => import("./pages/templates/templates.tsx")),
  storages: lazyPage(() => import("./pages/storages/storages.tsx")),
  destinations: lazyPage(() => import("./pages/destinations/destinations.tsx")),
  deliveries: lazyPage(() => import("./pages/deliveries/deliveries.tsx")),
  events: lazyPage(() => import("./pages/events/events.tsx")),
  access: lazyPage(() => import("./pages/access/access.tsx")),
  audit: lazyPage(() => import("./pages/audit/audit.tsx")),
  settings: lazyPage(() => import("./pages/settings/settings.tsx")),
  about: lazyPage(() => import("./pages/about/about.tsx")),
  "first-run": lazyPage(() => import("./pages/first_run/first_run.tsx")),
};

/// Lists that are asked for before their page is there, where nothing narrows them.
const LISTS = new Set(["tasks", "media"]);

/// Begins to fetch the page that the address is of, and what it will list, while it is found out who is signed in.
export function fetchAhead(): void {
  const family = path.value.split("/")[1] || "overview";
  PAGES[family]?.ahead();
  const narrowed = [...query.value.keys()].some((name) => name !== "view");
  if (LISTS.has(family) && path.value === `/${family}` && !narrowed) askEarly(family, { limit: firstRows(family) });
}

/// Families that only an administrator has anything to do in.
const ADMIN_PAGES = new Set(["access", "audit", "first-run"]);
/// Editors, by the first and the last part of their path.
const isEditor = (path: string): boolean => /^\/(workflows|templates)\/(new|[^/]+\/edit)$/.test(path);

/// The role that a page needs and that whoever is signed in has not; null: it may be shown.
function lacking(family: string): Role | null {
  if (ADMIN_PAGES.has(family) && !isAdmin.value) return "admin";
  return isEditor(path.value) && !isOperator.value ? "operator" : null;
}

const drawer = signal(false);

export function Shell() {
  if (!session.value) return <SignIn />;
  return <Frame />;
}

function Frame() {
  const family = path.value.split("/")[1] ?? "";
  useEffect(() => {
    if (path.value === "/") go("/overview", { replace: true });
  }, [path.value]);
  useEffect(() => {
    drawer.value = false;
  }, [path.value]);
  const Current = PAGES[family];
  const lacks = lacking(family);
  return (
    <div class="frame">
      <a class="skip" href="#content">{t("skip")}</a>
      <Navigation family={family} />
      {drawer.value && <div class="nav-veil" onClick={() => (drawer.value = false)} />}
      <div class="column">
        <TopBar />
        {connection.value === "lost" && <p class="lost" role="status">{t("lost")}</p>}
        <main id="content" tabIndex={-1}>
          {lacks ? <NotForYou needs={lacks} /> : Current ? <Current /> : path.value !== "/" && <NotFound />}
        </main>
      </div>
      <Dialogs />
    </div>
  );
}

function Navigation({ family }: { family: string }) {
  const reviews = useReviewsWaiting();
  return (
    <nav class={`nav${drawer.value ? " nav-open" : ""}`} aria-label="reelmill">
      <a class="brand" href="/overview"><Icon name="reel" /><span>reelmill</span></a>
      {PLACES.map(({ title, places }) => (
        <section key={title}>
          <h2>{t(title)}</h2>
          <ul>
            {places.filter((place) => !place.admin || isAdmin.value).map((place) => (
              <li key={place.path}>
                <a href={place.path} aria-current={`/${family}` === place.path ? "page" : undefined}>
                  <Icon name={place.icon} />
                  <span>{t(place.name)}</span>
                  {place.path === "/reviews" && reviews > 0 && <b class="nav-count" title={t("reviews_wait", { n: reviews })}><span aria-hidden="true">{reviews > 99 ? "99+" : reviews}</span><span class="visually-hidden">{t("reviews_wait", { n: reviews })}</span></b>}
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

function TopBar() {
  const who = session.value;
  const leave = async () => {
    // The cookie may have ended by itself: then we are out all the same.
    await remove("sessions/current").catch(() => null);
    signedOut();
  };
  return (
    <header class="top">
      <button type="button" class="icon-button nav-toggle" aria-label={t("open_menu")} aria-expanded={drawer.value} onClick={() => (drawer.value = !drawer.value)}>
        <Icon name="menu" />
      </button>
      <div class="top-space" id="top-space" />
      <Menu label={t("theme")} icon={theme.value === "dark" ? "moon" : "sun"} items={[
        { text: t("system_theme"), checked: theme.value === "system", act: () => chooseTheme("system") },
        { text: t("light"), checked: theme.value === "light", act: () => chooseTheme("light") },
        { text: t("dark"), checked: theme.value === "dark", act: () => chooseTheme("dark") },
      ]} />
      <Menu label={t("language")} icon="globe" items={[
        { text: "English", checked: language.value === "en", act: () => chooseLanguage("en") },
        { text: "简体中文", checked: language.value === "zh", act: () => chooseLanguage("zh") },
      ]} />
      {who && (
        <Menu label={t("account")} text={who.name} icon="user" items={[
          { text: roleName(who.role) },
          ...(isAdmin.value ? [{ text: t("first_run"), act: () => go("/first-run") }] : []),
          { text: t("sign_out"), act: () => void leave() },
        ]} />
      )}
    </header>
  );
}

function NotFound() {
  return (
    <div class="empty">
      <h1>{t("not_found")}</h1>
      <p>{t("not_found_hint")}</p>
      <a class="button" href="/overview">{t("to_overview")}</a>
    </div>
  );
}
