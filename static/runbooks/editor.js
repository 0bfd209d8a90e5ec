// The editor of a runbook's text: a toolbar, lines with marks, a preview, the palette of tools, and keeping.
import { bindArguments } from "./binding.js";
import { drawDiagrams } from "./diagrams.js";
import { InputRows } from "./inputs.js";
import { Keeper, post } from "./keeping.js";
import { Palette } from "./palette.js";
import { goToLine, insertBlock, Lines, replace } from "./text.js";

const CHECK_AFTER = 350;

const SNIPPETS = [
  ["Step", "1. What to do", "What to do"],
  ["Heading", "## Heading", "Heading"],
  ["Checklist", "- [ ] First thing to check\n- [ ] Second thing", "First thing to check"],
  ["Decision", "> [!DECISION] Question to the technician?\n> - First option\n> - Second option", "Question to the technician?"],
  ["Note", "> [!NOTE]\n> What to know", "What to know"],
  ["Warning", "> [!WARNING]\n> What can go wrong", "What can go wrong"],
  ["Table", "| What | Where |\n| --- | --- |\n| First | Second |", "What"],
  ["Code", "```\ncode\n```", "code"],
  ["Diagram", "```mermaid\nflowchart LR\n  A[Start] --> B{Known user?}\n  B -- yes --> C[Go on]\n  B -- no --> D[Stop]\n```", "Start"],
];

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function button(words, press) {
  const made = element("button", { type: "button", textContent: words });
  made.addEventListener("click", press);
  return made;
}

const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;

class Editor {
  constructor(area) {
    this.area = area;
    this.form = area.form;
    this.inputs = new InputRows(this.form.querySelector("[data-input-rows]"));
    this.build();
    this.lines = new Lines(area, this.backdrop);
    this.check();
    area.addEventListener("input", () => {
      this.lines.draw();
      this.checkLater();
    });
    for (const name of ["audience", "company", "inputs"])
      for (const event of ["change", "input"])
        this.form.elements[name]?.addEventListener(event, () => this.checkLater());
    this.loadTools();
    this.keeper = new Keeper(this.form, area.dataset.keepPath, (state) => this.tell(state));
    this.connectKept();
  }

  build() {
    const { area } = this;
    const root = element("div", { className: "rb-editor" });
    area.before(root);
    this.picture = element("input", { type: "file", accept: "image/png,image/jpeg,image/webp,image/gif", hidden: true });
    this.picture.addEventListener("change", () => this.upload());
    const toolbar = element(
      "div",
      { className: "rb-toolbar" },
      button("@ Tool", () => this.openPalette()),
      ...SNIPPETS.map(([words, block, pick]) => button(words, () => insertBlock(area, block, pick))),
      button("Picture…", () => this.picture.click()),
      this.picture,
    );
    toolbar.setAttribute("role", "toolbar");
    toolbar.setAttribute("aria-label", "Insert");
    toolbar.setAttribute("aria-controls", area.id);
    this.backdrop = element("div", { className: "rb-lines" });
    this.backdrop.setAttribute("aria-hidden", "true");
    this.preview = element("section", { className: "rb-preview" });
    this.preview.setAttribute("aria-label", "Preview");
    this.preview.tabIndex = 0;
    this.summary = element("p", { className: "rb-summary" });
    this.kept = element("p", { className: "rb-kept" });
    this.problems = element("ol", { className: "rb-problems", id: "rb-problems" });
    this.notice = element("p", { className: "rb-notice", hidden: true });
    for (const live of [this.summary, this.kept, this.notice]) live.setAttribute("role", "status");
    const write = element("div", { className: "rb-write" }, this.backdrop, area);
    area.className = "rb-area";
    area.setAttribute("aria-describedby", "rb-problems");
    root.append(
      this.notice,
      toolbar,
      element("div", { className: "rb-panes" }, write, this.preview),
      element("div", { className: "rb-status" }, this.summary, this.kept),
      this.problems,
    );
  }

  async loadTools() {
    const answer = await fetch(this.area.dataset.toolsPath).catch(() => null);
    if (!answer?.ok) return this.warn("The list of tools could not be loaded. Load the page again to use @.");
    const { tools, facts } = await answer.json();
    this.facts = facts;
    this.palette = new Palette(this.area, this.lines, tools, (tool, from, to) => this.mention(tool, from, to));
    this.area.dataset.ready = "";
  }

  openPalette() {
    const { area } = this;
    const before = area.value.slice(0, area.selectionEnd);
    replace(area, area.selectionStart, area.selectionEnd, /(^|\s|\()$/.test(before) ? "@" : " @");
  }

  async mention(tool, from, to) {
    const text = tool.arguments.length
      ? await bindArguments(tool, this.facts, this.inputs.declared)
      : `@${tool.name}`;
    replace(this.area, from, to, text);
  }

  async upload() {
    const [file] = this.picture.files;
    if (!file) return;
    const body = new FormData();
    body.set("image", file);
    this.picture.value = "";
    try {
      const { address } = await post(this.area.dataset.imagesPath, body);
      insertBlock(this.area, `![What it shows](${address})`, "What it shows");
    } catch (error) {
      this.warn(error.message);
    }
  }

  checkLater() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), CHECK_AFTER);
  }

  async check() {
    const asked = (this.asked = (this.asked ?? 0) + 1);
    const body = new FormData();
    body.set("body", this.area.value);
    for (const name of ["inputs", "audience", "company"]) body.set(name, this.form.elements[name]?.value ?? "");
    try {
      const found = await post(this.area.dataset.checkPath, body);
      if (asked === this.asked) this.show(found);
    } catch (error) {
      this.summary.textContent = `Not checked: ${error.message}`;
    }
  }

  show({ html, problems, steps, approvals }) {
    this.preview.innerHTML = html;
    for (const link of this.preview.querySelectorAll("a[href^='#']"))
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.preview.querySelector(`[id="${CSS.escape(link.hash.slice(1))}"]`)?.scrollIntoView();
      });
    for (const link of this.preview.querySelectorAll("a[href^=http]")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
    drawDiagrams(this.preview);
    const empty = !this.area.value.trim();
    const named = empty ? [] : problems;
    this.lines.mark(named);
    this.area.setAttribute("aria-invalid", String(named.length > 0));
    this.problems.replaceChildren(...named.map((problem) => this.problem(problem)));
    const parts = [counted(steps, "step", "steps")];
    if (approvals) parts.push(`${counted(approvals, "tool", "tools")} approved in advance by publishing`);
    parts.push(named.length ? counted(named.length, "problem", "problems") : "nothing keeps it from being published");
    this.summary.textContent = empty ? "Empty" : parts.join(" · ");
    this.summary.dataset.state = named.length ? "problem" : "fine";
  }

  problem({ line, message }) {
    const words = line ? `Line ${line}: ${message}` : message;
    const go = button(words, () => line && goToLine(this.area, line, this.lines.element(line)));
    return element("li", {}, go);
  }

  tell({ kept, others = [], savedBy = "", failed }) {
    if (failed) this.kept.textContent = `Not kept: ${failed} Save soon.`;
    else if (kept)
      this.kept.textContent = `Kept at ${kept.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })}, not saved`;
    const words = [];
    if (others.length) words.push(`${others.join(" and ")} ${others.length === 1 ? "is" : "are"} editing this too.`);
    if (savedBy) words.push(`${savedBy} saved it after you opened it: your changes will be merged when you save.`);
    this.warn(words.join(" "));
  }

  warn(words) {
    this.notice.textContent = words;
    this.notice.hidden = !words;
  }

  connectKept() {
    const box = document.querySelector("[data-kept]");
    box?.querySelector("[data-forget]")?.addEventListener("click", async () => {
      await this.keeper.forget().catch(() => null);
      location.assign(location.pathname);
    });
  }
}

const area = document.querySelector("textarea[data-runbook-editor]");
if (area) new Editor(area);
