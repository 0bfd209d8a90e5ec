// One websocket for one signal page. The rows on the server are the truth: after a break the socket asks for
// everything behind the last event it has shown, so nothing is lost and nothing is shown twice.

const PING_EVERY = 20_000;
const SILENT_AFTER = 50_000;
const ANSWER_WITHIN = 30_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
// Close codes after which trying again by itself makes no sense.
const FINAL = {
  4401: "You are logged out. Log in again in another tab, then press Reconnect. Your text stays here.",
  4403: "You are no longer a member of this organization.",
  4404: "This signal is not to be seen by you any more.",
};

const TOO_LARGE = 1009;
const TOO_MUCH = "That is more than Junto takes at once: nothing of it was sent. Shorten it; your text stays here.";
const BROKE = "The connection broke before Junto answered. Look whether it happened before you try again.";

/** What came back instead of an answer: a code for the program, words for the person, and which fields are wrong. */
export class Refusal extends Error {
  constructor({ code, message, fields }) {
    super(message);
    this.code = code;
    this.fields = fields ?? {};
  }
}

export class SessionSocket extends EventTarget {
  #path;
  #mostBytes;
  #after;
  #socket = null;
  #tries = 0;
  #waiting = new Map();
  #lastHeard = 0;
  #retry = 0;
  #number = 0;

  /** `after` is asked at every connect: the number of the last event shown. A frame has `mostBytes` at most. */
  constructor(path, after, mostBytes = Infinity) {
    super();
    this.#path = path;
    this.#mostBytes = mostBytes;
    this.#after = after;
    setInterval(() => this.#beat(), PING_EVERY);
    addEventListener("online", () => this.connect());
    addEventListener("offline", () => this.#socket?.close());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && !this.open) this.connect();
    });
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    clearTimeout(this.#retry);
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    this.#link("connecting");
    const url = new URL(this.#path, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("after", String(this.#after()));
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#tries = 0;
      this.#lastHeard = Date.now();
    });
    socket.addEventListener("message", (event) => this.#receive(event.data));
    socket.addEventListener("close", (event) => this.#closed(socket, event));
  }

  /** Drops the line and takes it up again at once, for instance to read everything from the start. */
  restart() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#fail("lost", "The conversation was read anew. Look above whether it arrived before you send again.");
    this.connect();
  }

  /** An id that no other frame of this person has. */
  newId() {
    return `${Date.now().toString(36)}-${++this.#number}`;
  }

  /** Sends a frame and resolves with the answer to it; rejects with a Refusal. A line that opens is waited for. */
  async request(frame) {
    if (!this.open && !(await this.#opening())) {
      throw new Refusal({ code: "offline", message: "Not connected. Nothing was sent." });
    }
    const id = frame.id ?? this.newId();
    const text = JSON.stringify({ ...frame, id });
    // The server would cut the line, and with it the answers to everything else.
    if (new TextEncoder().encode(text).length > this.#mostBytes)
      throw new Refusal({ code: "too_large", message: TOO_MUCH });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(
          new Refusal({
            code: "silent",
            message: "Junto has not answered. Look whether it happened before you try again.",
          }),
        );
      }, ANSWER_WITHIN);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#socket.send(text);
    });
  }

  /** Whether the line that is being opened this moment, if one is, opens: who presses at once has not to press again. */
  #opening() {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.CONNECTING) return false;
    return new Promise((resolve) => {
      socket.addEventListener("open", () => resolve(true), { once: true });
      socket.addEventListener("close", () => resolve(false), { once: true });
    });
  }

  /** Sends a frame to which nobody waits for an answer. */
  tell(frame) {
    if (this.open) this.#socket.send(JSON.stringify(frame));
  }

  #receive(text) {
    this.#lastHeard = Date.now();
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    if (frame.type === "hello") this.#link("open");
    const asked = frame.id ? this.#waiting.get(frame.id) : undefined;
    if (asked) {
      clearTimeout(asked.timer);
      this.#waiting.delete(frame.id);
      if (frame.type === "error") asked.reject(new Refusal(frame));
      else asked.resolve(frame);
      return;
    }
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #closed(socket, event) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    if (event.code === TOO_LARGE) this.#fail("too_large", TOO_MUCH);
    else this.#fail("lost", BROKE);
    const final = FINAL[event.code];
    if (final) return this.#link("closed", final);
    this.#link("lost");
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#tries++);
    this.#retry = setTimeout(() => this.connect(), longest / 2 + (Math.random() * longest) / 2);
  }

  #fail(code, message) {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new Refusal({ code, message }));
    }
    this.#waiting.clear();
  }

  #beat() {
    if (!this.open) return;
    if (Date.now() - this.#lastHeard > SILENT_AFTER) this.#socket.close();
    else this.tell({ type: "ping" });
  }

  #link(state, words = "") {
    this.dispatchEvent(new CustomEvent("link", { detail: { state, words } }));
  }
}
