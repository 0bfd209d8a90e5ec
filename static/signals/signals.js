// The list of signals: moving with keys, and new rows that never shift what is under the pointer.
import { typing } from "../junto/dom.js";
import { keysOn } from "../junto/shell.js";

const READ_AGAIN = 15_000;
const rows = document.getElementById("signal-rows");
const form = document.querySelector("[data-filters]");
let due = false;

function refresh() {
  if (document.visibilityState !== "visible") return;
  due = rows.matches(":hover") || rows.contains(document.activeElement);
  rows.querySelector("[data-waiting-rows]")?.toggleAttribute("hidden", !due);
  if (!due) rows.dispatchEvent(new CustomEvent("rows:refresh"));
}

setInterval(refresh, READ_AGAIN);
rows.addEventListener("pointerleave", () => due && refresh());

function move(step) {
  const links = [...rows.querySelectorAll(".sig th a")];
  const at = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + step))]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches?.("[data-search]")) {
    event.target.value = "";
    form.requestSubmit();
    event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keysOn()) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else return;
  event.preventDefault();
});
