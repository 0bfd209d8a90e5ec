// The values of a modify form as a tool's arguments. What an argument is, its control says: data-arg, and data-item for
// what a list is of.

/** Items of lists that people write as JSON, one a line. */
const JSON_ITEMS = new Set(["object", "array", "boolean"]);

/** What is wrong with texts that should be JSON, by field; empty where nothing is. */
export function misreadFields(form) {
  const wrong = {};
  for (const control of form.querySelectorAll("[data-arg]")) {
    const problem = textsOfJson(control).map(problemOfJson).find(Boolean);
    if (problem) wrong[control.name] = problem;
  }
  return wrong;
}

/** The arguments, once nothing is misread. What is not of its type is left for the server to refuse. */
export function collectArguments(form) {
  const values = {};
  for (const control of form.querySelectorAll("[data-arg]")) {
    const value = readValue(control);
    if (value !== undefined) values[control.name] = value;
  }
  return values;
}

function textsOfJson(control) {
  const { arg, item } = control.dataset;
  if (arg === "list") return JSON_ITEMS.has(item) ? linesOf(control) : [];
  return arg === "json" && control.value.trim() ? [control.value] : [];
}

/** Why a text is no JSON, or none that arrives as it stands here; empty where it is. */
function problemOfJson(text) {
  let long = false;
  try {
    JSON.parse(text, (_, value) => {
      long ||= Number.isInteger(value) && !Number.isSafeInteger(value);
      return value;
    });
  } catch (error) {
    return `This is no JSON: ${error.message}.`;
  }
  return long ? "A number in it has more digits than can be sent from here." : "";
}

function readValue(control) {
  const { arg, item } = control.dataset;
  if (arg === "boolean") return control.checked;
  if (arg === "list") return linesOf(control).map((line) => readItem(item, line));
  if (control.value === "" && !control.required) return undefined;
  if (arg === "json") return control.value.trim() ? JSON.parse(control.value) : undefined;
  if (arg === "enum") return JSON.parse(control.value);
  if (arg === "integer" || arg === "number") return asNumber(control.value);
  return control.value;
}

function readItem(kind, line) {
  if (JSON_ITEMS.has(kind)) return JSON.parse(line);
  return kind === "integer" || kind === "number" ? asNumber(line) : line;
}

function linesOf(control) {
  return control.value
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

function asNumber(text) {
  const number = Number(text);
  return text.trim() === "" || Number.isNaN(number) ? text : number;
}
