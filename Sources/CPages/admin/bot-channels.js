// How a bot comes into an open channel: Bitrix24 lets only people choose it there.

import { api } from "/pages/design/api.js";
import { badge, button, h, icon, notice, outside, panel } from "/pages/design/dom.js";
import { rich, t } from "/pages/design/texts.js";

const helpPage = "https://helpdesk.bitrix24.com/open/25385203/";

export async function channelsOf(bot, { signal, refresh }) {
  const { items, missing_scope: missing } = await api.get(`/portals/${bot.portal_id}/channels`, {}, { signal });
  const again = button(t("bots.channels.again"), refresh, { kind: "small", icon: "refresh" });
  const attached = items.some((channel) => channel.bot_id != null && channel.bot_id === bot.bot_id);
  return [
    panel(t("bots.channels.how"), [
      h("ol.steps", [
        [missing || !items.length ? "openWhere" : "open"], ["choose", { name: h("strong", bot.name) }], ["save"],
      ].map(([key, params]) => h("li", { dataset: { state: attached ? "done" : "" } }, h("p", rich(`bots.channels.${key}`, params))))),
      h("p.note", outside(t("bots.channels.help"), helpPage)),
    ]),
    missing ? notice("warn", rich("bots.channels.missing", { scope: h("code", missing) }), again)
      : panel(t("bots.channels.title"), items.length ? h("ul.rows", items.map((channel) => row(channel, bot))) : h("p.note", t("bots.channels.none")),
        { flush: items.length > 0, actions: [again] }),
  ];
}

function row({ name, active, bot_id: welcome, settings_url: url }, bot) {
  const state = welcome == null ? badge(t("bots.channels.free"))
    : welcome === bot.bot_id ? badge(t("bots.channels.here"), "good") : badge(t("bots.channels.other"), "accent");
  return h("li", icon("dialogs"), h("span.line", h("strong", name), state, !active && badge(t("bots.channels.off"))),
    h("a.button.small", { href: url, target: "_blank", rel: "noopener noreferrer", "aria-label": `${t("bots.channels.settings")}: ${name}` }, icon("outside"), h("span", t("bots.channels.settings"))));
}
