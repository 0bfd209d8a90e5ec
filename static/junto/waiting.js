// Forms that are answered late, as Junto asks a vendor first: the pressed button says so, and is not sent a second time.
// Every form that posts is meant; a GET form or a link only with `data-busy`, whose words (on the button, the form or the
// link) say what goes on meanwhile. What htmx or a script of the page sends has signs of its own.

/** What is answered sooner needs no sign. */
const SHOWN_AFTER = 300;
/** No answer takes longer: a browser that does not tell that loading was stopped would leave the button as it is. */
const OVER_AFTER = 90_000;

/** What is being waited for; a browser leaves a page for one answer only. */
let waiting = null;

function show(one) {
  one.button?.setAttribute("aria-busy", "true");
  if (!one.words) return;
  one.toast = document.createElement("div");
  one.toast.className = "toast";
  one.toast.dataset.going = ""; // it goes with its answer
  const sign = document.createElement("span");
  sign.className = "busy-sign";
  const text = document.createElement("p");
  text.textContent = one.words;
  one.toast.append(sign, text);
  document.getElementById("toasts")?.append(one.toast);
}

function end(one) {
  clearTimeout(one?.shown);
  clearTimeout(one?.over);
  one?.button?.removeAttribute("aria-busy");
  one?.toast?.remove();
  if (waiting === one) waiting = null;
}

function begin(asked, button) {
  end(waiting);
  const one = { asked, button, words: button?.dataset.busy || asked.dataset.busy, toast: null };
  one.shown = setTimeout(() => show(one), SHOWN_AFTER);
  one.over = setTimeout(() => end(one), OVER_AFTER);
  waiting = one;
}

const staysHere = (target) => !target || target === "_self";

// On the window, where everybody else was asked already whether it is theirs.
addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || !staysHere(submitter?.getAttribute("formtarget") ?? form.getAttribute("target"))) return;
  const method = (submitter?.getAttribute("formmethod") ?? form.getAttribute("method") ?? "get").toLowerCase();
  if (method === "dialog" || (method === "get" && !("busy" in form.dataset))) return;
  if (waiting?.asked === form) event.preventDefault();
  else begin(form, submitter ?? form.querySelector("button[type=submit]"));
});

addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-busy]");
  if (!link || event.defaultPrevented || event.button !== 0 || !staysHere(link.target)) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (waiting?.asked === link) event.preventDefault();
  else begin(link, link);
});

// Back to a page that the browser kept; and loading that a person stopped.
addEventListener("pageshow", () => end(waiting));
globalThis.navigation?.addEventListener("navigate", (event) => {
  const one = waiting;
  event.signal.addEventListener("abort", () => end(one));
});
