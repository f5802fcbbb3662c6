// Whether this portal works with BitBot, and mending it.

import { api } from "/pages/design/api.js";
import { announce, button, h, notice, panel, toast } from "/pages/design/dom.js";
import { light } from "/pages/design/elements.js";
import { hasText, t, useTexts } from "/pages/design/texts.js";
import { start } from "./start.js";

const portal = `/portals/${start.portal_id}`;

export async function show({ signal }) {
  await useTexts("application", "check");
  const place = h("div.stack.wide", { "aria-live": "off" });
  const look = () => check(place, signal);
  look();
  return {
    title: t("check.title"), lead: t("check.lead", { domain: start.domain }), narrow: true, content: place,
    actions: [button(t("check.again"), look, { icon: "refresh" })],
  };
}

async function check(place, signal) {
  place.replaceChildren(h("section.panel.flush", h("p.waiting", t("check.running"))));
  let result;
  try {
    result = await api.get(`${portal}/check`, {}, { signal });
  } catch (error) {
    if (error.name !== "AbortError") place.replaceChildren(notice("bad", error.message));
    return;
  }
  const verdict = t(result.well ? "check.well" : "check.trouble");
  place.replaceChildren(
    notice(result.well ? "good" : "warn", verdict),
    h("section.panel.flush", h("ul.rows", result.findings.map(row))),
    repairPanel(place, signal));
  announce(verdict);
}

/** What is in trouble first. */
function row({ name, trouble, remedy }) {
  return h("li", light(trouble ? "trouble" : "well"),
    h("div", h("strong", nameOf(name)), trouble && h("p.bad", sentence(trouble)), remedy && h("p.note", sentence(remedy))));
}

/** The names of what is looked at, where we know them: "Scope im" is `check.names.Scope` with "im". */
function nameOf(name) {
  const [word, ...rest] = name.split(" ");
  return hasText(`check.names.${word}`) ? t(`check.names.${word}`, { name: rest.join(" ") }).trim() : name;
}

function sentence(text) {
  return /^\p{Ll}/u.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

function repairPanel(place, signal) {
  const done = h("div", { hidden: true });
  const repair = button(t("check.repair"), async () => {
    const { repaired } = await api.post(`${portal}/repair`, {}, { signal });
    toast(t(repaired.length ? "check.repaired" : "check.nothing"));
    done.hidden = !repaired.length;
    done.replaceChildren(h("ul", repaired.map((text) => h("li", text))));
  }, { icon: "repair" });
  return panel(t("check.repairTitle"), h("div.stack", h("p.note", t("check.repairText")), h("div.line", repair), done));
}
