// How a bot behaves in the chat. What settings there are the server tells; those that this page knows have a form of
// their own, any other a field for JSON.

import { api, ApiError } from "/pages/design/api.js";
import { h, toast } from "/pages/design/dom.js";
import { field, form } from "/pages/design/form.js";
import { inlineMarkdown } from "/pages/design/markdown.js";
import { hasText, t } from "/pages/design/texts.js";
import { byLanguage } from "./by-language.js";
import { officeHoursFields } from "./office-hours.js";

/** In this order; a setting that the server does not have is left out. */
const groups = {
  answers: ["greet", "typing", "live", "separate", "collect_ms"],
  failures: ["failure_text", "failure_handover"],
  operators: ["operator_words", "operator_after_turns", "office_hours"],
};
const known = Object.values(groups).flat();

/** The form of a bot's settings. */
export async function settingsOf(bot, { signal, refresh }) {
  const described = (await api.get("/openapi.json", {}, { signal })).components.schemas.bot.properties.settings.properties;
  const element = form({
    fields: Object.entries({ ...groups, others: Object.keys(described).filter((name) => !known.includes(name)) }).map(([group, names]) => {
      const there = names.filter((name) => name in described);
      return there.length > 0 && h("section.group", h("h2", t(`bots.groups.${group}`)), there.map((name) => fieldsFor(name, described[name], bot)));
    }).filter(Boolean),
    submit: t("save"),
    send: async ({ settings }) => {
      await api.patch(`/bots/${bot.id}`, { settings });
      toast(t("saved"));
      await refresh();
    },
  });
  return h("section.panel", { "aria-label": t("bots.tabs.settings") }, element);
}

function fieldsFor(setting, { description = "", minimum, maximum }, bot) {
  const name = `settings.${setting}`;
  const value = bot.settings[setting];
  const texts = `bots.settings.${setting}`;
  const spec = { name, label: t(`${texts}.label`), help: hasText(`${texts}.help`) ? t(`${texts}.help`) : null, value };
  switch (setting) {
    case "greet": return greetField(spec, bot);
    case "collect_ms": return secondsField(spec, maximum);
    case "operator_after_turns": return rowOf({ ...spec, kind: "number", attributes: { min: minimum, max: maximum, step: 1 }, hint: "0" });
    case "failure_text": return byLanguage({ ...spec, hint: t(`${texts}.hint`) });
    case "operator_words": return wordsFields(spec);
    case "office_hours": return officeHoursFields(name, value);
    default: return known.includes(setting) ? flagField(spec) : jsonField({ ...spec, label: setting, help: inlineMarkdown(description) });
  }
}

function rowOf(spec) {
  const box = field(spec);
  box.classList.add("row");
  box.querySelector(".optional")?.remove();
  return box;
}

/** A flag is off unless it is set. */
function flagField(spec) {
  const box = field({ ...spec, kind: "check" });
  box.read = () => box.control.checked || null;
  return box;
}

function greetField(spec, { type }) {
  const box = rowOf({
    ...spec, kind: "select", value: spec.value == null ? "" : String(spec.value),
    options: [
      { value: "", label: t(type === "openline" ? "bots.settings.greet.usualOff" : "bots.settings.greet.usualOn") },
      { value: "true", label: t("bots.settings.greet.on") }, { value: "false", label: t("bots.settings.greet.off") },
    ],
  });
  box.read = () => ({ true: true, false: false })[box.control.value] ?? null;
  return box;
}

function secondsField(spec, maximum) {
  const box = rowOf({ ...spec, kind: "number", value: spec.value == null ? null : spec.value / 1000, hint: "0", attributes: { min: 0, max: maximum / 1000, step: 0.1 } });
  box.read = () => (box.control.value === "" ? null : Math.round(Number(box.control.value) * 1000));
  return box;
}

/** The standard words, one's own, or none. */
function wordsFields(spec) {
  const isNone = spec.value && !Object.values(spec.value).some((words) => words?.length);
  const choice = rowOf({
    ...spec, kind: "select", value: spec.value == null ? "" : isNone ? "none" : "own",
    options: ["", "own", "none"].map((value) => ({ value, label: t(`bots.settings.operator_words.${value || "usual"}`) })),
  });
  const own = byLanguage({ name: spec.name, label: t("bots.settings.operator_words.list"), value: spec.value, words: true, hint: t("bots.settings.operator_words.hint") });
  const cleared = () => Object.fromEntries(Object.keys(spec.value ?? {}).map((language) => [language, null]));
  choice.read = () => ({ "": null, none: cleared(), own: undefined })[choice.control.value];
  const follow = () => { own.hidden = choice.control.value !== "own"; };
  choice.control.addEventListener("change", follow);
  follow();
  return [choice, own];
}

function jsonField(spec) {
  const box = field({ ...spec, kind: "code", value: spec.value == null ? "" : JSON.stringify(spec.value, null, 2) });
  box.read = () => {
    if (!box.control.value.trim()) return null;
    try {
      return JSON.parse(box.control.value);
    } catch {
      throw new ApiError(t("bots.notJson"), { fields: { [spec.name]: t("bots.notJson") } });
    }
  };
  return box;
}
