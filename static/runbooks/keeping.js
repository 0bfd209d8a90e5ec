// Keeps what is typed on the server against a crash, and tells of other people at the same runbook.

const EVERY = 15_000;
const PAUSE = 1_500;
const FIELDS = ["title", "description", "body", "audience", "company", "category", "tags", "on_success", "inputs", "reason"];

export class Keeper {
  /** `show({kept, others, savedBy, failed})` says what became of the last time. */
  constructor(form, path, show) {
    Object.assign(this, { form, path, show, timer: 0, changed: false, leaving: false });
    this.saved = this.text();
    form.addEventListener("input", () => this.later());
    form.addEventListener("change", () => this.later());
    form.addEventListener("submit", () => (this.leaving = true));
    setInterval(() => this.send(), EVERY);
    document.addEventListener("visibilitychange", () => document.hidden && this.changed && this.send());
    this.send();
  }

  values() {
    const all = new FormData(this.form);
    return FIELDS.filter((name) => all.has(name)).map((name) => [name, all.get(name)]);
  }

  text() {
    return JSON.stringify(this.values());
  }

  later() {
    this.changed = this.text() !== this.saved;
    clearTimeout(this.timer);
    if (this.changed) this.timer = setTimeout(() => this.send(), PAUSE);
  }

  async send() {
    if (this.leaving) return;
    const now = this.text();
    const body = new FormData();
    body.set("based_on", this.form.elements.based_on?.value ?? "");
    if (this.changed && now !== this.saved) for (const [name, value] of this.values()) body.set(name, value);
    try {
      const answer = await post(this.path, body);
      if (this.changed && now !== this.saved) {
        this.saved = now;
        this.changed = this.text() !== now;
        this.kept = new Date();
      }
      this.show({ kept: this.kept, others: answer.others, savedBy: answer.saved_by });
    } catch (error) {
      this.show({ failed: error.message });
    }
  }

  forget() {
    const body = new FormData();
    body.set("forget", "1");
    return post(this.path, body);
  }
}

/** Posts a form to one of the editor's paths. Throws an Error in plain words. */
export async function post(path, body) {
  const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
  let answer;
  try {
    answer = await fetch(path, { method: "POST", body, headers: { "X-CSRFToken": token } });
  } catch {
    throw new Error("Junto cannot be reached.");
  }
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error ?? `Junto answered with an error (${answer.status}).`);
  return found;
}
