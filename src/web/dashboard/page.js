// The status page: tasks, their progress, their outputs. Speaks to the REST API with the token of this tab.
// Everything from the API reaches the page as text nodes, never as markup.

import { play } from "/assets/player.js";

const element = (id) => document.getElementById(id);
const KEY = "reelmill-token";
const ENDED = ["Succeed", "Failed", "Canceled"];
const SHOWN_AT_ONCE = 25;
const ASKED_AT_MOST = 200;
const FORGOTTEN_AFTER_MS = 600_000;
const CELLS_AT_MOST = 300;
const PICTURE = /\.(jpe?g|png|webp|gif)$/i;
let token = sessionStorage.getItem(KEY);
let shown = null; // id of the task that is shown
let detail = null; // that task, as it was last fetched
let stopShowing = () => {};
let displayed = 0; // counts what was displayed, so that what comes late knows that it is not wanted any more
let following = null; // AbortController of the stream
const progress = new Map(); // job id -> what the stream last told

class Refused extends Error {
  constructor(status, problem) {
    super(problem ? sentence(`${problem.detail}. ${problem.remedy}`) : `The daemon answered ${status}.`);
    this.status = status;
  }
}

class Unreachable extends Error {}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

async function ask(path, options = {}) {
  const headers = { ...options.headers, authorization: `Bearer ${token}` };
  const response = await fetch(path, { ...options, headers }).catch((error) => {
    throw error.name === "AbortError" ? error : new Unreachable("The daemon does not answer.");
  });
  if (!response.ok) {
    const problem = await response.json().catch(() => null);
    throw new Refused(response.status, problem);
  }
  return response;
}

const json = async (path) => (await ask(path)).json();

function tell(error) {
  if (error instanceof Unreachable && following) return lost(true);
  const refused = error instanceof Refused && error.status === 401;
  const box = element("problem");
  box.hidden = !error;
  box.textContent = error?.message ?? "";
  if (refused) box.textContent = "The daemon does not accept this token: it is mistyped, or was revoked.";
  if (refused) leave();
}

function lost(is) {
  element("lost").hidden = !is;
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

// In the reader's own time zone and manner; the wire's form is the tool tip.
function when(wire) {
  const text = new Date(wire).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
  return make("time", text, { datetime: wire, title: wire });
}

function span(from, to) {
  const seconds = Math.max(0, Math.round((new Date(to) - new Date(from)) / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const units = ["h", "min", "s"];
  const first = parts.findIndex((part) => part > 0);
  return first < 0 ? "0 s" : parts.slice(first, first + 2).map((part, at) => `${part} ${units[first + at]}`).join(" ");
}

// Links carry the daemon's public address; this page may have been opened under another one of the same daemon.
function here(url) {
  const link = new URL(url);
  return link.pathname + link.search;
}

let tasks = [];
let next = null;

// What was shown before stays: as many are asked for as are shown, and those beyond are kept while nothing is missing
// in between.
async function loadTasks() {
  const limit = Math.min(ASKED_AT_MOST, Math.max(SHOWN_AT_ONCE, tasks.length));
  const page = await json(`/api/v1/tasks?limit=${limit}`);
  const fresh = new Set(page.items.map((task) => task.id));
  const older = tasks.some((task) => fresh.has(task.id)) ? tasks.slice(limit).filter((task) => !fresh.has(task.id)) : [];
  if (!older.length) next = page.next;
  tasks = page.items.concat(older);
  drawTasks();
}

async function loadOlder() {
  const page = await json(`/api/v1/tasks?limit=${SHOWN_AT_ONCE}&cursor=${encodeURIComponent(next)}`);
  tasks = tasks.concat(page.items);
  next = page.next;
  drawTasks();
}

function percentOf(task) {
  if (ENDED.includes(task.status)) return null;
  const told = [...progress.values()].filter((one) => one.task === task.id);
  return told.length ? told.reduce((sum, one) => sum + one.percent, 0) / told.length : null;
}

const rows = new Map(); // task id -> its row, which stays the same so that focus and clicks survive a redraw

function rowOf(id) {
  if (!rows.has(id)) {
    const row = make("tr", null, { tabindex: 0 });
    const open = () => show(id).then(() => element("task").scrollIntoView({ block: "start" })).catch(tell);
    row.addEventListener("click", open);
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") open(); });
    rows.set(id, row);
  }
  return rows.get(id);
}

function drawTasks() {
  for (const [job, told] of progress) if (Date.now() - told.at > FORGOTTEN_AFTER_MS) progress.delete(job);
  const drawn = tasks.map((task) => {
    const row = rowOf(task.id);
    row.classList.toggle("shown", task.id === shown);
    const percent = percentOf(task);
    // Cells are made anew only when they say something else: a click begins and ends on the same cell.
    const says = JSON.stringify([task.status, task.ended_at, percent === null]);
    if (row.dataset.says === says) {
      if (percent !== null) row.querySelector("progress").value = percent;
      return row;
    }
    row.dataset.says = says;
    const created = make("td");
    created.append(when(task.created_at));
    const cell = make("td");
    if (percent !== null) cell.append(bar(percent));
    else if (task.started_at && task.ended_at) cell.append(`took ${span(task.started_at, task.ended_at)}`);
    row.replaceChildren(
      make("td", task.status, { class: `status ${task.status}` }),
      make("td", task.media.object, { class: "object" }),
      make("td", task.workflow.name, { class: "workflow" }),
      created,
      cell,
    );
    return row;
  });
  const table = element("tasks");
  if (drawn.length !== table.children.length || drawn.some((row, at) => table.children[at] !== row)) {
    const focused = document.activeElement;
    table.replaceChildren(...drawn);
    if (drawn.includes(focused)) focused.focus({ preventScroll: true });
    for (const id of rows.keys()) if (!rows.get(id).isConnected) rows.delete(id);
  }
  element("no-tasks").hidden = tasks.length > 0;
  element("more").hidden = !next;
}

async function show(id) {
  if (shown !== id) {
    stopShowing();
    stopShowing = () => {};
    displayed += 1;
    element("show").replaceChildren();
  }
  shown = id;
  const task = await json(`/api/v1/tasks/${encodeURIComponent(id)}`);
  if (shown !== id) return;
  detail = task;
  element("task").hidden = false;
  element("task-title").textContent = `${task.media.object} \u2014 ${task.status}`;
  drawTasks();
  drawJobs();
  element("outputs").replaceChildren(...task.outputs.map(drawOutput));
  element("where").textContent = task.outputs.length ? `In ${folderOf(task.outputs[0].object)}` : "";
  element("no-outputs").hidden = task.outputs.length > 0;
  element("no-outputs").textContent = ENDED.includes(task.status) ? "None." : "They appear here when they are made and proved.";
}

function drawJobs() {
  if (detail && detail.id === shown) element("jobs").replaceChildren(...detail.jobs.map(drawJob));
}

function drawJob(job) {
  const row = make("tr");
  const name = job.activity === job.type ? job.activity : `${job.activity} (${job.type})`;
  row.append(make("td", name, { class: "object" }), make("td", job.status, { class: `status ${job.status}` }));
  const cell = make("td");
  const told = progress.get(job.id) ?? job.progress;
  if (job.status === "Processing" && told) {
    cell.append(bar(told.percent), ` ${told.speed.toFixed(1)}\u00d7`);
    if (told.eta_s !== null) cell.append(`, ${Math.round(told.eta_s)} s left`);
  } else if (job.started_at && job.ended_at) {
    cell.append(`took ${span(job.started_at, job.ended_at)}`);
  }
  const why = job.fault;
  const fault = why ? sentence(`${why.operation} of ${why.subject} failed: ${why.cause}. ${why.remedy}`) : "";
  const dropped = [...new Set(job.result?.dropped ?? [])].join("; ");
  row.append(cell, make("td", fault || job.skip_reason || (dropped && `Not made: ${dropped}`) || ""));
  return row;
}

const fileOf = (key) => key.slice(key.lastIndexOf("/") + 1);
const folderOf = (object) => object.slice(0, Math.max(object.lastIndexOf("/"), object.indexOf(":")) + 1);

function drawOutput(output) {
  const item = make("li");
  const folder = folderOf(detail.outputs[0].object);
  const where = output.object.startsWith(folder) ? output.object.slice(folder.length) : output.object;
  item.append(make("span", output.name, { class: "name" }), make("span", size(output.size_bytes), { class: "size" }));
  if (output.url) {
    const url = here(output.url);
    const look = make("button", PICTURE.test(where) ? "Look" : "Play");
    look.addEventListener("click", () => display(output.id, where).catch(tell));
    item.append(look, make("a", where, { href: url, target: "_blank", rel: "noopener" }));
    const index = indexOf(output, url);
    if (index) item.append(make("a", fileOf(output.detail.webvtt), { href: index, target: "_blank", rel: "noopener" }));
  } else {
    item.append(make("span", where));
  }
  return item;
}

// The WebVTT index lies next to the sheets and is reached by the same link.
function indexOf(output, url) {
  const key = output.detail?.webvtt;
  return key ? url.replace(/[^/]*$/, encodeURIComponent(fileOf(key))) : null;
}

async function display(id, name) {
  stopShowing();
  stopShowing = () => {};
  const mine = displayed += 1;
  tell(null);
  const place = element("show");
  place.replaceChildren();
  // Links expire; a page may be open for days.
  const task = await json(`/api/v1/tasks/${encodeURIComponent(shown)}`);
  const output = task.outputs.find((one) => one.id === id);
  if (mine !== displayed || !output?.url) return;
  const url = here(output.url);
  // What the browser says of a link that fails tells little; the daemon knows why.
  const failed = async (what) => {
    const why = await ask(url, { headers: { range: "bytes=0-0" } }).then(() => null, (error) => error);
    if (mine !== displayed) return;
    place.replaceChildren();
    tell(why ?? new Error(`This browser cannot show ${name}${what ? `: ${what}` : "."}`));
  };
  if (PICTURE.test(name)) {
    const index = indexOf(output, url);
    if (index) {
      place.append(...await cells(index));
    } else {
      const picture = make("img", null, { src: url, alt: name });
      picture.addEventListener("error", () => failed());
      place.append(picture);
    }
    place.scrollIntoView({ block: "nearest" });
    return;
  }
  const video = make("video", null, { controls: "", playsinline: "" });
  video.addEventListener("loadedmetadata", () => place.scrollIntoView({ block: "nearest" }), { once: true });
  place.append(video);
  if (/\.m3u8$/i.test(name) && !video.canPlayType("application/vnd.apple.mpegurl")) {
    const stop = await play(video, url, tell);
    if (mine !== displayed) return stop();
    stopShowing = stop;
  } else {
    video.addEventListener("error", () => failed(video.error?.message));
    video.src = url;
    stopShowing = () => { video.removeAttribute("src"); video.load(); };
  }
  video.play().catch(() => {}); // browsers may insist on a click
}

// The cells of sprite sheets, each with the time that the index gives it.
async function cells(index) {
  const base = new URL(index, location.href);
  const cues = [...(await (await ask(index)).text()).matchAll(/^(\S+) --> \S+.*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/gm)];
  const figures = cues.slice(0, CELLS_AT_MOST).map(([, time, sheet, x, y, width, height]) => {
    const cell = make("div", null, { role: "img", "aria-label": time });
    cell.style.width = `${width}px`;
    cell.style.height = `${height}px`;
    cell.style.background = `url("${new URL(sheet, base).href}") -${x}px -${y}px`;
    const figure = make("figure");
    figure.append(cell, make("figcaption", time));
    return figure;
  });
  if (cues.length > figures.length) figures.push(make("p", `and ${cues.length - figures.length} more`, { class: "hint" }));
  return figures;
}

async function drawSystem() {
  const system = await json("/api/v1/system");
  const queue = system.queue;
  const waiting = queue.tasks.Init ?? 0;
  const running = queue.tasks.Processing ?? 0;
  const told = [`version ${system.version}`, `${running} running, ${waiting} waiting`];
  for (const [status, count] of Object.entries(queue.deliveries)) if (count) told.push(`callbacks: ${count} ${status}`);
  if (system.draining) told.push("draining");
  element("system").textContent = told.join(" \u00b7 ");
}

// Server-sent events by fetch, since EventSource cannot send a token.
async function follow(signal) {
  let last = null;
  while (!signal.aborted) {
    try {
      const headers = last === null ? {} : { "last-event-id": last };
      const response = await ask("/api/v1/events/stream", { headers, signal });
      tell(null);
      lost(false);
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
    if (signal.aborted) return;
    lost(true);
    await new Promise((done) => setTimeout(done, 2000));
  }
}

function take(block) {
  const field = (name) => block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const name = field("event");
  if (name === "progress") {
    const told = JSON.parse(field("data"));
    progress.set(told.job, { ...told, at: Date.now() });
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
      if (!happenedNow) { drawTasks(); drawJobs(); return; }
      await loadTasks();
      await drawSystem();
      if (shown) await show(shown);
    } catch (error) { tell(error); }
  }, 500);
}

async function enter() {
  tell(null);
  await drawSystem();
  sessionStorage.setItem(KEY, token);
  element("token").value = "";
  element("enter").hidden = true;
  element("leave").hidden = false;
  element("main").hidden = false;
  following?.abort();
  following = new AbortController();
  await loadTasks();
  follow(following.signal);
}

function leave() {
  following?.abort();
  following = null;
  lost(false);
  stopShowing();
  stopShowing = () => {};
  displayed += 1;
  element("show").replaceChildren();
  token = null;
  shown = null;
  detail = null;
  tasks = [];
  next = null;
  progress.clear();
  sessionStorage.removeItem(KEY);
  element("main").hidden = true;
  element("task").hidden = true;
  element("leave").hidden = true;
  element("system").textContent = "";
  element("enter").hidden = false;
  element("token").value = "";
  element("token").focus();
}

element("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  token = element("token").value.trim();
  enter().catch(tell);
});
element("leave").addEventListener("click", () => { tell(null); leave(); });
element("more").addEventListener("click", () => loadOlder().catch(tell));
element("enter").hidden = false;
if (token) enter().catch(tell);
else element("token").focus();
