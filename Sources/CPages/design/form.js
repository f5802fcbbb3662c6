// Forms made from descriptions of their fields, with what the server finds wrong said at the field.

import { ApiError } from "./api.js";
import { announce, busy, h, icon, notice } from "./dom.js";
import { said, t } from "./texts.js";

let number = 0;

/**
 * A field. `kind`: text (default), url, password, secret (write-only, with what is stored as its hint), number, area,
 * code, select (`options: [{value, label}]`, or groups `{label, options}` of them), check, doors (a choice of cards: `options: [{value, label, note, icon}]`).
 * `name` is the member of the request, with dots for one inside another. `value`, `help` (text or node), `required`,
 * `hint` (placeholder) and `attributes` of the control are as one expects.
 *
 * The element has `read()`, `show(value)`, `fault(text)` and `name`.
 */
export function field(spec) {
  const { kind = "text" } = spec;
  if (kind === "check") return checkField(spec);
  if (kind === "doors") return doorsField(spec);
  const id = `field-${++number}`;
  const control = makeControl(id, spec);
  const box = frame(spec, id, control);
  box.control = control;
  box.read = () => readers[kind]?.(control) ?? (control.value.trim() || null);
  box.show = (value) => { control.value = value ?? ""; };
  control.addEventListener("input", () => box.fault(""));
  return box;
}

const readers = {
  number: (control) => (control.value === "" ? null : Number(control.value)),
  // Nothing typed means: leave what is stored.
  secret: (control) => (control.value === "" ? undefined : control.value.trim()),
  password: (control) => control.value,
  area: (control) => control.value,
  code: (control) => control.value,
};

function makeControl(id, { kind = "text", options = [], value, hint, required, attributes = {} }) {
  const shared = { id, required, "aria-describedby": `${id}-help ${id}-error`, spellcheck: "false", ...attributes };
  if (kind === "select") {
    const one = (option) => (option.options ? h("optgroup", { label: option.label }, option.options.map(one)) : h("option",
      { value: option.value ?? "", selected: String(option.value ?? "") === String(value ?? ""), disabled: option.disabled }, option.label));
    return h("select.input", { ...shared, spellcheck: null, value: undefined }, options.map(one));
  }
  if (kind === "area" || kind === "code") {
    return h(kind === "code" ? "textarea.input.mono" : "textarea.input",
      { rows: 4, placeholder: hint, ...shared, spellcheck: kind === "area" ? null : "false", value: value ?? "" });
  }
  const type = { secret: "password", password: "password", number: "number" }[kind] ?? "text";
  return h(kind === "number" ? "input.input.short" : "input.input", {
    type, placeholder: kind === "secret" && value ? value : hint, inputmode: kind === "url" ? "url" : null,
    autocomplete: kind === "secret" ? "new-password" : "off", ...shared, value: kind === "secret" ? "" : value ?? "",
  });
}

function frame({ name, label, help, required, kind }, id, control) {
  const error = h("p.error", { id: `${id}-error` });
  const box = h("div.field",
    h("label", { for: id }, label, !required && kind !== "select" && h("span.optional", ` ·\u00a0${t("optional")}`)),
    h("p.help", { id: `${id}-help`, hidden: !help }, help),
    kind === "password" ? revealing(control) : control, error);
  box.name = name;
  box.fault = (text) => {
    error.textContent = text;
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  };
  box.focusFault = () => control.focus();
  return box;
}

function revealing(control) {
  const toggle = h("button.button", { type: "button", "aria-pressed": "false" }, t("show"));
  toggle.addEventListener("click", () => {
    const reveal = control.type === "password";
    control.type = reveal ? "text" : "password";
    toggle.setAttribute("aria-pressed", String(reveal));
    toggle.textContent = t(reveal ? "hide" : "show");
  });
  return h("div.with-button", control, toggle);
}

function checkField({ name, label, help, value, attributes = {} }) {
  const id = `field-${++number}`;
  const control = h("input", { id, type: "checkbox", checked: Boolean(value), "aria-describedby": `${id}-help ${id}-error`, ...attributes });
  const error = h("p.error", { id: `${id}-error` });
  const box = h("div.field.check", control, h("label", { for: id }, label), h("p.help", { id: `${id}-help`, hidden: !help }, help), error);
  return Object.assign(box, {
    name, control, read: () => control.checked, show: (next) => { control.checked = Boolean(next); },
    fault: (text) => { error.textContent = text; }, focusFault: () => control.focus(),
  });
}

function doorsField({ name, label, help, options, value }) {
  const id = `field-${++number}`;
  const error = h("p.error", { id: `${id}-error` });
  const box = h("fieldset.field", { "aria-describedby": `${id}-error` }, h("legend", label), help && h("p.help", help),
    h("div.doors", options.map((option) => h("label.door",
      h("input", { type: "radio", name: id, value: option.value, checked: option.value === value }),
      option.icon && icon(option.icon), h("strong", option.label), option.note && h("span.note", option.note)))), error);
  const inputs = () => [...box.querySelectorAll("input")];
  return Object.assign(box, {
    name, control: box, read: () => inputs().find((input) => input.checked)?.value ?? null,
    show: (next) => { for (const input of inputs()) input.checked = input.value === next; },
    fault: (text) => { error.textContent = text; }, focusFault: () => inputs()[0]?.focus(),
  });
}

/**
 * A form: `form({ fields: [field(…), …], submit: t("save"), send: async (values) => … })`. Elements among the fields
 * that are no fields (headings, notices) are shown as they are; fields may be nested in them. `send` gets the values by
 * name; what it throws is shown, at the fields where the server names them. `cancel` is the address of the way back,
 * `extra` are buttons at the far end.
 */
export function form({ fields, submit, send, cancel = null, extra = [], kind = "primary" }) {
  const trouble = h("div", { hidden: true, tabindex: "-1" });
  const button = h("button.button", { type: "submit" }, h("span", submit));
  if (kind) button.classList.add(...kind.split(" "));
  const element = h("form.form", { novalidate: true }, trouble, fields,
    h("div.form-foot", button, cancel && h("a.button.quiet", { href: cancel }, t("cancel")), extra.length > 0 && h("div.line.far", extra)));
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(button, async () => {
      trouble.hidden = true;
      for (const one of fieldsOf(element)) one.fault("");
      const missing = fieldsOf(element).filter((one) => one.control.required && !one.control.value.trim());
      if (missing.length) return point(missing.map((one) => [one, t("required")]));
      try {
        await send(valuesOf(element));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        showFaults(element, trouble, error);
      }
    });
  });
  return element;
}

/** The fields inside an element which are not hidden, nor in something hidden. */
export function fieldsOf(element) {
  return [...element.querySelectorAll(".field")].filter((one) => one.read && !one.closest("[hidden]"));
}

/** What is entered, by the names of the fields; a secret that nobody typed is left out. */
export function valuesOf(element) {
  const values = {};
  for (const one of fieldsOf(element)) {
    const value = one.read();
    if (value === undefined) continue;
    const path = one.name.split(".");
    const last = path.pop();
    path.reduce((place, part) => (place[part] ??= {}), values)[last] = value;
  }
  return values;
}

function showFaults(element, trouble, error) {
  const fields = fieldsOf(element);
  const left = new Map(Object.entries(error.fields).flatMap((pair) => inside(fields, pair)));
  const found = [];
  for (const one of fields) {
    if (!left.has(one.name)) continue;
    found.push([one, sentence(left.get(one.name))]);
    left.delete(one.name);
  }
  const others = [...left].map(([name, text]) => `${name}: ${text}`);
  if (!found.length && !others.length) others.push(error.message);
  if (others.length) {
    trouble.replaceChildren(notice("bad", others.map((text) => h("p", text))));
    trouble.hidden = false;
    if (!found.length) trouble.focus();
  }
  point(found);
}

/** A fault of an object names the member that it means ("options": "history must be …"): that member has a field. */
function inside(fields, [name, text]) {
  if (fields.some((one) => one.name === name)) return [[name, text]];
  return text.split("; ").map((part) => {
    const [member, ...words] = part.split(" ");
    const path = `${name}.${member}`;
    return fields.some((one) => one.name === path) ? [path, words.join(" ")] : [name, part];
  });
}

/** Says what is wrong with each field and goes to the first. */
function point(found) {
  for (const [one, text] of found) one.fault(text);
  if (!found.length) return;
  found[0][0].focusFault();
  announce(found.map(([, text]) => text).join(" "));
}

function sentence(fault) {
  const text = said(fault);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
