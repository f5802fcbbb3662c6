// What a check of a portal found, each with how to mend it.

import { api } from "/pages/design/api.js";
import { announce, h, notice } from "/pages/design/dom.js";
import { light } from "/pages/design/elements.js";
import { said, t } from "/pages/design/texts.js";

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

/** What is wrong, openly; what is in order, for whoever wants to know. */
function findings({ findings: all }) {
  const ill = all.filter((one) => one.trouble);
  const well = all.filter((one) => !one.trouble);
  const list = (some) => h("ul.rows", some.map(({ name, trouble, remedy }) => h("li", light(trouble ? "trouble" : "well"),
    h("div.light-words", h("strong", said(name)), trouble && [" ", said(trouble)], trouble && remedy && h("p.note", said(remedy))))));
  return h("div",
    ill.length > 0 ? list(ill) : h("div.padded", light("well", h("strong", t("portals.allWell")))),
    well.length > 0 && h("details.more-lights", h("summary", t("portals.inOrder", { count: well.length })), list(well)));
}
