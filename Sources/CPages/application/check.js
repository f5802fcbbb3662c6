// Whether this portal works with BitBot, and mending it.

import { checkInto } from "/pages/admin/findings.js";
import { api } from "/pages/design/api.js";
import { button, h, notice, panel } from "/pages/design/dom.js";
import { said, t, useTexts } from "/pages/design/texts.js";
import { start } from "./start.js";

export async function show({ signal }) {
  await Promise.all([useTexts("application", "check"), useTexts("admin", "portals")]);
  const found = h("section.panel.flush");
  const look = () => checkInto(found, start.portal_id, signal);
  look();
  return {
    title: t("check.title"), lead: t("check.lead", { domain: start.domain }), narrow: true,
    actions: [button(t("check.again"), look, { icon: "refresh" })],
    content: [found, repairPanel(look, signal)],
  };
}

function repairPanel(look, signal) {
  const done = h("div", { role: "status" });
  const repair = button(t("check.repair"), async () => {
    done.replaceChildren();
    const { repaired } = await api.post(`/portals/${start.portal_id}/repair`, {}, { signal });
    done.replaceChildren(notice("good", repaired.length ? h("ul.plain-list", repaired.map((text) => h("li", said(text)))) : t("portals.nothingToRepair")));
    await look();
  }, { icon: "repair" });
  return panel(t("check.repairTitle"), [h("p.note", t("check.repairText")), h("div.line", repair), done]);
}
