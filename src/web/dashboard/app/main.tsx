// Begins everything: who is signed in decides between the sign-in page and the dashboard.
import "./style.css";
import { render } from "preact";
import { fetchAhead, Shell } from "./shell.tsx";
import { findSession } from "./session.ts";
import { applyTheme } from "./theme.ts";
import { applyLanguage } from "./words.ts";

applyTheme();
applyLanguage();
const root = document.getElementById("app");
if (root) {
  fetchAhead();
  void findSession().finally(() => {
    root.textContent = "";
    render(<Shell />, root);
  });
}
