// The form that binds a tool's arguments and writes them as the runbook's text names them.
import { badges } from "./palette.js";

const FACT = "fact";
const INPUT = "input";
const VALUE = "value";
const OPEN = "";

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const option = (value, words) => element("option", { value, textContent: words });

function valueField(argument) {
  if (argument.kind === "choice")
    return element("select", {}, ...argument.options.map((each) => option(each, each)));
  if (argument.kind === "yes or no")
    return element("select", {}, option("true", "Yes"), option("false", "No"));
  if (argument.kind === "number") return element("input", { type: "number", step: "any" });
  if (argument.kind === "long text") return element("textarea", { rows: 3 });
  return element("input", { type: "text" });
}

// a mention stands on one line
const quoted = (text) =>
  `"${text.trim().replace(/\s*\n\s*/g, " ").replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** A constant as the text writes it: bare for numbers and yes or no, else in quotes. */
function constant(argument, value) {
  return argument.kind === "number" || argument.kind === "yes or no" ? value : quoted(value);
}

/** One argument: where its value comes from, and the value. */
class Row {
  constructor(argument, facts, inputs) {
    this.argument = argument;
    const id = `rb-argument-${argument.name}`;
    this.source = element(
      "select",
      { id },
      option(OPEN, argument.required ? "The agent chooses" : argument.default ? `Left as it is: ${argument.default}` : "Left out, or the agent chooses"),
      ...(argument.kind === "other" ? [] : [option(VALUE, "Always this value")]),
      ...(inputs.length ? [option(INPUT, "An input of this runbook")] : []),
      option(FACT, "A fact of the ticket"),
    );
    this.value = valueField(argument);
    this.input = element("select", {}, ...inputs.map(([name, label]) => option(name, `${label} (input.${name})`)));
    this.fact = element("select", {}, ...facts.map((fact) => option(fact.path, `${fact.words[0].toUpperCase()}${fact.words.slice(1)}`)));
    for (const [field, words] of [[this.value, "Value"], [this.input, "Input"], [this.fact, "Fact"]])
      field.setAttribute("aria-label", `${words} of ${argument.name}`);
    if (argument.fact) {
      this.source.value = FACT;
      this.fact.value = argument.fact;
    }
    this.source.addEventListener("change", () => this.show());
    const label = element("label", { htmlFor: id }, element("code", { textContent: argument.name }));
    if (argument.required) label.append(" ", element("em", { textContent: "needed" }));
    this.element = element(
      "div",
      { className: "rb-argument" },
      label,
      element("p", { textContent: argument.description }),
      element("div", { className: "rb-argument-fields" }, this.source, this.value, this.input, this.fact),
    );
    this.show();
  }

  show() {
    this.value.hidden = this.source.value !== VALUE;
    this.input.hidden = this.source.value !== INPUT;
    this.fact.hidden = this.source.value !== FACT;
    this.value.required = this.source.value === VALUE;
  }

  get open() {
    return this.source.value === OPEN;
  }

  get words() {
    const { name } = this.argument;
    if (this.source.value === VALUE) return `${name}=${constant(this.argument, this.value.value)}`;
    if (this.source.value === INPUT) return `${name}=input.${this.input.value}`;
    return this.source.value === FACT ? `${name}=${this.fact.value}` : "";
  }
}

/** Asks how to call a tool. Resolves to the mention's text: with arguments, or only the name after Escape. */
export function bindArguments(tool, facts, inputs) {
  const dialog = element("dialog", { className: "rb-dialog" });
  dialog.setAttribute("aria-labelledby", "rb-binding-title");
  const rows = tool.arguments.map((argument) => new Row(argument, facts, inputs));
  const ask = element("input", { type: "checkbox", id: "rb-ask" });
  const advice = element("p", { className: "rb-advice" });
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", { id: "rb-binding-title", textContent: tool.label }),
    element("p", { textContent: tool.description }),
    element("p", { className: "rb-badges" }, ...badges(tool)),
    ...rows.map((row) => row.element),
    element("label", { className: "rb-ask" }, ask, "Ask a person every time, even when the runbook runs by itself"),
    advice,
    element(
      "div",
      { className: "rb-dialog-buttons" },
      element("button", { type: "button", textContent: "Only the name", value: "name" }),
      element("button", { type: "submit", textContent: "Insert", value: "insert", className: "rb-primary" }),
    ),
  );
  const advise = () => {
    const missing = rows.filter((row) => row.argument.required && row.open).map((row) => row.argument.name);
    advice.textContent =
      tool.risky && missing.length && !ask.checked
        ? `To let it run by itself, say what ${missing.join(", ")} is. Otherwise a person must be asked.`
        : "";
  };
  form.addEventListener("change", advise);
  advise();
  dialog.append(form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let inserted = false;
    form.addEventListener("submit", () => (inserted = true));
    form.querySelector("button[value=name]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      const bound = inserted ? rows.map((row) => row.words).filter(Boolean).join(", ") : "";
      const end = inserted && ask.checked ? " (ask)" : "";
      resolve(`@${tool.name}${bound ? `(${bound})` : ""}${end}`);
    });
    dialog.showModal();
    (rows.find((row) => row.argument.required && row.open)?.source ?? form.querySelector("button.rb-primary")).focus();
  });
}
