// The status page: tasks, their progress, their outputs. Speaks to the REST API with the token of this tab.
// Everything from the API reaches the page as text nodes, never as markup.

import { play } from "/assets/player.js";

const element = (id) => document.getElementById(id);
const KEY = "reelmill-token";
const ENDED = ["Succeed", "Failed", "Canceled"];
let token = sessionStorage.getItem(KEY);
let shown = null; // id of the task that is shown
let stopShowing = () => {};
let following = null; // AbortController of the stream
const progress = new Map(); // job id -> what the stream last told

class Refused extends Error {
  constructor(status, problem) {
    super(problem ? `${problem.detail}. ${problem.remedy}` : `The daemon answered ${status}.`);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  const headers = { ...options.headers, authorization: `Bearer ${token}` };
  const response = await fetch(path, { ...options, headers });
  if (!response.ok) {
    const problem = await response.json().catch(() => null);
    throw new Refused(response.status, problem);
  }
  return response;
}

const json = async (path) => (await ask(path)).json();

function tell(error) {
  const box = element("problem");
  box.hidden = !error;
  box.textContent = error ? error.message : "";
  if (error instanceof Refused && error.status === 401) leave();
}

function make(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function bar(percent) {
  return make("progress", `${Math.round(percent)} %`, { max: 100, value: percent.toFixed(1) });
}

function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
  return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
}

// Links carry the daemon's public address; this page may have been opened under another one of the same daemon.
function here(url) {
  const link = new URL(url);
  return link.pathname + link.search;
}

let tasks = [];
let next = null;

async function loadTasks() {
  const page = await json("/api/v1/tasks?limit=25");
  tasks = page.items;
  next = page.next;
  drawTasks();
}

async function loadOlder() {
  const page = await json(`/api/v1/tasks?limit=25&cursor=${encodeURIComponent(next)}`);
  tasks = tasks.concat(page.items);
  next = page.next;
  drawTasks();
}

function percentOf(task) {
  if (ENDED.includes(task.status)) return null;
  const told = [...progress.values()].filter((one) => one.task === task.id);
  return told.length ? told.reduce((sum, one) => sum + one.percent, 0) / told.length : null;
}

function drawTasks() {
  const rows = tasks.map((task) => {
    const row = make("tr", null, { tabindex: 0 });
    row.append(make("td", task.status, { class: task.status }));
    row.append(make("td", task.media.object), make("td", task.workflow.name), make("td", task.created_at));
    const cell = make("td");
    const percent = percentOf(task);
    if (percent !== null) cell.append(bar(percent));
    row.append(cell);
    row.addEventListener("click", () => show(task.id).catch(tell));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") show(task.id).catch(tell); });
    return row;
  });
  element("tasks").replaceChildren(...rows);
  element("no-tasks").hidden = tasks.length > 0;
  element("more").hidden = !next;
}

async function show(id) {
  if (shown !== id) {
    stopShowing();
    element("show").replaceChildren();
  }
  shown = id;
  const task = await json(`/api/v1/tasks/${encodeURIComponent(id)}`);
  if (shown !== id) return;
  element("task").hidden = false;
  element("task-title").textContent = `${task.media.object} \u2014 ${task.status}`;
  element("jobs").replaceChildren(...task.jobs.map(drawJob));
  element("outputs").replaceChildren(...task.outputs.map(drawOutput));
}

function drawJob(job) {
  const row = make("tr");
  row.append(make("td", `${job.activity} (${job.type})`), make("td", job.status, { class: job.status }));
  const cell = make("td");
  const told = progress.get(job.id) ?? job.progress;
  if (told && job.status === "Processing") {
    cell.append(bar(told.percent), ` ${told.speed.toFixed(1)}\u00d7`);
    if (told.eta_s !== null) cell.append(`, ${Math.round(told.eta_s)} s left`);
  }
  const fault = job.fault ? `${job.fault.operation} of ${job.fault.subject} failed: ${job.fault.cause}. ${job.fault.remedy}` : "";
  row.append(cell, make("td", fault || job.skip_reason || ""));
  return row;
}

function drawOutput(output) {
  const item = make("li");
  const where = output.object.slice(output.object.indexOf(":") + 1);
  item.append(make("span", output.name, { class: "name" }), make("span", size(output.size_bytes)));
  if (output.url) {
    const url = here(output.url);
    const look = make("button", /\.(jpe?g|png|webp|gif)$/i.test(where) ? "Look" : "Play");
    look.addEventListener("click", () => display(where, url).catch(tell));
    item.append(look, make("a", where, { href: url, target: "_blank", rel: "noopener" }));
  } else {
    item.append(make("span", where));
  }
  return item;
}

async function display(name, url) {
  stopShowing();
  stopShowing = () => {};
  const place = element("show");
  place.replaceChildren();
  if (/\.(jpe?g|png|webp|gif)$/i.test(name)) {
    place.append(make("img", null, { src: url, alt: name }));
    return;
  }
  const video = make("video", null, { controls: "", playsinline: "" });
  place.append(video);
  if (/\.m3u8$/i.test(name) && !video.canPlayType("application/vnd.apple.mpegurl")) {
    stopShowing = await play(video, url, tell);
  } else {
    video.src = url;
    stopShowing = () => { video.removeAttribute("src"); video.load(); };
  }
  video.play().catch(() => {}); // browsers may insist on a click
}

async function drawSystem() {
  const system = await json("/api/v1/system");
  const queue = system.queue;
  const waiting = queue.tasks.Init ?? 0;
  const running = queue.tasks.Processing ?? 0;
  element("system").textContent =
    `${system.version}: ${running} running, ${waiting} waiting` + (system.draining ? ", draining" : "");
}

// Server-sent events by fetch, since EventSource cannot send a token.
async function follow(signal) {
  let last = null;
  while (!signal.aborted) {
    try {
      const headers = last === null ? {} : { "last-event-id": last };
      const response = await ask("/api/v1/events/stream", { headers, signal });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        text += value;
        let end;
        while ((end = text.indexOf("\n\n")) >= 0) {
          last = take(text.slice(0, end)) ?? last;
          text = text.slice(end + 2);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused) { tell(error); if (error.status === 401) return; }
    }
    await new Promise((done) => setTimeout(done, 2000));
  }
}

function take(block) {
  const field = (name) => block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const name = field("event");
  if (name === "progress") {
    const told = JSON.parse(field("data"));
    progress.set(told.job, told);
    soon(false);
  } else if (name === "event" || name === "hello") {
    soon(true);
  }
  return field("id");
}

// What the stream told is drawn at most twice a second; rows are fetched again only when something happened.
let waiting = null;
let fetchToo = false;
function soon(happened) {
  fetchToo ||= happened;
  waiting ??= setTimeout(async () => {
    const happenedNow = fetchToo;
    waiting = null;
    fetchToo = false;
    try {
      if (happenedNow) { await loadTasks(); await drawSystem(); } else { drawTasks(); }
      if (shown) await show(shown);
    } catch (error) { tell(error); }
  }, 500);
}

async function enter() {
  element("enter").hidden = true;
  tell(null);
  await drawSystem();
  sessionStorage.setItem(KEY, token);
  element("leave").hidden = false;
  element("main").hidden = false;
  await loadTasks();
  following?.abort();
  following = new AbortController();
  follow(following.signal);
}

function leave() {
  following?.abort();
  stopShowing();
  token = null;
  shown = null;
  progress.clear();
  sessionStorage.removeItem(KEY);
  element("main").hidden = true;
  element("task").hidden = true;
  element("leave").hidden = true;
  element("system").textContent = "";
  element("enter").hidden = false;
  element("token").focus();
}

element("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  token = element("token").value.trim();
  element("token").value = "";
  enter().catch((error) => { leave(); tell(error); });
});
element("leave").addEventListener("click", leave);
element("more").addEventListener("click", () => loadOlder().catch(tell));
if (token) enter().catch((error) => { leave(); tell(error); });
else leave();
