// Bots: what answers in Bitrix24.

import { api } from "/pages/design/api.js";
import { h, linkButton } from "/pages/design/dom.js";
import { light } from "/pages/design/elements.js";
import { t, useTexts } from "/pages/design/texts.js";
import { avatarOf } from "./bot-look.js";

export async function show(context) {
  await useTexts("admin", "bots");
  const [id] = context.parts;
  if (!id) return showAll(context);
  if (id === "new") return (await import("./bot-new.js")).showNew(context);
  return (await import("./bot-page.js")).showOne(context);
}

async function showAll({ session, signal }) {
  const isAdmin = session.kind === "admin";
  const [connectors, portals] = await Promise.all([
    api.all("/connectors", {}, { signal }), isAdmin ? api.all("/portals", {}, { signal }) : [],
  ]);
  const connectorName = new Map(connectors.map((connector) => [connector.id, connector.name]));
  const domain = new Map(portals.map((portal) => [portal.id, portal.domain]));
  const add = linkButton(t("bots.add"), "#/bots/new", { kind: "primary", icon: "add" });
  const columns = [
    { label: t("bots.name"), cell: (bot) => h("span.with-avatar", avatarOf(bot), h("span", bot.name)) },
    { label: t("status"), kind: "nowrap", cell: statusOf },
    { label: t("bots.type"), kind: "nowrap", cell: (bot) => t(`bots.types.${bot.type}.name`) },
    isAdmin && { label: t("bots.portal"), cell: (bot) => domain.get(bot.portal_id) ?? "–" },
    { label: t("bots.connector"), cell: (bot) => connectorName.get(bot.connector_id) ?? h("span.muted", t("bots.noConnector")) },
  ];
  return {
    title: t("nav.bots"), lead: t("bots.lead"), actions: [add],
    content: h("section.panel.flush", h("bb-list", {
      label: t("nav.bots"), source: api.pages("/bots"), href: (bot) => `#/bots/${bot.id}`, columns: columns.filter(Boolean),
      empty: {
        icon: "bot", title: t("bots.empty"), text: t("bots.emptyText"),
        actions: [linkButton(t("bots.add"), "#/bots/new", { kind: "primary", icon: "add" })],
      },
    })),
  };
}

/** A light with the words for a bot's status in Bitrix24. */
export function statusOf(bot) {
  const states = { active: bot.status_reason ? "warning" : "well", registering: "waiting", failed: "trouble", deleted: "idle" };
  return light(states[bot.status] ?? "idle", t(`bots.states.${bot.status}`));
}
