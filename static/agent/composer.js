// The field in which a person writes to the agent. Its text is kept until Junto has it, and goes there once.
import { say } from "../junto/dom.js";
import { countLetters, tooMany } from "./letters.js";

const TYPING_EVERY = 4_000;
const TALLEST = 192;

export class Composer {
  #form;
  #box;
  #button;
  #notice;
  #socket;
  #draftKey;
  #arrived;
  #live = false;
  #sending = false;
  #toldTyping = 0;
  /** The message that was sent last and whose arrival is unsure, with the id by which the server knows it again. */
  #unsure = { text: "", id: "" };

  /** `arrived` is called when a message is written into the session. */
  constructor(form, socket, { draftKey, arrived }) {
    this.#form = form;
    this.#box = form.querySelector("[data-say]");
    this.#button = form.querySelector("[data-send]");
    this.#notice = form.querySelector("[data-say-error]");
    this.#socket = socket;
    this.#draftKey = draftKey;
    this.#arrived = arrived;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.#box.addEventListener("input", () => {
      if (this.#box.value.trim() !== this.#unsure.text) this.#unsure = { text: "", id: "" };
      this.#keepDraft();
      this.#tellTyping();
    });
    try {
      this.#box.value = sessionStorage.getItem(draftKey) ?? "";
    } catch {
      // No draft then.
    }
    this.#keepDraft();
  }

  /** Whether there is a session that listens. */
  set live(live) {
    this.#live = live;
    this.#box.placeholder = live ? "Ask or tell the agent" : "Start the agent, then ask or tell it";
    this.enable();
  }

  /** Words about the line; empty takes them away. */
  complain(words) {
    say(this.#notice, words);
  }

  /** Looks again whether sending is possible. */
  enable() {
    this.#button.disabled = this.#sending || !this.#socket.open || !this.#live || tooMany(this.#box) > 0;
  }

  async #send() {
    const text = this.#box.value.trim();
    if (!text || this.#sending || !this.#socket.open || !this.#live || tooMany(this.#box) > 0) return;
    this.#busy(true);
    this.complain("");
    // The same words sent again are the same message: should the first have arrived, the server drops the second.
    const id = this.#unsure.text === text ? this.#unsure.id : this.#socket.newId();
    this.#unsure = { text, id };
    try {
      await this.#socket.request({ type: "say", text, id });
      this.#unsure = { text: "", id: "" };
      this.#box.value = "";
      this.#keepDraft();
      this.#arrived();
    } catch (refusal) {
      this.complain(refusal.message);
    } finally {
      this.#busy(false);
      this.#box.focus();
    }
  }

  #busy(on) {
    this.#sending = on;
    this.#box.readOnly = on;
    this.enable();
  }

  #tellTyping() {
    if (!this.#live || Date.now() - this.#toldTyping <= TYPING_EVERY) return;
    this.#toldTyping = Date.now();
    this.#socket.tell({ type: "typing" });
  }

  #keepDraft() {
    const box = this.#box;
    countLetters(box, this.#form.querySelector("[data-letters]"), ", or put it on the ticket as a note");
    this.enable();
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, TALLEST)}px`;
    try {
      if (box.value) sessionStorage.setItem(this.#draftKey, box.value);
      else sessionStorage.removeItem(this.#draftKey);
    } catch {
      // The text still stands in the field.
    }
  }
}
