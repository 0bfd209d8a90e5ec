// Small pieces that several pages share. No module here keeps state.

/** The one element that a server-rendered fragment consists of, or null when it is empty. */
export function elementFrom(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

/** An icon of the sprite that the page already uses. */
export function icon(name) {
  const sprite = document.querySelector("use")?.getAttribute("href")?.split("#")[0] ?? "";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** Puts words into a prepared notice, or hides it when there are none. The words are text, never markup. */
export function say(notice, words) {
  if (!notice) return;
  (notice.querySelector("span, p") ?? notice).textContent = words;
  notice.hidden = !words;
}

export function typing(target) {
  return Boolean(
    target?.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]"),
  );
}

export function toast(words, tone = "") {
  const box = document.createElement("div");
  box.className = "toast";
  box.dataset.tone = tone;
  const text = document.createElement("p");
  text.textContent = words;
  const close = document.createElement("button");
  close.className = "btn";
  close.type = "button";
  close.dataset.kind = "plain";
  close.dataset.close = "";
  close.setAttribute("aria-label", "Close");
  close.append(icon("x"));
  box.append(icon(tone === "danger" ? "alert" : "ok"), text, close);
  document.getElementById("toasts")?.append(box);
}

/** Copies `text`. Where a page may not write to the clipboard (plain HTTP), the browser copies the selected `field`. */
export async function copyText(text, field = null) {
  try {
    await navigator.clipboard.writeText(text);
    return toast("Copied", "ok");
  } catch {
    field?.select();
    if (field && document.execCommand("copy")) return toast("Copied", "ok");
  }
  toast("The browser did not allow copying. Select the text instead.", "danger");
}

/** Puts the server's newer text in place; what somebody typed or unfolded stays as it is. */
export function refresh(element, html) {
  const callbacks = { beforeAttributeUpdated: (name) => name !== "open" };
  window.Idiomorph.morph(element, html, { morphStyle: "innerHTML", ignoreActiveValue: true, callbacks });
}

export const csrfToken = () => document.querySelector("meta[name=csrf-token]")?.content ?? "";
