// What every page does: theme, tabs, dialogs, keys, times that stay true.
import { copyText, csrfToken, toast, typing } from "./dom.js";
import "./waiting.js";

const root = document.documentElement;
const THEME = "junto.theme";
const KEYS_OFF = "junto.keys-off";

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function store(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Without storage the choice holds for this page only.
  }
}

/** Whether single-key shortcuts are on for this person. */
export const keysOn = () => stored(KEYS_OFF) === null;

function switchTheme() {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  store(THEME, root.dataset.theme);
}

/** Brings the menu's badges up to what a part of the page that was read again says. */
export function showCounts(part) {
  for (const { dataset, value } of part.querySelectorAll("[data-nav-count]")) {
    for (const count of document.querySelectorAll(`[data-count="${CSS.escape(dataset.navCount)}"]`)) {
      count.textContent = value;
      count.hidden = value === "0";
    }
  }
}

export function selectTab(tab) {
  for (const each of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", String(chosen));
    each.tabIndex = chosen ? 0 : -1;
    const panel = document.getElementById(each.getAttribute("aria-controls"));
    if (panel) panel.hidden = !chosen;
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-toggle]")) switchTheme();
  const tab = event.target.closest("[role=tab]");
  if (tab) selectTab(tab);
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open)?.showModal();
  const closer = event.target.closest("[data-close]");
  if (closer) {
    const dialog = closer.closest("dialog");
    if (dialog) dialog.close();
    else closer.closest(".toast")?.remove();
  }
  const copier = event.target.closest("[data-copy]");
  if (copier) copyText(document.getElementById(copier.dataset.copy)?.textContent ?? "");
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

const keySwitch = document.querySelector("[data-keys-toggle]");
if (keySwitch) {
  keySwitch.checked = keysOn();
  keySwitch.addEventListener("change", () => store(KEYS_OFF, keySwitch.checked ? null : "1"));
}

let awaitingGo = 0;
const GO = { s: "inbox", a: "queue", r: "book" };

function go(letter) {
  const name = GO[letter];
  for (const link of document.querySelectorAll(".side .nav a")) {
    if (name && link.querySelector(`use[href$="#${name}"]`)) return link.click();
  }
}

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (tab && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
    const all = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const next = all[(all.indexOf(tab) + (event.key === "ArrowRight" ? 1 : all.length - 1)) % all.length];
    next.focus();
    selectTab(next);
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keysOn()) return;
  if (document.querySelector("dialog[open]")) return;
  if (Date.now() - awaitingGo < 1200) {
    awaitingGo = 0;
    event.stopImmediatePropagation();
    return go(event.key.toLowerCase());
  }
  if (event.key === "/") {
    const box = document.querySelector("[data-search]");
    if (!box) return;
    box.focus();
    event.preventDefault();
  } else if (event.key === "?") {
    document.getElementById("keys")?.showModal();
  } else if (event.key === "g") {
    awaitingGo = Date.now();
  }
});

// Times are rendered by the server and kept true here, in the same words as junto/desk/templatetags/look.py.
const UNITS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86400, 3600, "h"],
  [3 * 86400, 86400, "d"],
];

function inWords(seconds) {
  const unit = UNITS.find(([limit]) => seconds < limit);
  return unit ? `${Math.floor(seconds / unit[1])} ${unit[2]}` : "";
}

/** What is left of a span, to the nearest of its units: four hours less a second are "4 h". */
function aheadInWords(seconds) {
  const unit = [86400, 3600, 60, 1].find((each) => seconds >= each) ?? 1;
  return inWords(Math.round(seconds / unit) * unit);
}

function tick() {
  for (const time of document.querySelectorAll("time[data-tick]")) {
    const moment = new Date(time.dateTime);
    const away = (moment - Date.now()) / 1000;
    const words = away > 0 ? aheadInWords(away) : inWords(-away);
    const clock = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    if (time.dataset.tick === "since") {
      if (words) time.textContent = Math.abs(away) < 5 ? "just now" : away > 0 ? `in ${words}` : `${words} ago`;
    } else if (time.dataset.tick === "at") {
      time.textContent = moment.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).replace(",", "");
    } else if (time.dataset.tick === "left") {
      if (words) time.textContent = away > 0 ? `${words} left` : "Time is over";
    } else if (away <= 0) {
      time.textContent = `Ended ${clock}`;
    } else if (words) {
      time.textContent = `Ends ${clock}, in ${words}`;
    }
  }
}
tick();
setInterval(tick, 15_000);
document.addEventListener("htmx:afterSettle", tick);

// What went well is said and goes; what went wrong stays until it is closed.
const GOES_AFTER = 6_000;
const toasts = document.getElementById("toasts");
function letGo() {
  for (const each of toasts.querySelectorAll('.toast:not([data-tone="danger"], [data-going])')) {
    each.dataset.going = "";
    setTimeout(() => each.remove(), GOES_AFTER);
  }
}
if (toasts) {
  new MutationObserver(letGo).observe(toasts, { childList: true });
  letGo();
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = csrfToken();
});
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401 || status === 403)
    toast("You are not allowed to see this any more, or you are logged out. Load the page again.", "danger");
  else toast(`Junto answered with an error (${status}). What is shown may be old.`, "danger");
});
document.addEventListener("htmx:sendError", () =>
  toast("Junto cannot be reached. What is shown may be old.", "danger"),
);

// A form that was refused says so where one looks: at its first wrong field, else at its warning.
function showRefusal() {
  const status = performance.getEntriesByType("navigation")[0]?.responseStatus;
  if (!status || status < 400) return;
  const seen = (each) => each.getClientRects().length > 0;
  const main = document.getElementById("main");
  const find = (what) => [...(main?.querySelectorAll(what) ?? [])].find(seen);
  const wrong = find('[data-invalid] :is(input, select, textarea), [aria-invalid="true"]');
  const warning = find(".notice[role=alert]");
  const first = wrong ?? warning;
  if (!first) return;
  if (first === warning) first.tabIndex = -1;
  first.focus({ preventScroll: true });
  (first.closest(".field") ?? first).scrollIntoView({ block: "center" });
}
showRefusal();
