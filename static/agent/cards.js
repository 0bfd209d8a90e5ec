// What a person does on an approval card, in the chat and in the queue alike. The transport says how it travels:
// decide(action, {verdict, digest, reason, arguments}), preview(action, arguments), passOn(action, role),
// settle(action, done, evidence); each a promise that rejects with {code, message, fields}.
import { elementFrom, say, toast, typing } from "../junto/dom.js";
import { keysOn } from "../junto/shell.js";
import { collectArguments, misreadFields } from "./arguments.js";
import { countLetters, tooLong } from "./letters.js";
import { unsentOf } from "./unsent.js";

const UNLOCK_AFTER = 8_000;
const MARKED = "Nothing was sent: look at what is marked.";
const TOO_LONG = "Nothing was sent: the marked text is too long. Shorten it.";
/** After these nobody knows whether it happened. */
const UNSURE = new Set(["lost", "silent"]);

export class Cards {
  #root;
  #transport;
  #standing;
  #denying = null;

  /** `standing` answers with the card that keys mean when none has the focus; by default none does. */
  constructor(root, transport, standing = () => null) {
    this.#root = root;
    this.#transport = transport;
    this.#standing = standing;
    root.addEventListener("click", (event) => this.#click(event));
    root.addEventListener("input", (event) => this.#input(event));
    root.addEventListener("submit", (event) => {
      if (!event.target.matches("[data-modify-form]")) return;
      event.preventDefault();
      this.#preview(event.target);
    });
    root.addEventListener("keydown", (event) => {
      const changing = event.target.closest(".approval[data-modifying]:not([aria-busy])");
      if (event.key !== "Escape" || event.isComposing || !changing) return;
      event.preventDefault();
      event.stopPropagation();
      this.#toggleModify(changing);
    });
    document.addEventListener("keydown", (event) => this.#key(event));
    this.#noteWhatWasSeen();
    const denial = document.querySelector("[data-deny-form]");
    denial?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#deny(event.target);
    });
    denial?.addEventListener("input", () => count(denial.elements.reason));
    denial?.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) denial.requestSubmit();
    });
  }

  /** Puts a newly rendered card in place of the old one, unless a person is in the middle of changing it. */
  replace(html) {
    const fresh = elementFrom(html);
    const old = fresh && this.#find(fresh.dataset.action);
    if (!old) return;
    const same = fresh.dataset.state === "waiting" && fresh.dataset.digest === old.dataset.digest;
    if (same && "modifying" in old.dataset) return;
    // A form that was closed in the middle goes with the request while that waits.
    const form = same && old.querySelector("[data-modify-form]");
    if (form) fresh.querySelector("[data-modify-form]")?.replaceWith(form);
    if (fresh.dataset.digest === old.dataset.digest && "seen" in old.dataset) fresh.dataset.seen = "";
    const typed = old.querySelector("[data-typed], [data-evidence]")?.value;
    const focused = old.contains(document.activeElement);
    const field = fresh.querySelector("[data-typed], [data-evidence]");
    // What is being sent at this moment is no loss; should it be refused, #run keeps it.
    const unsent = "sending" in old.dataset || field?.matches("[data-evidence]") ? null : unsentOf(old, old.dataset.unsure);
    old.replaceWith(fresh);
    if (typed && field) {
      field.value = typed;
      this.#unlock(fresh);
    }
    if (unsent) fresh.after(unsent);
    // Somebody in the middle of a word goes on in a field: on the card the same letters would be keys.
    if (focused) (unsent?.querySelector("textarea") ?? fresh).focus({ preventScroll: true });
  }

  /** Marks a card whose arguments have been on the screen; on a phone its buttons are docked from then on. */
  #noteWhatWasSeen() {
    const watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) target.closest(".approval").dataset.seen = "";
      }
    });
    const observe = () =>
      this.#root
        .querySelectorAll(".approval:not([data-seen]) > .args")
        .forEach((each) => watch.observe(each));
    new MutationObserver(observe).observe(this.#root, { childList: true, subtree: true });
    observe();
  }

  #find(action) {
    return this.#root.querySelector(`.approval[data-action="${CSS.escape(action)}"]`);
  }

  #click(event) {
    const button = event.target.closest("button");
    const card = button?.closest(".approval");
    if (!card || button.disabled || button.getAttribute("aria-disabled") === "true") return;
    const action = card.dataset.action;
    if ("decide" in button.dataset) {
      const payload = {
        verdict: button.dataset.decide,
        digest: card.dataset.digest,
        target: typedTarget(card),
      };
      this.#run(card, () => this.#transport.decide(action, payload));
    } else if ("deny" in button.dataset) this.#askReason(card);
    else if ("modify" in button.dataset || "modifyCancel" in button.dataset)
      this.#toggleModify(card, "modifyCancel" in button.dataset);
    else if ("approveChanged" in button.dataset || "approveChangedOnce" in button.dataset)
      this.#approveChanged(card, button);
    else if ("passOn" in button.dataset) {
      this.#run(card, () => this.#transport.passOn(action, card.querySelector("[data-pass-role]").value));
    } else if ("settle" in button.dataset) this.#settle(card, button.dataset.settle === "true");
  }

  async #run(card, deed, notice = card.querySelector("[data-card-error]")) {
    say(notice, "");
    this.#busy(card, true);
    card.dataset.sending = "";
    try {
      const answer = await deed();
      if (answer?.message) toast(answer.message, "ok");
      if (answer?.html) {
        this.replace(answer.html);
        this.#rest(card);
        return true;
      }
      // The new card comes as a frame of its own; should it be lost, the buttons come back.
      setTimeout(() => this.#rest(card), UNLOCK_AFTER);
      return true;
    } catch (refusal) {
      this.#rest(card);
      say(notice, refusal.message);
      if (UNSURE.has(refusal.code)) card.dataset.unsure = refusal.message;
      const unsent = card.isConnected ? null : unsentOf(card, refusal.message);
      if (unsent) this.#find(card.dataset.action)?.after(unsent);
      return false;
    }
  }

  #rest(card) {
    delete card.dataset.sending;
    this.#busy(card, false);
  }

  #busy(card, on) {
    card.toggleAttribute("aria-busy", on);
    for (const button of card.querySelectorAll(".approval-act button, [data-modify-form] button"))
      button.disabled = on;
    if (!on) this.#unlock(card);
  }

  #unlock(card) {
    const field = card.querySelector("[data-typed]");
    if (!field) return;
    const right = field.value.trim() === field.dataset.typed;
    for (const button of card.querySelectorAll(
      "[data-decide], [data-approve-changed], [data-approve-changed-once]",
    ))
      button.disabled = !right;
  }

  #input(event) {
    const card = event.target.closest(".approval");
    if (!card) return;
    if ("typed" in event.target.dataset) this.#unlock(card);
    if ("most" in event.target.dataset) count(event.target);
    const form = event.target.closest("[data-modify-form]");
    if (form && "changed" in form.dataset) this.#forgetPreview(form);
  }

  /** Opens or closes the Modify form; what was typed is there again next time unless it is to be forgotten. */
  #toggleModify(card, forget = false) {
    const form = card.querySelector("[data-modify-form]");
    if (!form) return;
    const opening = form.hidden;
    form.hidden = !opening;
    card.toggleAttribute("data-modifying", opening);
    card.querySelector("[data-modify]")?.setAttribute("aria-expanded", String(opening));
    if (opening) {
      form.scrollIntoView({ block: "start" });
      textToChange(form)?.focus({ preventScroll: true });
    } else {
      if (forget) form.reset();
      form.querySelectorAll("[data-most]").forEach(count);
      this.#forgetPreview(form);
      card.focus();
    }
  }

  #forgetPreview(form) {
    delete form.dataset.changed;
    form.querySelector("[data-preview]").replaceChildren();
    for (const button of form.querySelectorAll("[data-approve-changed], [data-approve-changed-once]"))
      button.hidden = true;
    form.querySelector("[data-show-change]").hidden = false;
  }

  async #preview(form) {
    const card = form.closest(".approval");
    const notice = form.querySelector("[data-form-error]");
    say(notice, "");
    for (const line of form.querySelectorAll("[data-field-error]")) say(line, "");
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    const long = tooLong(form);
    if (long) {
      say(notice, TOO_LONG);
      return long.focus();
    }
    const misread = misreadFields(form);
    if (this.#markFields(form, misread)) return say(notice, MARKED);
    this.#busy(card, true);
    try {
      const answer = await this.#transport.preview(card.dataset.action, collectArguments(form));
      form.querySelector("[data-preview]").replaceChildren(elementFrom(answer.html) ?? "");
      form.dataset.changed = JSON.stringify({
        digest: answer.digest,
        target_digest: answer.target_digest,
        arguments: answer.arguments,
      });
      for (const button of form.querySelectorAll("[data-approve-changed], [data-approve-changed-once]"))
        button.hidden = false;
      form.querySelector("[data-show-change]").hidden = true;
      form.querySelector("[data-approve-changed]").scrollIntoView({ block: "nearest" });
    } catch (refusal) {
      const marked = this.#markFields(form, refusal.fields ?? {});
      say(notice, marked ? MARKED : refusal.message);
    } finally {
      this.#busy(card, false);
    }
  }

  /** Says at each value what is wrong with it; whether every problem found its value. */
  #markFields(form, fields) {
    let first = null;
    let unplaced = 0;
    for (const [name, words] of Object.entries(fields)) {
      const box = form.querySelector(`[data-field="${CSS.escape(name.split(".")[0])}"]`);
      if (!box) {
        unplaced += 1;
        continue;
      }
      const control = box.querySelector("[data-arg]");
      control.setAttribute("aria-invalid", "true");
      say(box.querySelector("[data-field-error]"), Array.isArray(words) ? words.join(" ") : String(words));
      first ??= control;
    }
    first?.focus();
    return first !== null && unplaced === 0;
  }

  #approveChanged(card, button) {
    const form = card.querySelector("[data-modify-form]");
    if (!("changed" in form.dataset)) return;
    const session = "approveChanged" in button.dataset && form.querySelector("[data-approve-changed-once]");
    const verdict = session ? "approve_session" : "approve";
    const payload = { verdict, target: typedTarget(card), ...JSON.parse(form.dataset.changed) };
    this.#run(
      card,
      () => this.#transport.decide(card.dataset.action, payload),
      form.querySelector("[data-form-error]"),
    ).then((done) => {
      if (!done) this.#forgetPreview(form); // what was refused must be looked at again, as it is by now
    });
  }

  #settle(card, done) {
    const evidence = card.querySelector("[data-evidence]");
    if (!evidence.value.trim()) {
      say(
        card.querySelector("[data-card-error]"),
        "Say first what you saw, so that others can follow the decision.",
      );
      evidence.focus();
      return;
    }
    this.#run(card, () => this.#transport.settle(card.dataset.action, done, evidence.value.trim()));
  }

  #askReason(card) {
    const dialog = document.getElementById("deny");
    const reason = dialog.querySelector("textarea");
    if (this.#denying !== card.dataset.action) reason.value = "";
    count(reason);
    this.#denying = card.dataset.action;
    dialog.querySelector("h2").textContent = `Deny: ${card.dataset.title}`;
    say(dialog.querySelector("[data-deny-error]"), "");
    dialog.showModal();
  }

  async #deny(form) {
    const card = this.#find(this.#denying);
    const notice = form.querySelector("[data-deny-error]");
    const reason = form.elements.reason.value.trim();
    if (!card) return say(notice, "This request is no longer on the page.");
    if (!reason) return say(notice, "Give a reason: the agent acts on it.");
    if (tooLong(form)) return say(notice, TOO_LONG);
    const sent = await this.#run(
      card,
      () => this.#transport.decide(this.#denying, { verdict: "deny", digest: card.dataset.digest, reason }),
      notice,
    );
    if (!sent) return;
    form.reset();
    form.closest("dialog").close();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keysOn()) return;
    if (document.querySelector("dialog[open]")) return;
    const card = document.activeElement?.closest?.(".approval") ?? this.#standing();
    if (!card || !this.#root.contains(card) || card.dataset.state !== "waiting") return;
    if ("modifying" in card.dataset) return; // a single letter would throw away what was typed
    const key = event.key.toLowerCase();
    if (key === "a" && card.dataset.risk !== "high")
      card.querySelector('[data-decide][data-kind="primary"]')?.click();
    else if (key === "m") card.querySelector("[data-modify]")?.click();
    else if (key === "d") card.querySelector("[data-deny]")?.click();
    else if (key === "o" && card.dataset.sessionPath) location.assign(card.dataset.sessionPath);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}

/** Says beside a field how much of its room is used, once that matters. */
function count(field) {
  countLetters(field, field.closest(".field").querySelector("[data-letters]"));
}

/** What people mostly change: the words; failing that, the first value that is no record's number. */
function textToChange(form) {
  const others = [...form.querySelectorAll("[data-arg]")];
  return form.querySelector("textarea") ?? others.find(({ name }) => !/(^|_)id$/.test(name)) ?? others[0];
}

/** What the person typed to confirm a high-risk action; the server compares it too. */
function typedTarget(card) {
  return card.querySelector("[data-typed]")?.value.trim() ?? "";
}
