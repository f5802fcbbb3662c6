// The portal's bots, for people who do not set them up.

import { api } from "/pages/design/api.js";
import { empty, h, notice, panel } from "/pages/design/dom.js";
import { light } from "/pages/design/elements.js";
import { said, t, useTexts } from "/pages/design/texts.js";

const lights = { active: "well", registering: "waiting", failed: "trouble", deleted: "idle" };

export async function show({ signal }) {
  await useTexts("application", "bots");
  const bots = await api.all("/bots", {}, { signal });
  return {
    title: t("bots.title"), lead: t("bots.lead"), narrow: true,
    content: [
      bots.length ? h("section.panel.flush", h("ul.rows", bots.map((bot) => botRow(bot))))
        : panel(null, empty({ icon: "bot", title: t("bots.empty"), text: t("bots.emptyText") })),
      notice("", t("bots.who")),
    ],
  };
}

/** A bot as a row: its light, its name (a link where `href` is given), what it is for, and what is wrong with it. */
export function botRow(bot, href = null) {
  return h("li", light(lights[bot.status] ?? "idle"),
    h("div", href ? h("a.row-link", { href }, bot.name) : h("strong", bot.name),
      h("p.note", t(`botTypes.${bot.type}`), bot.status_reason && h("span.bad", ` · ${said(bot.status_reason)}`))),
    h("span.note", t(`botStates.${bot.status}`)));
}
