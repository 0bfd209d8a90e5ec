// The review queue by keys: J and K move, Y says right, C opens the form.
import { typing } from "../junto/dom.js";
import { keysOn } from "../junto/shell.js";

const list = document.querySelector("[data-review]");
let at = -1;

function move(step) {
  const lines = [...list.children];
  at = Math.max(0, Math.min(lines.length - 1, at < 0 ? 0 : at + step));
  lines[at]?.focus();
  lines[at]?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (!list || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event.target) || !keysOn() || document.querySelector("dialog[open]")) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "y") list.children[at]?.querySelector("[data-yes]")?.click();
  else if (event.key === "c") list.children[at]?.querySelector("[data-correct]")?.click();
  else return;
  event.preventDefault();
});

if (list) move(1);
