// A new bot.

import { api } from "/pages/design/api.js";
import { h, linkButton, notice } from "/pages/design/dom.js";
import { field, form } from "/pages/design/form.js";
import { t } from "/pages/design/texts.js";
import { lookFields } from "./bot-look.js";

const types = { openline: "dialogs", bot: "bot", supervisor: "search", personal: "user" };

export async function showNew({ session, signal, query, go }) {
  const isAdmin = session.kind === "admin";
  const [installations, connectors] = await Promise.all([
    api.all("/installations", { portal_id: query.get("portal_id") }, { signal }), api.all("/connectors", {}, { signal }),
  ]);
  const usable = installations.filter(({ status }) => status === "active");
  const page = { title: t("bots.new"), lead: t("bots.newLead"), back: { href: "#/bots", label: t("nav.bots") }, narrow: true };
  const missing = missingFirst(usable, connectors, isAdmin);
  if (missing) return { ...page, content: missing };

  const fields = [
    // Where there is no choice there is nothing to ask.
    (isAdmin || usable.length > 1) && installationField(usable, query.get("installation_id"), isAdmin),
    field({
      name: "connector_id", kind: "select", label: t("bots.connector"), help: t("bots.connectorHelp"), value: query.get("connector_id") ?? connectors[0].id,
      options: connectors.map((connector) => ({ value: connector.id, label: connector.name })),
    }),
    field({ name: "name", label: t("bots.name"), help: t("bots.nameHelp"), hint: t("bots.nameHint"), required: true }),
    field({
      name: "type", kind: "doors", label: t("bots.type"), help: t("bots.typeHelp"), value: "openline",
      options: Object.entries(types).map(([value, icon]) => ({ value, icon, label: t(`bots.types.${value}.name`), note: t(`bots.types.${value}.about`) })),
    }),
    ...lookFields(),
    advanced(),
  ].filter(Boolean);
  return {
    ...page,
    content: h("section.panel", form({
      fields, submit: t("bots.create"), cancel: "#/bots",
      send: async (values) => {
        const given = Object.entries({ installation_id: usable[0].id, ...values }).filter(([, value]) => value !== null);
        const bot = await api.post("/bots", Object.fromEntries(given));
        go(`#/bots/${bot.id}${bot.type === "openline" && bot.status !== "failed" ? "/channels" : ""}?new`);
      },
    })),
  };
}

/** A bot needs a portal to be in and a connector to answer with. */
function missingFirst(installations, connectors, isAdmin) {
  if (!installations.length) {
    return notice("", t(isAdmin ? "bots.needsPortal" : "bots.needsInstallation"), isAdmin && linkButton(t("bots.addPortal"), "#/portals/new", { kind: "small primary" }));
  }
  if (!connectors.length) return notice("", t("bots.needsConnector"), linkButton(t("bots.addConnector"), "#/connectors/new", { kind: "small primary" }));
  return null;
}

function installationField(installations, chosen, isAdmin) {
  const named = ({ id, portal_domain: domain, app_name: app, kind }) => {
    const way = app ?? t(`bots.kinds.${kind}`);
    return { value: id, label: isAdmin ? `${domain} · ${way}` : way };
  };
  return field({
    name: "installation_id", kind: "select", label: t(isAdmin ? "bots.portal" : "bots.installation"), value: chosen ?? installations[0].id,
    options: installations.map(named),
  });
}

function advanced() {
  const choice = (name, texts, values) => field({
    name, kind: "select", label: t(`bots.${name}`), help: t(`bots.${name}Help`), value: null,
    options: [{ value: "", label: t("bots.usual") }, ...values.map((value) => ({ value, label: t(`bots.${texts}.${value}`) }))],
  });
  return h("details.further", h("summary", t("bots.advanced")), h("div.form", choice("delivery", "deliveries", ["webhook", "fetch"]), choice("api", "generations", ["v2", "v1"])));
}
