// What a person typed into a card that was decided or withdrawn meanwhile. It stands beside the card until they put it
// away, with a button to copy it: nothing that was typed is lost.
import { copyText, say } from "../junto/dom.js";

const NOTHING_TYPED = "This was decided or withdrawn while you had it open for changes.";
const TYPED = "This was decided or withdrawn while you were changing it. What you typed was not sent; it is kept here.";

/** A box with what was typed into `card` but not sent, or null when nobody was changing it. `why` goes first. */
export function unsentOf(card, why = "") {
  const texts = typedInto(card);
  if (!("modifying" in card.dataset) && texts.length === 0) return null;
  const box = piece("tpl-unsent");
  const words = why ? `${why} What you typed is kept here.` : texts.length > 0 ? TYPED : NOTHING_TYPED;
  say(box.querySelector(".notice"), words);
  box.querySelector("[data-unsent-title]").textContent = card.dataset.title;
  box.querySelector("[data-unsent-texts]").append(...texts.map(asField));
  box.querySelector("[data-unsent-close]").addEventListener("click", () => {
    box.previousElementSibling?.focus?.({ preventScroll: true });
    box.remove();
  });
  return box;
}

/** Every box in `place`, and one for each card there that is being changed: for what takes the place of `place`. */
export function unsentWithin(place) {
  const cards = [...place.querySelectorAll(".approval")];
  return [...place.querySelectorAll("[data-unsent]"), ...cards.map((card) => unsentOf(card)).filter(Boolean)];
}

function typedInto(card) {
  const controls = [
    ...card.querySelectorAll("[data-modify-form] [data-arg]"),
    ...card.querySelectorAll("[data-evidence]"),
  ];
  return controls.filter(isChanged).map((control) => ({ label: labelOf(control), text: shownOf(control) }));
}

function isChanged(control) {
  if (control.type === "checkbox") return control.checked !== control.defaultChecked;
  if (control.options) return [...control.options].some((each) => each.selected !== each.defaultSelected);
  return control.value !== control.defaultValue;
}

function labelOf(control) {
  const label = control.labels?.[0];
  return (label?.querySelector("span:not(.dim)") ?? label?.firstChild)?.textContent.trim() ?? control.name;
}

function shownOf(control) {
  if (control.type === "checkbox") return control.checked ? "Yes" : "No";
  return control.options ? (control.selectedOptions[0]?.textContent ?? "") : control.value;
}

function asField({ label, text }) {
  const field = piece("tpl-unsent-text");
  const kept = field.querySelector("textarea");
  field.querySelector("label > span").textContent = label;
  kept.value = text;
  field.querySelector("[data-unsent-copy]").addEventListener("click", () => copyText(text, kept));
  return field;
}

function piece(template) {
  return document.getElementById(template).content.firstElementChild.cloneNode(true);
}
