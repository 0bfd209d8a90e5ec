// Changes to a textarea that its own undo knows, and where its lines and caret are on screen.

/** Replaces a stretch of the text as if it had been typed. */
export function replace(area, from, to, text) {
  area.focus();
  area.setSelectionRange(from, to);
  // the only way that keeps the browser's undo; where it is gone the text still gets in
  if (!document.execCommand("insertText", false, text)) {
    area.setRangeText(text, from, to, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** Puts a block of lines behind the line the caret is in, with an empty line around it; `pick` is selected in it. */
export function insertBlock(area, block, pick = "") {
  const text = area.value;
  const end = text.indexOf("\n", area.selectionEnd);
  const at = end < 0 ? text.length : end;
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  const before = line.trim() ? "\n\n" : text.slice(0, at).trim() ? "\n" : "";
  const after = text.slice(at).startsWith("\n\n") || at === text.length ? "" : "\n";
  replace(area, at, at, `${before}${block}${after}`);
  const place = pick ? block.indexOf(pick) : -1;
  if (place >= 0) area.setSelectionRange(at + before.length + place, at + before.length + place + pick.length);
}

/** The line number of a position, from 1. */
export const lineAt = (text, position) => text.slice(0, position).split("\n").length;

/** Selects a line, counted from 1, and brings it into view. */
export function goToLine(area, line, element) {
  const lines = area.value.split("\n");
  const from = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  area.focus();
  area.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
  if (element) area.scrollTop = Math.max(0, element.offsetTop - area.clientHeight / 3);
}

/** The lines of a textarea drawn behind it, so that each can carry its number and a mark. */
export class Lines {
  constructor(area, backdrop) {
    this.area = area;
    this.backdrop = backdrop;
    this.shown = [];
    this.marks = new Map();
    area.addEventListener("scroll", () => this.follow());
    new ResizeObserver(() => this.follow()).observe(area);
    this.draw();
  }

  follow() {
    this.backdrop.scrollTop = this.area.scrollTop;
  }

  element(line) {
    return this.backdrop.children[line - 1];
  }

  /** Redraws the lines that changed since the last time. */
  draw() {
    const wanted = this.area.value.split("\n");
    while (this.backdrop.children.length > wanted.length) this.backdrop.lastElementChild.remove();
    wanted.forEach((text, place) => {
      let line = this.backdrop.children[place];
      if (!line) {
        line = document.createElement("div");
        this.backdrop.append(line);
      } else if (this.shown[place] === text) return;
      // an empty line keeps its height
      line.textContent = text || "\u200b";
    });
    this.shown = wanted;
    this.follow();
  }

  /** Marks lines: `problems` are {line, message}. */
  mark(problems) {
    for (const line of this.marks.keys()) {
      const element = this.element(line);
      element?.removeAttribute("data-problem");
    }
    this.marks = new Map();
    for (const { line, message } of problems) {
      if (!line) continue;
      this.marks.set(line, [...(this.marks.get(line) ?? []), message]);
      this.element(line)?.setAttribute("data-problem", "");
    }
  }

  /** Where a position of the text is on screen. */
  place(position) {
    const line = lineAt(this.area.value, position);
    const start = this.area.value.lastIndexOf("\n", position - 1) + 1;
    const node = this.element(line)?.firstChild;
    if (!node) return this.area.getBoundingClientRect();
    const range = document.createRange();
    range.setStart(node, Math.min(position - start, node.length));
    range.collapse(true);
    const rect = range.getBoundingClientRect();
    return rect.height ? rect : this.element(line).getBoundingClientRect();
  }
}
