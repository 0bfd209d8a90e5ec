// A text is never cut: what is too long stays in its field, and the field says by how much. `data-most` is the limit.

const NEAR = 500;
const grouped = (number) => number.toLocaleString("en");

/** Characters of a field above its limit, as the server counts them; below zero those that still fit. */
export function tooMany(field) {
  const text = "arg" in field.dataset ? field.value : field.value.trim();
  return [...text].length - Number(field.dataset.most);
}

/** Marks `field` and says in `shown` how many characters it has, once that matters. `advice` is what else could be done. */
export function countLetters(field, shown, advice = "") {
  const over = tooMany(field);
  const most = Number(field.dataset.most);
  if (over > 0) shown.textContent = `${grouped(over)} characters too many: shorten it${advice}.`;
  else shown.textContent = over > -Math.min(NEAR, most / 4) ? `${grouped(over + most)} of ${grouped(most)} characters` : "";
  shown.toggleAttribute("data-over", over > 0);
  field.setAttribute("aria-invalid", String(over > 0));
}

/** The first field of `form` whose text is too long, or undefined. */
export function tooLong(form) {
  return [...form.querySelectorAll("[data-most]")].find((field) => tooMany(field) > 0);
}
