// Filters above a list. They stand in the address too: a filtered page can be linked to, and gone back to.

import { announce, h } from "./dom.js";
import { valuesOf } from "./form.js";
import { t } from "./texts.js";

/**
 * The fields as filters: `filters({ route: "dialogs", fields: [field(…), …], change: (values) => … })`. `change` is called
 * at once and whenever something else is chosen; a text is waited for while somebody types.
 */
export function filters({ route, fields, change }) {
  const box = h("form.filters", { role: "search", novalidate: true }, fields);
  let timer = null;
  const apply = () => {
    clearTimeout(timer);
    const values = valuesOf(box);
    const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
    history.replaceState(null, "", query.size ? `#/${route}?${query}` : `#/${route}`);
    change(values);
  };
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  box.addEventListener("change", apply);
  box.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (event.target.matches("input")) timer = setTimeout(apply, 300);
  });
  change(valuesOf(box));
  return box;
}

/** Filters of a `<bb-list>`; `source(values)` gives its source. */
export function listFilters({ route, fields, source, list }) {
  let isFirst = true;
  list.addEventListener("loaded", ({ detail: { items } }) => {
    if (!isFirst) announce(t("found", { count: items.length }));
    isFirst = false;
  });
  return filters({
    route, fields,
    change(values) {
      list.source = source(values);
      if (list.isConnected) list.reload();
    },
  });
}
