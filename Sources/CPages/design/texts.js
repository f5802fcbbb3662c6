// What the pages say, in the reader's language. Each area of the pages has a dictionary of its own in each language,
// `FOLDER/NAME-en.js` and `FOLDER/NAME-ru.js`, fetched when it is first needed: `await useTexts("admin", "portals")`.
// Its texts are then under its name: `t("portals.title")`; those of a dictionary called `texts` are under no name.

export const languages = { en: "English", ru: "Русский" };
const stored = "bitbot-language";
const used = new Map();
let dictionary = {};
let language = chosen();

function chosen() {
  let choice = null;
  try { choice = localStorage.getItem(stored); } catch { /* forbidden in some frames */ }
  const wanted = [choice, ...(navigator.languages ?? [])].filter(Boolean).map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => tag in languages) ?? "en";
}

export function currentLanguage() {
  return language;
}

/** The language of the surroundings, for a reader who has chosen none here before. */
export async function preferLanguage(next) {
  let choice = null;
  try { choice = localStorage.getItem(stored); } catch { /* forbidden in some frames */ }
  if (!(choice in languages)) await setLanguage(next, { remember: false });
}

/** The reader's own habits for dates and numbers within the language: "en-GB" for "en". */
export function locale() {
  return navigator.languages?.find((tag) => tag.slice(0, 2).toLowerCase() === language) ?? language;
}

/** Changes the language; `remember` it as this reader's choice. Texts in use are fetched before it returns. */
export async function setLanguage(next, { remember = true } = {}) {
  if (!(next in languages)) return;
  if (remember) {
    try { localStorage.setItem(stored, next); } catch { /* forbidden in some frames */ }
  }
  language = next;
  document.documentElement.lang = next;
  dictionary = {};
  await Promise.all([...used.values()].map(([folder, name]) => fetchTexts(folder, name)));
}

/** Makes the texts of an area ready. */
export async function useTexts(folder, name = "texts") {
  document.documentElement.lang = language;
  if (used.has(`${folder}/${name}`)) return;
  await fetchTexts(folder, name);
  used.set(`${folder}/${name}`, [folder, name]);
}

async function fetchTexts(folder, name) {
  const file = new URL(`../${folder}/${name}-${language}.js`, import.meta.url);
  const { default: texts } = await import(file);
  if (name === "texts") Object.assign(dictionary, texts);
  else dictionary[name] = texts;
}

function template(key, params) {
  let found = key.split(".").reduce((place, part) => place?.[part], dictionary);
  if (found && typeof found === "object") found = found[plural(params?.count)] ?? found.other;
  return typeof found === "string" ? found : key;
}

/** Whether there is such a text. */
export function hasText(key) {
  return template(key) !== key;
}

/**
 * The text under a key. `{name}` in it is filled from `params`; a text with forms (`{one, few, many, other}`) is chosen
 * by `params.count`, which is shown with the language's digits.
 */
export function t(key, params = {}) {
  return template(key, params).replace(/\{(\w+)\}/g, (whole, name) => (name in params ? shown(params[name]) : whole));
}

/**
 * The text under a key as nodes: `{name}` may be filled with an element, `**bold**` and `` `code` `` in the dictionary's
 * text (never in a parameter) become elements.
 */
export function rich(key, params = {}) {
  const fragment = document.createDocumentFragment();
  for (const part of template(key, params).split(/(\*\*.+?\*\*|`.+?`|\{\w+\})/)) {
    if (/^\*\*.+\*\*$/.test(part)) fragment.append(wrapped("strong", fill(part.slice(2, -2), params)));
    else if (/^`.+`$/.test(part)) fragment.append(wrapped("code", fill(part.slice(1, -1), params)));
    else if (/^\{\w+\}$/.test(part) && part.slice(1, -1) in params) fragment.append(shown(params[part.slice(1, -1)]));
    else fragment.append(part);
  }
  return fragment;
}

function fill(text, params) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? shown(params[name]) : whole));
}

function wrapped(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function shown(value) {
  return typeof value === "number" ? formatNumber(value) : value;
}

function plural(count) {
  return typeof count === "number" ? new Intl.PluralRules(language).select(count) : "other";
}

export function formatNumber(value, options) {
  return new Intl.NumberFormat(locale(), options).format(value);
}

/** A moment: `formatTime(at)` is date and time; other styles: "time", "date", "second" and "clock" (both and time, with seconds). */
export function formatTime(at, style = "both") {
  const options = {
    both: { dateStyle: "medium", timeStyle: "short" },
    date: { dateStyle: "medium" },
    time: { timeStyle: "short" },
    second: { dateStyle: "medium", timeStyle: "medium" },
    clock: { timeStyle: "medium" },
  }[style];
  return new Intl.DateTimeFormat(locale(), options).format(new Date(at));
}

/** How long ago, or in how long: "3 minutes ago", "yesterday". */
export function formatRelative(at, now = Date.now()) {
  const seconds = (new Date(at) - now) / 1000;
  const steps = [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", Infinity]];
  let value = seconds;
  for (const [unit, size] of steps) {
    if (Math.abs(Math.round(value)) < size) {
      const rounded = unit === "second" && Math.abs(value) < 45 ? 0 : Math.round(value);
      return new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "long" }).format(rounded, unit);
    }
    value /= size;
  }
}

/** A duration given in seconds: "85ms", "1.2s", "3m". */
export function formatSeconds(seconds) {
  const [value, unit] = seconds < 1 ? [seconds * 1000, "millisecond"] : seconds < 120 ? [seconds, "second"] : [seconds / 60, "minute"];
  return formatNumber(value, { style: "unit", unit, unitDisplay: "narrow", maximumFractionDigits: value < 10 && unit !== "millisecond" ? 1 : 0 });
}

/**
 * A sentence of the server in the reader's language, where the dictionary `said` knows it (a list of patterns with what
 * they become; `{1}` is what the pattern's first group holds, itself said anew). Else the sentence as it came.
 */
export function said(sentence) {
  if (!dictionary.said?.length) return sentence;
  for (const [pattern, text] of dictionary.said) {
    const found = sentence?.match(pattern);
    if (found) return text.replace(/\{(\d)\}/g, (_, number) => said(found[number] ?? ""));
  }
  return sentence;
}
