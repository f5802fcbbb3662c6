// Building the page. Everything that is shown goes in as text, never as markup.

import { icon } from "./icons.js";
import { t } from "./texts.js";

export { icon };

/**
 * Makes an element: `h("a.button.primary", { href: "#/bots" }, "Bots")`.
 * Attributes that begin with `on` are listeners, `dataset` is merged, a property of the element is set as one
 * where an attribute would not do (`value`, `checked`, …); null, undefined and false are left out.
 */
export function h(selector, attributes = {}, ...children) {
  if (attributes instanceof Node || typeof attributes !== "object" || Array.isArray(attributes)) {
    children.unshift(attributes);
    attributes = {};
  }
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (properties.has(name) || typeof value === "object" || typeof value === "function") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false && child !== ""));
  return element;
}
const properties = new Set(["value", "checked", "selected", "indeterminate", "disabled", "open"]);

/** A button that does something: `button(t("save"), save, { kind: "primary", icon: "check" })`. While it runs it is busy. */
export function button(label, act, { kind = "", icon: sign, ...attributes } = {}) {
  const element = h("button.button", { type: "button", ...attributes }, sign && icon(sign), h("span", label));
  if (kind) element.classList.add(...kind.split(" "));
  if (act) element.addEventListener("click", () => busy(element, act));
  return element;
}

/** A link that looks like a button. */
export function linkButton(label, href, { kind = "", icon: sign, ...attributes } = {}) {
  const element = h("a.button", { href, ...attributes }, sign && icon(sign), h("span", label));
  if (kind) element.classList.add(...kind.split(" "));
  return element;
}

/** A link to another site, which opens in a tab of its own. */
export function outside(label, href) {
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, label);
}

/** Runs `act` with the button marked busy, once at a time; what it throws is shown. */
export async function busy(element, act) {
  if (element.getAttribute("aria-busy") === "true") return;
  element.setAttribute("aria-busy", "true");
  try {
    return await act(element);
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message, { bad: true });
  } finally {
    element.removeAttribute("aria-busy");
  }
}

/** Says something for a moment, also to a screen reader. */
export function toast(text, { bad = false } = {}) {
  let place = document.querySelector(".toasts");
  if (!place) {
    place = h("div.toasts", { role: "status", "aria-live": "polite" });
    document.body.append(place);
  }
  const box = h(bad ? "div.toast.bad" : "div.toast", icon(bad ? "warning" : "check"), h("span", text));
  place.append(box);
  setTimeout(() => box.remove(), bad ? 9000 : 4000);
}

/** Says something to a screen reader only. */
export function announce(text) {
  let place = document.getElementById("announcer");
  if (!place) {
    place = h("p.visually-hidden", { id: "announcer", "aria-live": "polite" });
    document.body.append(place);
  }
  place.textContent = "";
  setTimeout(() => { place.textContent = text; }, 60);
}

/** Asks before something that cannot be taken back: `if (await confirm({ title, text, action: t("delete") })) …` */
export function confirm({ title, text, action, danger = true }) {
  return new Promise((resolve) => {
    const ok = h("button.button.primary", { value: "yes" }, action);
    if (danger) ok.classList.add("danger");
    const dialog = modal(title, [
      text && (text instanceof Node ? text : h("p", text)),
      h("form.dialog-foot", { method: "dialog" }, h("button.button", { value: "", autofocus: true }, t("cancel")), ok),
    ]);
    dialog.setAttribute("role", "alertdialog");
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}

/**
 * Opens a dialog with a title; it is removed when it closes. `kind` may be "wide". One that `stays` is closed by its own
 * buttons alone: what it shows is not to be lost by a slip.
 */
export function modal(title, content, kind = "", { stays = false } = {}) {
  const heading = h("h2", { id: `dialog-${++number}` }, title);
  const dialog = h("dialog", { "aria-labelledby": heading.id }, h("div.stack", heading, content));
  if (kind) dialog.classList.add(kind);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && !stays) dialog.close();
  });
  if (stays) dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
let number = 0;

/** Something that people should see: `notice("warn", "…")`. Kinds: "" (news), "good", "warn", "bad". */
export function notice(kind, content, ...actions) {
  const sign = { good: "check", warn: "warning", bad: "warning" }[kind] ?? "info";
  const box = h("div.notice", { role: kind === "bad" ? "alert" : null }, icon(sign), h("div", content), actions);
  if (kind) box.classList.add(kind);
  return box;
}

/** What is said where there is nothing yet. */
export function empty({ icon: sign, title, text, actions = [] }) {
  return h("div.empty", sign && icon(sign), h("h2", title), text && h("p", text), actions.length > 0 && h("div.line", actions));
}

/** A panel with a title. `flush` for tables and rows, which reach its edges. */
export function panel(title, content, { flush = false, actions = [], foot = null, level = "h2" } = {}) {
  const heading = title && h(level, { id: `panel-${++number}` }, title);
  return h(flush ? "section.panel.flush" : "section.panel", { "aria-labelledby": heading?.id },
    (title || actions.length > 0) && h("div.panel-head", heading, actions), content, foot && h("div.panel-foot", foot));
}

/** Facts as pairs: `facts([t("domain"), portal.domain], …)`; a pair without a value is left out. */
export function facts(...pairs) {
  return h("dl.facts", pairs.filter((pair) => pair && pair[1] != null && pair[1] !== "")
    .map(([name, value]) => [h("dt", name), h("dd", value)]));
}

/** A word in a pill. Kinds: "", "good", "warn", "bad", "accent". */
export function badge(text, kind = "") {
  const element = h("span.badge", text);
  if (kind) element.classList.add(kind);
  return element;
}
