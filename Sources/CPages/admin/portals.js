// Portals: the list, and the way to one portal or a new one.

import { api } from "/pages/design/api.js";
import { badge, h, linkButton } from "/pages/design/dom.js";
import { ago } from "/pages/design/elements.js";
import { t, useTexts } from "/pages/design/texts.js";

export async function show(context) {
  const [first] = context.parts;
  await useTexts("admin", "portals");
  if (!first) return showAll(context);
  const module = await (first === "new" ? import("./portal-new.js") : import("./portal.js"));
  return module.show(context);
}

async function showAll({ signal }) {
  const installations = await api.all("/installations", {}, { signal });
  const of = (portal) => installations.filter((one) => one.portal_id === portal.id);
  return {
    title: t("nav.portals"), lead: t("portals.lead"),
    actions: [linkButton(t("portals.add"), "#/portals/new", { kind: "primary", icon: "add" })],
    content: h("section.panel.flush", h("bb-list", {
      label: t("nav.portals"), source: api.pages("/portals"), href: (portal) => `#/portals/${portal.id}`,
      columns: [
        { label: t("portals.portal"), cell: (portal) => portal.domain },
        { label: t("portals.connection"), cell: (portal) => h("span.line", of(portal).map((one) => one.app_name ?? t(`portals.kinds.${one.kind}`)).join(", ") || "–") },
        { label: t("status"), cell: (portal) => portalBadge(of(portal)) },
        { label: t("portals.lastSeen"), kind: "nowrap", cell: (portal) => ago(portal.last_seen_at) },
      ],
      empty: {
        icon: "portal", title: t("portals.empty"), text: t("portals.emptyText"),
        actions: [linkButton(t("portals.add"), "#/portals/new", { kind: "primary", icon: "add" })],
      },
    })),
  };
}

/** The portal is as well as the best of its installations, but what one has to say is not hidden. */
function portalBadge(installations) {
  if (!installations.length) return badge(t("portals.notInstalled"));
  const ill = installations.find((one) => one.status !== "active");
  if (ill) return statusBadge(ill);
  return installations.some((one) => one.notice) ? badge(t("portals.hasNotice"), "warn") : statusBadge(installations[0]);
}

/** The state of an installation in a word. */
export function statusBadge({ status }) {
  return badge(t(`portals.states.${status}`), { active: "good", uninstalled: "", reauthorize: "warn", denied: "bad" }[status]);
}
