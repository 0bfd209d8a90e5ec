// The list of tools that opens at an @: type to search, arrows to move, Enter to choose, Escape to close.

const TYPED = /(^|[^\w@.\\])@([\w.]{0,60})$/;
const MOST_SHOWN = 40;

function badge(text, tone = "") {
  const span = document.createElement("span");
  span.className = "rb-badge";
  if (tone) span.dataset.tone = tone;
  span.textContent = text;
  return span;
}

const TONES = { low: "ok", medium: "warn", high: "danger" };

/** A tool's badges: what it does, how risky it is, and what else is true of it. */
export function badges(tool) {
  return [
    badge(tool.category),
    badge(`${tool.risk[0].toUpperCase()}${tool.risk.slice(1)} risk`, TONES[tool.risk]),
    ...tool.flags.map((words) => badge(words, "warn")),
  ];
}

function rank(tool, words) {
  const name = tool.name.toLowerCase();
  const all = `${name} ${tool.label} ${tool.system} ${tool.description}`.toLowerCase();
  if (!words.every((word) => all.includes(word))) return -1;
  const query = words.join("_");
  if (name.split(".").some((part) => part.startsWith(query))) return 3;
  return name.includes(query) ? 2 : 1;
}

function search(tools, query) {
  const words = query.toLowerCase().split(/[._\s]+/).filter(Boolean);
  return tools
    .map((tool) => ({ tool, rank: rank(tool, words) }))
    .filter((each) => each.rank >= 0)
    .sort((one, other) => other.rank - one.rank)
    .slice(0, MOST_SHOWN)
    .map((each) => each.tool);
}

export class Palette {
  /** `choose(tool, from, to)` is told which stretch of the text holds the @ and what was typed behind it. */
  constructor(area, lines, tools, choose) {
    Object.assign(this, { area, lines, tools, choose, found: [], chosen: 0, from: -1, closedAt: -1 });
    this.list = document.createElement("ul");
    this.list.className = "rb-palette";
    this.list.id = "rb-palette";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Tools");
    this.list.hidden = true;
    document.body.append(this.list);
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-controls", this.list.id);
    area.addEventListener("input", () => this.look());
    area.addEventListener("click", () => this.close());
    area.addEventListener("blur", () => this.close());
    area.addEventListener("scroll", () => this.close());
    area.addEventListener("keydown", (event) => this.key(event));
    // pressing the mouse must not take the focus from the text
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const place = [...this.list.children].indexOf(event.target.closest("[role=option]"));
      if (place >= 0) this.take(place);
    });
  }

  get open() {
    return !this.list.hidden;
  }

  look() {
    const caret = this.area.selectionEnd;
    const typed = TYPED.exec(this.area.value.slice(Math.max(0, caret - 80), caret));
    const from = typed ? caret - typed[2].length - 1 : -1;
    if (!typed || from === this.closedAt) return this.hide();
    this.from = from;
    this.closedAt = -1;
    this.found = search(this.tools, typed[2]);
    this.chosen = 0;
    this.show(caret);
  }

  show(caret) {
    this.list.replaceChildren(...this.found.map((tool, place) => this.option(tool, place)));
    if (!this.found.length) {
      const none = document.createElement("li");
      none.className = "rb-none";
      none.textContent = "No connected system has such a tool.";
      this.list.append(none);
    }
    this.list.hidden = false;
    const at = this.lines.place(caret);
    const height = Math.min(this.list.offsetHeight, innerHeight * 0.6);
    const below = at.bottom + 6;
    this.list.style.top = `${below + height > innerHeight ? Math.max(8, at.top - height - 6) : below}px`;
    this.list.style.left = `${Math.max(8, Math.min(at.left, innerWidth - this.list.offsetWidth - 8))}px`;
    this.pick(this.chosen);
  }

  option(tool, place) {
    const item = document.createElement("li");
    item.id = `rb-tool-${place}`;
    item.setAttribute("role", "option");
    const name = document.createElement("strong");
    name.textContent = tool.label;
    const path = document.createElement("code");
    path.textContent = `@${tool.name}`;
    const words = document.createElement("p");
    words.textContent = tool.description;
    const row = document.createElement("span");
    row.className = "rb-badges";
    row.append(badge(tool.system), ...badges(tool));
    item.append(name, path, words, row);
    return item;
  }

  pick(place) {
    this.chosen = place;
    [...this.list.children].forEach((item, each) => item.setAttribute("aria-selected", String(each === place)));
    this.list.children[place]?.scrollIntoView({ block: "nearest" });
    if (this.found.length) this.area.setAttribute("aria-activedescendant", `rb-tool-${place}`);
  }

  key(event) {
    if (!this.open) return;
    const last = this.found.length - 1;
    if (event.key === "ArrowDown") this.pick(this.chosen >= last ? 0 : this.chosen + 1);
    else if (event.key === "ArrowUp") this.pick(this.chosen <= 0 ? last : this.chosen - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && this.found.length) this.take(this.chosen);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  take(place) {
    const [from, to] = [this.from, this.area.selectionEnd];
    this.hide();
    this.choose(this.found[place], from, to);
  }

  /** Closes it for this @; typing another one opens it again. */
  close() {
    if (this.open) this.closedAt = this.from;
    this.hide();
  }

  hide() {
    this.list.hidden = true;
    this.area.removeAttribute("aria-activedescendant");
  }
}
