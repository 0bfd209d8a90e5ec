// What a person does with a run: forms that are sent without leaving the page; without this script they work as forms.
import { csrfToken, toast } from "../junto/dom.js";

/** Sends every `form[data-direct]` inside `root`. `refused(words)` says why nothing was done; `done()` follows a deed. */
export function direct(root, { refused = (words) => toast(words, "danger"), done = () => {} } = {}) {
  root.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-direct]")) return;
    event.preventDefault();
    const body = new FormData(form, event.submitter);
    const buttons = [...form.querySelectorAll("button")];
    for (const button of buttons) button.disabled = true;
    const words = await send(form.action, body);
    if (!words) return done(form); // what was done is drawn anew; until then it cannot be sent twice
    for (const button of buttons) button.disabled = false;
    refused(words);
  });
}

/** Resolves with "" when it was done, else with why not. */
async function send(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
    body,
  }).catch(() => null);
  if (answer === null) return "Junto cannot be reached. Look whether it happened before you try again.";
  if (answer.ok && !answer.redirected) return "";
  const told = await answer.json().catch(() => null);
  return told?.message ?? `Junto answered with an error (${answer.status}). Load the page again.`;
}
