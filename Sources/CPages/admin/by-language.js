// Something that is said in several languages: a row for each.

import { h, icon } from "/pages/design/dom.js";
import { currentLanguage, t } from "/pages/design/texts.js";

/** Bitrix24's names of languages, where they are not everybody's. */
const common = { la: "es", br: "pt", ua: "uk", kz: "kk", sc: "zh-Hans", tc: "zh-Hant", vn: "vi" };
const languages = ["en", "ru", "de", "la", "br", "fr", "it", "pl", "ua", "kz", "tr", "sc", "tc", "ja", "vn", "id", "ar", "th"];

export function languageName(tag) {
  try {
    const name = new Intl.DisplayNames(currentLanguage(), { type: "language" }).of(common[tag] ?? tag);
    return name.charAt(0).toUpperCase() + name.slice(1);
  } catch {
    return tag;
  }
}

/** A choice of a language. */
export function languageSelect(value) {
  const all = languages.includes(value) ? languages : [...languages, value];
  return h("select.input.narrow", { "aria-label": t("bots.language") },
    all.map((tag) => h("option", { value: tag, selected: tag === value }, languageName(tag))));
}

/** A language that is not among these yet: the reader's, English, or the next. */
export function nextLanguage(used) {
  return [currentLanguage(), ...languages].find((tag) => !used.includes(tag)) ?? "en";
}

/** A button that takes a row away, and gives the focus to what stands by it. */
export function removeButton(row, label, after = () => {}) {
  return h("button.button.quiet.icon-only", {
    type: "button", "aria-label": label, title: label,
    onclick: () => {
      const rows = row.parentElement;
      row.remove();
      (rows.querySelector(":scope > .entry:last-of-type :is(input, textarea)") ?? rows.querySelector(":scope > button"))?.focus();
      after();
    },
  }, icon("trash"));
}

/** A button that adds a row to those before it. */
export function addButton(label, make) {
  const add = h("button.button.small", { type: "button" }, icon("add"), h("span", label));
  add.addEventListener("click", () => {
    const row = make();
    add.before(row);
    row.querySelector("input, textarea")?.focus();
  });
  return add;
}

/**
 * A field of texts by language; `words`: of lists of words, written with commas. It reads as null without a row, and a
 * language that was taken away as null, which is how a change says it.
 */
export function byLanguage({ name, label, help, value, words = false, hint }) {
  const error = h("p.error");
  const row = (language, text) => {
    const select = languageSelect(language);
    const naming = () => `${label}: ${languageName(select.value)}`;
    const input = words
      ? h("input.input", { value: text, placeholder: hint, "aria-label": naming() })
      : h("textarea.input", { rows: 2, value: text, placeholder: hint, "aria-label": naming() });
    select.addEventListener("change", () => input.setAttribute("aria-label", naming()));
    input.addEventListener("input", () => { error.textContent = ""; });
    const element = h("div.entry", select, input);
    element.append(removeButton(element, `${t("bots.remove")}: ${languageName(language)}`));
    return element;
  };
  const used = () => [...entries.querySelectorAll("select")].map((select) => select.value);
  const entries = h("div.entries", Object.entries(value ?? {}).filter(([, text]) => text != null)
    .map(([language, text]) => row(language, words ? text.join(", ") : text)), addButton(t("bots.addLanguage"), () => row(nextLanguage(used()), "")));
  const box = h("fieldset.field", h("legend", label), h("p.help", { hidden: !help }, help), entries, error);

  function read() {
    const rows = [...entries.querySelectorAll(":scope > .entry")];
    if (!rows.length) return null;
    const found = Object.fromEntries(Object.keys(value ?? {}).map((language) => [language, null]));
    for (const one of rows) {
      const text = one.querySelector(":scope > :is(input, textarea)").value.trim();
      found[one.querySelector("select").value] = words ? text.split(/[,;\n]/).map((word) => word.trim()).filter(Boolean) : text;
    }
    return found;
  }
  return Object.assign(box, {
    name, control: box, read, fault: (text) => { error.textContent = text; },
    focusFault: () => entries.querySelector("input, textarea, button").focus(),
  });
}
