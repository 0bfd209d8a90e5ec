// The list of tools by keyboard: arrows walk through it, Enter in the search field opens the first.
const words = document.querySelector("#tool-words");
const found = document.querySelector("#tools-found");
let asked = words?.value ?? "";
let shown = asked;
let opens = false;

const links = () => [...found.querySelectorAll("[data-tool]")];

/** Opens the first tool once the list is that of the words that stand in the field. */
function openFirst() {
  opens = words.value !== shown;
  if (!opens) links()[0]?.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const all = links();
  const at = all.indexOf(document.activeElement);
  if (event.key === "ArrowDown" && (at >= 0 || document.activeElement === words)) {
    event.preventDefault();
    all[Math.min(at + 1, all.length - 1)]?.focus();
  } else if (event.key === "ArrowUp" && at >= 0) {
    event.preventDefault();
    (at === 0 ? words : all[at - 1]).focus();
  } else if (event.key === "Enter" && document.activeElement === words) {
    event.preventDefault();
    openFirst();
  }
});

document.addEventListener("htmx:beforeRequest", () => {
  asked = words.value;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target !== found) return;
  shown = asked;
  if (opens) openFirst();
});
