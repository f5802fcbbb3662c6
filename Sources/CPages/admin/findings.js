// What a check of a portal found, each with how to mend it.

import { api } from "/pages/design/api.js";
import { announce, h, notice } from "/pages/design/dom.js";
import { light } from "/pages/design/elements.js";
import { t } from "/pages/design/texts.js";

/** Checks a portal into `place`; gives the check's answer. */
export async function checkInto(place, portal, signal) {
  place.replaceChildren(h("p.waiting", t("portals.checking")));
  try {
    const check = await api.get(`/portals/${portal}/check`, {}, { signal });
    place.replaceChildren(findings(check));
    announce(t(check.well ? "portals.checkWell" : "portals.checkIll"));
    return check;
  } catch (error) {
    if (error.name !== "AbortError") place.replaceChildren(h("div.list-trouble", notice("bad", error.message)));
    return null;
  }
}

function findings({ findings: all }) {
  const sorted = all.toSorted((a, b) => Number(!a.trouble) - Number(!b.trouble));
  return h("ul.rows", sorted.map(({ name, trouble, remedy }) => h("li", light(trouble ? "trouble" : "well"),
    h("div.light-words", h("strong", name), trouble && [" ", trouble], trouble && remedy && h("p.note", remedy)))));
}
