// The fields of a platform's options, made from what the server tells of them.

import { field } from "/pages/design/form.js";
import { inlineMarkdown } from "/pages/design/markdown.js";
import { hasText, t } from "/pages/design/texts.js";

/** What a connector cannot do without. */
const needed = new Set(["model"]);

/** A field for each option of a platform (`/api/v1/platforms`); an option that is not set stays so until it is changed. */
export function optionFields(platform, options = {}) {
  return platform.options.map((option) => {
    const value = options?.[option.name];
    const spec = {
      name: `options.${option.name}`, label: labelOf(option.name), value, required: needed.has(option.name),
      help: inlineMarkdown(aboutOf(platform, option)), hint: hint(option.name),
    };
    return (makers[option.kind] ?? makers.text)(spec, option, value);
  });
}

const makers = {
  text: (spec, { name }) => field({ ...spec, kind: name.includes("prompt") ? "area" : "text" }),
  flag(spec, option, value) {
    const box = field({ ...spec, kind: "check" });
    box.read = () => box.control.checked || (value == null ? undefined : null);
    return box;
  },
  one_of: (spec, { name, values }) => field({
    ...spec, kind: "select",
    options: [{ value: "", label: t("connectors.usual") }, ...values.map((value) => ({ value, label: valueLabel(name, value) }))],
  }),
  integer: (spec, { minimum, maximum }) => field({ ...spec, kind: "number", attributes: { min: minimum, max: maximum, step: 1 } }),
  number: (spec, { minimum, maximum }) => field({ ...spec, kind: "number", attributes: { min: minimum, max: maximum, step: "any" } }),
};

function labelOf(name) {
  if (hasText(`connectors.options.${name}`)) return t(`connectors.options.${name}`);
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** In the reader's language where there is a text, else in the server's words. */
function aboutOf(platform, { name, about }) {
  const family = platform.name.split("_")[0];
  const key = [`connectors.about.${family}_${name}`, `connectors.about.${name}`].find(hasText);
  return key ? t(key) : about;
}

function valueLabel(name, value) {
  return hasText(`connectors.values.${name}_${value}`) ? t(`connectors.values.${name}_${value}`) : value;
}

function hint(name) {
  return hasText(`connectors.hints.${name}`) ? t(`connectors.hints.${name}`) : undefined;
}
