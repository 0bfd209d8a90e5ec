// The form of one tool: Ctrl or Cmd with Enter sends it, as Enter makes a line in a box of several.
const form = document.querySelector(".tool-form form");

form?.querySelector("[data-send-hint]")?.removeAttribute("hidden");

// What was refused has the focus already: static/junto/shell.js
if (document.activeElement === document.body) form?.querySelector(".field :is(input, select, textarea), [type=submit]")?.focus();

form?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
