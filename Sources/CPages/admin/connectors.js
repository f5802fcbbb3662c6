// Connectors: how BitBot reaches one bot on its platform, with what key.

import { api } from "/pages/design/api.js";
import { badge, button, confirm, h, icon, linkButton, notice, panel, toast } from "/pages/design/dom.js";
import { ago, light } from "/pages/design/elements.js";
import { markdown } from "/pages/design/markdown.js";
import { formatSeconds, said, t, useTexts } from "/pages/design/texts.js";
import { addConnectorButton, connectorForm } from "./connector-form.js";

export async function show(context) {
  await useTexts("admin", "connectors");
  const [id] = context.parts;
  if (!id) return showAll(context);
  return id === "new" ? showNew(context) : showOne(context);
}

async function showAll({ session, signal }) {
  const isAdmin = session.kind === "admin";
  const portals = isAdmin ? await api.all("/portals", {}, { signal }) : [];
  const domain = new Map(portals.map((portal) => [portal.id, portal.domain]));
  const owner = (connector) => {
    if (!isAdmin) return connector.editable ? t("connectors.own") : badge(t("connectors.ofServer"));
    if (connector.portal_id) return domain.get(connector.portal_id) ?? connector.portal_id;
    return connector.shared ? badge(t("connectors.sharedBadge"), "accent") : t("connectors.server");
  };
  return {
    title: t("nav.connectors"), lead: t("connectors.lead"), actions: [addConnectorButton()],
    content: h("section.panel.flush", h("bb-list", {
      label: t("nav.connectors"), source: api.pages("/connectors"), href: (connector) => `#/connectors/${connector.id}`,
      columns: [
        { label: t("name"), cell: (connector) => connector.name },
        { label: t("connectors.provider"), cell: (connector) => connector.provider_name },
        { label: t("connectors.owner"), kind: "nowrap", cell: owner },
        { label: t("created"), kind: "nowrap", cell: (connector) => ago(connector.created_at) },
      ],
      empty: { icon: "connector", title: t("connectors.empty"), text: t("connectors.emptyText"), actions: [addConnectorButton()] },
    })),
  };
}

async function showNew({ session, signal, query, go }) {
  const what = await forForm(signal);
  return {
    title: t("connectors.new"), lead: t("connectors.newLead"), back: { href: "#/connectors", label: t("nav.connectors") }, narrow: true,
    content: h("section.panel", connectorForm({
      ...what, connector: null, isAdmin: session.kind === "admin", chosen: query.get("provider"), cancel: "#/connectors",
      done: ({ id }) => go(`#/connectors/${id}?new`),
    })),
  };
}

async function forForm(signal) {
  const [providers, platforms] = await Promise.all([api.all("/providers", {}, { signal }), api.all("/platforms", {}, { signal })]);
  return { providers: providers.toReversed(), platforms };
}

async function showOne({ parts: [id], query, session, signal, go, refresh }) {
  const [connector, what, bots] = await Promise.all([
    api.get(`/connectors/${id}`, {}, { signal }), forForm(signal), api.all("/bots", {}, { signal }),
  ]);
  const isOpen = what.providers.some((provider) => provider.id === connector.provider_id);
  const users = bots.filter((bot) => bot.connector_id === id);
  const isMine = connector.editable !== false;
  return {
    title: connector.name, lead: connector.provider_name, back: { href: "#/connectors", label: t("nav.connectors") }, narrow: true,
    actions: isMine ? [button(t("delete"), () => remove(connector, go), { kind: "danger", icon: "trash" })] : [],
    content: [
      query.has("new") && notice("good", t("connectors.saved")),
      !isMine && notice("", t("connectors.readOnly")),
      testPanel(connector, signal),
      nextPanel(connector, users),
      isMine && !isOpen && notice("warn", t("connectors.closed")),
      isMine && isOpen && panel(t("connectors.settings"), connectorForm({
        ...what, connector, isAdmin: session.kind === "admin", cancel: "#/connectors",
        done: async () => {
          toast(t("saved"));
          await refresh();
        },
      })),
    ],
  };
}

function testPanel(connector, signal) {
  const text = h("input.input", { value: t("connectors.hello"), "aria-label": t("connectors.question"), maxlength: 500 });
  const result = h("div", { role: "status" });
  const test = button(t("connectors.test"), async () => {
    result.replaceChildren(h("p.note", t("connectors.asking")));
    try {
      result.replaceChildren(answerOf(await api.post(`/connectors/${connector.id}/test`, { text: text.value || undefined }, { signal })));
    } catch (error) {
      result.replaceChildren();
      throw error;
    }
  }, { kind: "primary", icon: "send" });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter") test.click();
  });
  return panel(t("connectors.tryIt"), [h("p.note", t("connectors.tryItText")), h("div.with-button", text, test), result]);
}

function answerOf({ well, answer, error, milliseconds }) {
  const time = formatSeconds(milliseconds / 1000);
  if (!well) return h("div.stack.tight", light("trouble", t("connectors.failed", { time })), h("p.bad", said(error)));
  return h("div.stack.tight", light("well", t("connectors.answered", { time })), answer ? h("div.bubble.prose", markdown(answer)) : h("p.note", t("connectors.silent")));
}

function nextPanel(connector, users) {
  const door = (sign, key, href) => h("a.door", { href }, icon(sign), h("strong", t(`connectors.${key}`)), h("span.note", t(`connectors.${key}Text`)));
  return panel(t("connectors.next"), [
    users.length > 0 && h("p.line", h("span.muted", t("connectors.usedBy")), users.map((bot) => linkButton(bot.name, `#/bots/${bot.id}`, { kind: "small", icon: "bot" }))),
    h("div.doors", door("playground", "talk", `#/playground?connector=${connector.id}`), door("bot", "makeBot", `#/bots/new?connector_id=${connector.id}`)),
  ]);
}

async function remove(connector, go) {
  if (!(await confirm({ title: t("connectors.deleteTitle", { name: connector.name }), text: t("connectors.deleteText"), action: t("delete") }))) return;
  await api.delete(`/connectors/${connector.id}`);
  toast(t("deleted"));
  go("#/connectors");
}
