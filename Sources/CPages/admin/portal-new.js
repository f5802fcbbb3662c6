// Connecting a portal: three doors, each a short path.

import { api } from "/pages/design/api.js";
import { announce, badge, h, icon, linkButton, notice, panel } from "/pages/design/dom.js";
import { copyable } from "/pages/design/elements.js";
import { field, form } from "/pages/design/form.js";
import { rich, said, t, useTexts } from "/pages/design/texts.js";
import { checkInto } from "./findings.js";

const doors = ["webhook", "app", "sandbox"];

export async function show(context) {
  await useTexts("admin", "portal-new");
  const [, door, id] = context.parts;
  if (door === "app") {
    const module = await import("./portal-app.js");
    return module.show({ ...context, id });
  }
  const back = door ? { href: "#/portals/new", label: t("portals.add") } : { href: "#/portals", label: t("nav.portals") };
  const pages = { webhook: () => byWebhook(context), sandbox: () => inSandbox(context.session) };
  return { title: t(`portal-new.${door in pages ? door : "title"}`), back, narrow: true, ...(pages[door] ?? choose)() };
}

function choose() {
  return {
    lead: t("portal-new.lead"),
    content: h("ul.doors.tall", { role: "list" }, doors.map((door) => h("li", h("a.door", { href: `#/portals/new/${door}` },
      icon(door), h("strong", t(`portal-new.${door}`)), h("span.note", t(`portal-new.${door}About`)),
      h("span.door-points", ["1", "2", "3"].map((point) => h("span.note", icon("check"), t(`portal-new.${door}Points.${point}`)))))))),
  };
}

/** The permissions to tick in Bitrix24, with what each is for. */
export function permissions(needed = ["imbot"]) {
  return h("ul.rows.plain.permissions", ["imbot", "im", "imopenlines", "disk"].map((scope) => h("li", h("code", scope),
    h("div.stack.light-words", h("strong", t(`portal-new.scopes.${scope}`)), h("span.note", t(`portal-new.scopes.${scope}For`))),
    needed.includes(scope) ? badge(t("portal-new.needed"), "accent") : badge(t("portal-new.wished")))));
}

/** A step of a path. Its state is "", "now" or "done". */
export function step(title, state, ...content) {
  return h("li", { dataset: { state } }, h("h2", title), content);
}

function byWebhook({ signal }) {
  const result = h("div", { tabindex: "-1" });
  const element = form({
    fields: [field({
      name: "webhook_url", kind: "url", label: t("portal-new.address"), help: t("portal-new.addressHelp"), required: true,
      hint: "https://example.bitrix24.com/rest/1/…/",
    })],
    submit: t("portal-new.connect"),
    send: async (values) => {
      const installation = await api.post("/installations", values);
      path.replaceWith(result);
      await connected(result, installation, signal);
    },
  });
  const path = h("div.panel", h("ol.steps",
    step(t("portal-new.openWebhook"), "now", h("p", rich("portal-new.openWebhookText")), h("p.note", t("portal-new.asAdmin"))),
    step(t("portal-new.tick"), "now", permissions()),
    step(t("portal-new.paste"), "now", h("p.muted", t("portal-new.pasteText")), element)));
  return { lead: t("portal-new.webhookLead"), content: h("div", path) };
}

/** What is said when a portal is connected: what needs attention, whether it is well, and what comes next. */
export async function connected(place, installation, signal) {
  const portal = await api.get(`/portals/${installation.portal_id}`, {}, { signal });
  const health = h("div");
  place.replaceChildren(h("div.stack.wide",
    notice("good", [h("h2", t("portal-new.connected", { name: portal.domain })), h("p", t("portal-new.connectedText"))]),
    installation.notice && notice("warn", said(installation.notice)),
    h("div.line", linkButton(t("portal-new.makeBot"), `#/bots/new?installation_id=${installation.id}`, { kind: "primary" }),
      linkButton(t("portal-new.toPortal"), `#/portals/${portal.id}`)),
    panel(t("portals.health"), health, { flush: true })));
  announce(t("portal-new.connected", { name: portal.domain }));
  place.focus();
  scrollTo(0, 0);
  await checkInto(health, portal.id, signal);
}

function inSandbox({ sandbox }) {
  const content = sandbox
    ? [h("p", t("portal-new.sandboxRuns")), h("div.line", h("a.button.primary", { href: sandbox, target: "_blank", rel: "noopener" }, icon("outside"), t("portal-new.openSandbox")),
      linkButton(t("nav.portals"), "#/portals"))]
    : [h("p", t("portal-new.sandboxStart")), copyable("bitbot serve --sandbox", t("portal-new.command")), h("p.note", t("portal-new.sandboxRemoves"))];
  return { lead: t("portal-new.sandboxLead"), content: h("div.panel", content) };
}
