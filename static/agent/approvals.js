// The approvals queue: the same cards as in the chat, decided over HTTP.
import { csrfToken, typing } from "../junto/dom.js";
import { keysOn, showCounts } from "../junto/shell.js";
import { Cards } from "./cards.js";

const READ_AGAIN = 8_000;
const queue = document.getElementById("queue");
const base = queue.dataset.base;

async function post(action, deed, body) {
  const failed = (code, message, fields = {}) => Object.assign(new Error(message), { code, fields });
  let answer;
  try {
    answer = await fetch(`${base}${action}/${deed}/`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(body),
    });
  } catch {
    throw failed("offline", "Junto cannot be reached. Look whether it happened before you try again.");
  }
  const frame = await answer.json().catch(() => null);
  if (frame === null)
    throw failed("garbled", `Junto answered with an error (${answer.status}). Load the page again.`);
  if (!answer.ok) throw failed(frame.code, frame.message, frame.fields);
  if (frame.type === "ack") setTimeout(refresh, 400);
  return frame;
}

const transport = {
  decide: (action, payload) => post(action, "decide", payload),
  preview: (action, values) => post(action, "preview", { arguments: values }),
  passOn: (action, role) => post(action, "pass-on", { role }),
  settle: (action, done, evidence) => post(action, "settle", { done, evidence }),
};
const cards = new Cards(queue, transport, () => queue.querySelector(".q-card > .approval"));

/** Reads the queue again, but never under the hands of someone who is changing or denying. */
function refresh() {
  if (document.visibilityState !== "visible" || document.querySelector("dialog[open]")) return;
  if (queue.querySelector("[data-modifying], [aria-busy], [data-unsent], [data-many][open]") || typing(document.activeElement)) return;
  queue.dispatchEvent(new CustomEvent("queue:refresh"));
}
setInterval(refresh, READ_AGAIN);

function move(step) {
  const links = [...queue.querySelectorAll("a.q")];
  const at = links.findIndex((link) => link.getAttribute("aria-current") === "true");
  links[Math.max(0, Math.min(links.length - 1, at + step))]?.click();
}

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
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
});

queue.addEventListener("htmx:afterSwap", () => showCounts(queue));
