// The required inputs as rows of a form; the field behind them keeps the list that the server reads.

const TYPES = {
  string: "Text",
  email: "E-mail address",
  number: "Number",
  select: "Choice",
  date: "Date",
  boolean: "Yes or no",
};

function field(row, name, words, control) {
  const label = document.createElement("label");
  label.append(words, control);
  control.dataset.part = name;
  row.append(label);
  return control;
}

function input(type = "text") {
  const made = document.createElement("input");
  made.type = type;
  return made;
}

function slug(label) {
  const words = label.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  return words.replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+|_+$/g, "").slice(0, 40);
}

class Row {
  constructor(declared, changed, remove) {
    this.element = document.createElement("div");
    this.element.className = "rb-input";
    this.label = field(this.element, "label", "Question or label", input());
    this.name = field(this.element, "name", "Name in the text", input());
    this.type = field(this.element, "type", "Type", document.createElement("select"));
    for (const [value, words] of Object.entries(TYPES)) this.type.append(new Option(words, value));
    this.options = field(this.element, "options", "Choices, separated by commas", input());
    this.default = field(this.element, "default", "Filled in before", input());
    this.required = field(this.element, "required", "Must be given", input("checkbox"));
    const gone = document.createElement("button");
    gone.type = "button";
    gone.textContent = "Remove";
    gone.addEventListener("click", () => remove(this));
    this.element.append(gone);
    this.label.value = declared.label ?? "";
    this.name.value = declared.name ?? "";
    this.type.value = declared.type ?? "string";
    this.options.value = (declared.options ?? []).join(", ");
    this.default.value = declared.default ?? "";
    this.required.checked = declared.required ?? true;
    this.named = Boolean(this.name.value);
    this.name.addEventListener("input", () => (this.named = Boolean(this.name.value)));
    this.label.addEventListener("input", () => {
      if (!this.named) this.name.value = slug(this.label.value);
    });
    for (const event of ["input", "change"])
      this.element.addEventListener(event, () => {
        this.show();
        changed();
      });
    this.show();
  }

  show() {
    this.options.parentElement.hidden = this.type.value !== "select";
  }

  preset() {
    const text = this.default.value.trim();
    if (!text) return null;
    if (this.type.value === "number" && !Number.isNaN(Number(text))) return Number(text);
    if (this.type.value === "boolean") return /^(yes|true|1)$/i.test(text);
    return text;
  }

  get declared() {
    const options = this.options.value.split(",").map((each) => each.trim()).filter(Boolean);
    return {
      name: this.name.value.trim(),
      label: this.label.value.trim(),
      type: this.type.value,
      required: this.required.checked,
      default: this.preset(),
      options: this.type.value === "select" ? options : [],
    };
  }
}

export class InputRows {
  constructor(area) {
    this.area = area;
    this.list = document.createElement("div");
    this.list.className = "rb-inputs";
    const add = document.createElement("button");
    add.type = "button";
    add.className = "rb-add";
    add.textContent = "Add an input";
    add.addEventListener("click", () => this.add({}).label.focus());
    this.rows = [];
    area.before(this.list);
    this.list.append(add);
    this.addButton = add;
    this.read();
  }

  /** Rows from the field; text that is no list stays visible as it is, to be put right by hand. */
  read() {
    let declared = null;
    try {
      declared = JSON.parse(this.area.value || "[]");
    } catch {
      // said by the check, with the field in view
    }
    const readable = Array.isArray(declared) && declared.every((each) => each && typeof each === "object");
    this.area.hidden = readable;
    this.list.hidden = !readable;
    for (const row of this.rows) row.element.remove();
    this.rows = [];
    if (readable) for (const each of declared) this.add(each);
  }

  add(declared) {
    const row = new Row(declared, () => this.write(), (gone) => this.remove(gone));
    this.rows.push(row);
    this.addButton.before(row.element);
    return row;
  }

  remove(row) {
    row.element.remove();
    this.rows = this.rows.filter((each) => each !== row);
    this.addButton.focus();
    this.write();
  }

  write() {
    this.area.value = JSON.stringify(this.rows.map((row) => row.declared));
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Names and labels of what is declared so far. */
  get declared() {
    return this.rows.map((row) => [row.name.value.trim(), row.label.value.trim()]).filter(([name]) => name);
  }
}
