// The triage page: shows events in order and once, sends what a person says and decides.
import { elementFrom, icon, refresh, say, toast, typing } from "../junto/dom.js";
import { keysOn, showCounts } from "../junto/shell.js";
import { Cards } from "./cards.js";
import { Composer } from "./composer.js";
import { direct } from "./directing.js";
import { SessionSocket } from "./socket.js";
import { unsentWithin } from "./unsent.js";

const WAITING = '.approval[data-state="waiting"]';
const APPROVE = '[data-decide][data-kind="primary"]';
const LIVE = new Set(["queued", "running", "waiting_for_approval", "waiting_for_technician"]);
const NEAR_END = 120;
const PANES_AFTER = 1_200;
const PANES_LATEST = 4_000;
const PANES_EVERY = 30_000;
const TYPING_SHOWN = 8_000;

const page = document.querySelector("[data-triage]");
const find = (selector) => page.querySelector(selector);
const chat = find("[data-chat]");
const scroller = find("[data-scroll]");

let session = page.dataset.session;
let last = Number(page.dataset.last);
let live = !find("[data-stop]").hidden;
let streaming = new Map();
const panes = { timer: 0, latest: 0, asked: 0, shown: 0 };

const socket = new SessionSocket(page.dataset.socket, () => last, Number(page.dataset.mostBytes));
const composer = new Composer(find("[data-composer]"), socket, {
  draftKey: `junto.draft.${page.dataset.socket}`,
  arrived: () => toEnd(),
});
const cards = new Cards(chat, {
  decide: (action, payload) => socket.request({ type: "decide", action, ...payload }),
  preview: (action, values) => socket.request({ type: "preview_change", action, arguments: values }),
  passOn: (action, role) => socket.request({ type: "pass_on", action, role }),
  settle: (action, done, evidence) => socket.request({ type: "settle", action, done, evidence }),
});

/* ------------------------------------------------------------------ events */
function show(frame) {
  if (frame.session !== session) return changeSession(frame);
  if (frame.number <= last) return;
  last = frame.number;
  const stick = atEnd();
  const fresh = elementFrom(frame.html ?? "");
  if (fresh) place(fresh);
  if (frame.kind === "person_directed") closeDecision(fresh?.dataset.step);
  if (fresh?.dataset.by === "agent") endStreams();
  afterChange(stick, fresh?.isConnected && fresh.querySelector(WAITING) ? firstRequest() : null);
  refreshPanes();
}

function place(fresh) {
  const known =
    fresh.dataset.action && chat.querySelector(`article[data-action="${CSS.escape(fresh.dataset.action)}"]`);
  if (!known) return chat.insertBefore(fresh, chat.querySelector("[data-run]"));
  const card = fresh.querySelector(".approval");
  if (card && known.querySelector(".approval")) return cards.replace(card.outerHTML);
  fresh.append(...unsentWithin(known));
  known.replaceWith(fresh);
}

/** What a person said of a step is the line below; its buttons have nothing left to ask. */
function closeDecision(step) {
  const asked = chat.querySelectorAll(`[data-decision="${CSS.escape(step ?? "")}"] form`);
  for (const form of asked) form.remove();
}

/** Several events of one action stand as one, at the place of the first and with the content of the last. */
function foldActions() {
  const seen = new Map();
  for (const article of chat.querySelectorAll("article[data-action]")) {
    const first = seen.get(article.dataset.action);
    if (first) first.replaceWith(article);
    seen.set(article.dataset.action, article);
  }
}

function changeSession(frame) {
  if (frame.number !== 1) return startOver(frame.session);
  session = frame.session;
  last = 0;
  clear();
  show(frame);
}

function startOver(id) {
  session = id ?? session;
  last = 0;
  clear();
  socket.restart();
}

function clear() {
  streaming = new Map();
  chat.replaceChildren(...unsentWithin(chat));
}

/* --------------------------------------------------------- streamed replies */
function stream(frame) {
  if (frame.session !== session) return;
  let run = streaming.get(frame.run);
  if (!run) {
    const element = document.getElementById("tpl-delta").content.firstElementChild.cloneNode(true);
    element.dataset.run = frame.run;
    run = { element, text: element.querySelector("[data-text]"), buffer: "", drawing: false };
    streaming.set(frame.run, run);
  }
  run.buffer += frame.text;
  if (run.drawing) return;
  run.drawing = true;
  requestAnimationFrame(() => {
    const stick = atEnd();
    run.drawing = false;
    if (!streaming.has(frame.run)) return;
    run.text.textContent = run.buffer;
    if (!run.element.isConnected) chat.append(run.element);
    if (stick) toEnd();
  });
}

function endStreams() {
  for (const { element } of streaming.values()) element.remove();
  streaming.clear();
}

/* -------------------------------------------------------------- scroll place */
const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
const toEnd = () => (scroller.scrollTop = scroller.scrollHeight);

function afterChange(stick, request) {
  if (!stick) find("[data-to-end]").hidden = false;
  else if (request) showFromTop(request);
  else toEnd();
  countWaiting();
}

function countWaiting() {
  const count = chat.querySelectorAll(`${WAITING} ${APPROVE}`).length;
  const badge = find("[data-waiting-count]");
  badge.hidden = count === 0;
  badge.textContent = String(count);
}

/** Of several requests the first that waits for whoever looks, else the first that waits for anybody. */
function firstRequest() {
  return chat.querySelector(`${WAITING}:has(${APPROVE})`) ?? chat.querySelector(WAITING);
}

function openAtDecision() {
  const card = firstRequest();
  if (card) showFromTop(card);
  else toEnd();
}

/** A request is read from its title down, so its top is what must be seen first. */
function showFromTop(card) {
  scroller.scrollTop += card.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 24;
}

/* ------------------------------------------------------------- state of things */
function showState(frame) {
  if (frame.session && frame.session !== session && !session) session = frame.session;
  live = LIVE.has(String(frame.state ?? "").toLowerCase());
  if (frame.word) {
    const status = document.createElement("span");
    status.className = frame.tone === "accent" ? "badge" : "status";
    status.dataset.tone = frame.tone ?? "";
    if (frame.icon) status.append(icon(frame.icon));
    status.append(frame.word);
    find("[data-session-state]").replaceChildren(status);
  }
  if (frame.steps !== undefined) {
    const steps = frame.steps ? `${frame.steps} of ${frame.max_steps} steps` : "";
    find("[data-budget]").textContent = [steps, frame.cost].filter(Boolean).join(", ");
  }
  const again = find("[data-try-again]");
  if (again) again.hidden = !frame.may_try_again;
  for (const name of ["[data-stop]", "[data-close-session]"]) find(name).hidden = !live;
  showStart(frame);
  composer.live = live;
  if (String(frame.state).toLowerCase() !== "running") endStreams();
  refreshPanes();
}

/** The agent can be started where no session lives, and where one was only prepared. */
function showStart(frame) {
  const words = live ? "prepared" : session ? "ended" : "new";
  find("[data-start-box]").hidden = live && frame.mode !== "prepare";
  for (const each of page.querySelectorAll("[data-start-words]"))
    each.hidden = each.dataset.startWords !== words;
}

function showPresent(people) {
  find("[data-present]").replaceChildren(
    ...people.slice(0, 5).map(({ initials, name }) => {
      const avatar = document.createElement("span");
      avatar.className = "avatar";
      avatar.textContent = initials;
      avatar.title = name;
      return avatar;
    }),
  );
  find("[data-present]").setAttribute("aria-label", `Here now: ${people.map(({ name }) => name).join(", ")}`);
}

let typingTimer = 0;
function showTyping(name) {
  find("[data-typing]").textContent = name ? `${name} is writing` : "";
  clearTimeout(typingTimer);
  if (name) typingTimer = setTimeout(() => showTyping(""), TYPING_SHOWN);
}

function showLink({ state, words }) {
  const mark = find("[data-link]");
  mark.dataset.link = state;
  mark.querySelector(".link-words").textContent = {
    open: "Live",
    connecting: "Connecting",
    lost: "Connecting again",
    closed: "Not connected",
  }[state];
  find("[data-offline]").hidden = state === "open";
  if (state === "closed") composer.complain(words);
  if (state !== "open") endStreams();
  composer.enable();
}

/** The panes beside the chat are drawn by the server from the same rows; they are read again when something happened. */
function refreshPanes() {
  const now = Date.now();
  panes.latest ||= now + PANES_LATEST; // however fast events follow one another
  clearTimeout(panes.timer);
  panes.timer = setTimeout(readPanes, Math.max(0, Math.min(PANES_AFTER, panes.latest - now)));
}

async function readPanes() {
  panes.latest = 0;
  const number = ++panes.asked;
  const answer = await fetch(location.href, {
    headers: { "HX-Request": "true", "HX-Target": "context" },
  }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (number < panes.shown) return; // a later question was answered first
  panes.shown = number;
  showCounts(fresh);
  for (const pane of page.querySelectorAll("[data-ticket], [data-part]")) {
    const twin = fresh.querySelector(
      pane.dataset.part ? `[data-part="${pane.dataset.part}"]` : "[data-ticket]",
    );
    if (twin) refresh(pane, twin.innerHTML);
  }
}
setInterval(() => document.visibilityState === "visible" && refreshPanes(), PANES_EVERY);

const SHOWN = {
  hello(frame) {
    if ((frame.session ?? "") !== session || frame.last < last) {
      if (session && frame.session) return startOver(frame.session);
      session = frame.session ?? "";
    }
    showState(frame);
    showPresent(frame.present ?? []);
  },
  event: show,
  card: (frame) => cards.replace(frame.html),
  delta: stream,
  delta_end: (frame) => streaming.get(frame.run)?.element.querySelector(".caret")?.remove(),
  state: showState,
  presence: (frame) => showPresent(frame.present),
  typing: (frame) => showTyping(frame.name),
  ticket: refreshPanes,
  // The server goes on with every event of the other session on the same line.
  reset(frame) {
    session = frame.session;
    last = 0;
    clear();
  },
  error: (frame) => toast(frame.message, "danger"),
};

socket.addEventListener("frame", ({ detail }) => {
  SHOWN[detail.type]?.(detail);
  countWaiting();
});
socket.addEventListener("link", ({ detail }) => showLink(detail));

/* ------------------------------------------------------------------ a person acts */
async function attempt(button, frame, notice) {
  button.disabled = true;
  say(notice, "");
  try {
    await socket.request(frame);
    return true;
  } catch (refusal) {
    if (notice) say(notice, refusal.message);
    else toast(refusal.message, "danger");
    return false;
  } finally {
    button.disabled = false;
  }
}

page.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("start" in button.dataset) attempt(button, { type: "start" }, find("[data-start-error]"));
  else if ("stop" in button.dataset) attempt(button, { type: "stop" });
  else if ("tryAgain" in button.dataset) attempt(button, { type: "try_again" });
  else if ("closeSession" in button.dataset) attempt(button, { type: "close" });
  else if ("toEnd" in button.dataset) {
    toEnd();
    button.hidden = true;
  }
});
direct(page, { done: refreshPanes });
find("[data-link]").addEventListener("click", () => socket.connect());
scroller.addEventListener(
  "scroll",
  () => {
    if (atEnd()) find("[data-to-end]").hidden = true;
  },
  { passive: true },
);

document.addEventListener("keydown", (event) => {
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    event.defaultPrevented ||
    typing(event.target) ||
    !keysOn()
  )
    return;
  if (document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (key === "j" && page.dataset.next) location.assign(page.dataset.next);
  else if (key === "k" && page.dataset.previous) location.assign(page.dataset.previous);
  else if (key === "t") find("[data-tools]")?.click();
  else if (key === "a" && !find("[data-start-box]").hidden) find("[data-start]")?.click();
});

composer.live = live;
foldActions();
openAtDecision();
countWaiting();
socket.connect();
