// Shows the document of the API. Asks this host alone. The token stays in this page's memory; a session's cookie is the
// browser's, and its CSRF token goes along with what is tried out here.
"use strict";

const entry = document.getElementById("entry");
const why = document.getElementById("why");
let token = "";
let csrf = "";

function headers() {
  return token ? { Authorization: "Bearer " + token } : {};
}

async function show() {
  const response = await fetch("/openapi.json", { headers: headers() });
  if (!response.ok) {
    return response.status;
  }
  const spec = await response.json();
  if (!token) {
    const session = await fetch("/api/v1/sessions/current");
    csrf = session.ok ? (await session.json()).csrf_token || "" : "";
  }
  entry.hidden = true;
  window.SwaggerUIBundle({
    spec,
    dom_id: "#document",
    deepLinking: true,
    validatorUrl: null,
    defaultModelsExpandDepth: 0,
    docExpansion: "none",
    requestInterceptor: (request) => {
      Object.assign(request.headers, headers());
      if (csrf) {
        request.headers["X-CSRF-Token"] = csrf;
      }
      return request;
    },
  });
  return 200;
}

entry.addEventListener("submit", async (event) => {
  event.preventDefault();
  why.textContent = "";
  token = document.getElementById("token").value.trim();
  const name = document.getElementById("name").value;
  if (!token && name) {
    const answer = await fetch("/api/v1/sessions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name, password: document.getElementById("password").value }),
    });
    if (!answer.ok) {
      const problem = await answer.json();
      why.textContent = problem.detail + ". " + problem.remedy;
      return;
    }
  }
  if ((await show()) !== 200) {
    why.textContent = "This token is not valid.";
  }
});

show().then((status) => {
  entry.hidden = status === 200;
});
