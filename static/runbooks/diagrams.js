// Draws the diagrams of a runbook. Mermaid runs in a sandboxed frame with an origin of its own and is loaded only when
// there is a diagram; what comes back is shown as a picture, in which nothing can run, load or be clicked.

const PATIENCE = 20_000;
let frame = null;
let ready = null;
let count = 0;
const waiting = new Map();
const drawn = new Map();

function open(path) {
  if (ready) return ready;
  frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.setAttribute("aria-hidden", "true");
  frame.tabIndex = -1;
  frame.title = "Draws diagrams";
  frame.className = "diagram-frame";
  ready = new Promise((resolve) => {
    addEventListener("message", (event) => {
      if (event.source !== frame.contentWindow) return;
      if (event.data?.ready) resolve();
      else if (waiting.has(event.data?.id)) waiting.get(event.data.id)(event.data);
    });
  });
  frame.src = path;
  document.body.append(frame);
  return ready;
}

async function ask(path, source, dark) {
  await open(path);
  const id = ++count;
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve({ error: "Drawing took too long." }), PATIENCE);
    waiting.set(id, (answer) => {
      clearTimeout(late);
      waiting.delete(id);
      resolve(answer);
    });
    // the frame has no origin that could be named
    frame.contentWindow.postMessage({ id, source, dark }, "*");
  });
}

function picture(svg) {
  const image = document.createElement("img");
  // the SVG is a document of its own, so it must be well-formed XML
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml");
  const root = parsed.documentElement;
  if (root.nodeName !== "svg") return null;
  const box = (root.getAttribute("viewBox") ?? "").split(/[\s,]+/).map(Number);
  if (box.length === 4 && box[2] > 0) {
    root.setAttribute("width", String(Math.ceil(box[2])));
    root.setAttribute("height", String(Math.ceil(box[3])));
  }
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(root))}`;
  return image;
}

function isDark(element) {
  return getComputedStyle(element).colorScheme.trim() === "dark" || document.documentElement.classList.contains("dark")
    ? true
    : document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : !document.documentElement.dataset.admin && matchMedia("(prefers-color-scheme: dark)").matches;
}

async function draw(figure, path) {
  const source = figure.querySelector("pre")?.textContent ?? "";
  const dark = isDark(figure);
  const key = `${dark} ${source}`;
  if (!drawn.has(key)) drawn.set(key, await ask(path, source, dark));
  const { svg, error } = drawn.get(key);
  const image = svg ? picture(svg) : null;
  if (image) {
    image.alt = `Diagram: ${source.trim()}`;
    figure.replaceChildren(image);
  } else {
    const words = document.createElement("figcaption");
    words.textContent = `This diagram cannot be drawn: ${error ?? "it is not understood"}`;
    figure.append(words);
  }
}

/** Draws every diagram inside `root` that still is source. */
export async function drawDiagrams(root) {
  const holders = [...root.querySelectorAll("[data-diagrams]")];
  if (root.matches?.("[data-diagrams]")) holders.push(root);
  for (const holder of holders)
    for (const figure of holder.querySelectorAll("figure.diagram:not([data-drawn])")) {
      figure.dataset.drawn = "";
      await draw(figure, holder.dataset.diagrams);
    }
}

drawDiagrams(document.body);
