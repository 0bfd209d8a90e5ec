// One run's page: reads itself again when something happened in the session, and sends what a person does.
import { refresh, say, typing } from "../junto/dom.js";
import { direct } from "./directing.js";
import { SessionSocket } from "./socket.js";

const READ_AFTER = 300;
const READ_EVERY = 30_000;

const body = document.querySelector("[data-run-body]");
let last = Number(body.dataset.last);
let timer = 0;

const socket = new SessionSocket(body.dataset.socket, () => last);
const NEWS = {
  event(frame) {
    if (frame.session !== body.dataset.session) return;
    last = Math.max(last, frame.number);
    readAgain();
  },
  state: readAgain,
  reset: () => {},
};
socket.addEventListener("frame", ({ detail }) => NEWS[detail.type]?.(detail));

/** Never under the hands of someone who is giving a reason. */
function readAgain() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (typing(document.activeElement) && body.contains(document.activeElement)) return readAgain();
    const answer = await fetch(location.href, { headers: { "HX-Request": "true", "HX-Target": "run-body" } }).catch(
      () => null,
    );
    if (!answer?.ok || answer.redirected) return;
    refresh(body, await answer.text());
  }, READ_AFTER);
}
setInterval(() => document.visibilityState === "visible" && readAgain(), READ_EVERY);

direct(body, {
  refused: (words) => {
    say(body.querySelector("[data-run-error]"), words);
    body.querySelector("[data-run-error]").scrollIntoView({ block: "nearest" });
  },
  done: (form) => {
    say(body.querySelector("[data-run-error]"), "");
    form.closest("details")?.removeAttribute("open");
    document.activeElement?.blur();
    readAgain();
  },
});
socket.connect();
