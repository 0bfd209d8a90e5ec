// The list of signals: moving with keys, and new rows that never shift what is under the pointer.
import { typing } from "../junto/dom.js";
import { keysOn } from "../junto/shell.js";

const READ_AGAIN = 15_000;
const rows = document.getElementById("signal-rows");
const form = document.querySelector("[data-filters]");
let due = false;

const ticks = () => [...rows.querySelectorAll("input[name=signal]")];
const ticked = () => ticks().filter((box) => box.checked);

// Without this the list is a plain form; with it "all on this page" works, and the button says how many.
function showTicked() {
  const all = rows.querySelector("[data-all]");
  if (!all) return;
  const count = ticked().length;
  const box = all.querySelector("input");
  all.hidden = false;
  box.checked = count > 0 && count === ticks().length;
  box.indeterminate = count > 0 && !box.checked;
  rows.querySelector("[data-count]").textContent = count
    ? `${count} chosen`
    : "Tick tickets that processors are to read again.";
  rows.querySelector("#choose [type=submit]").disabled = !count;
}

rows.addEventListener("change", (event) => {
  if (event.target.closest("[data-all]")) for (const box of ticks()) box.checked = event.target.checked;
  showTicked();
});
document.addEventListener("htmx:afterSettle", showTicked);
showTicked();

function refresh() {
  if (document.visibilityState !== "visible") return;
  due = rows.matches(":hover") || rows.contains(document.activeElement) || ticked().length > 0;
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
