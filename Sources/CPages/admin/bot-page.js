// One bot: its profile, how it behaves, its commands, and the open channels that it answers in.

import { api } from "/pages/design/api.js";
import { button, confirm, facts, h, linkButton, notice, panel, toast } from "/pages/design/dom.js";
import { field, form } from "/pages/design/form.js";
import { said, t } from "/pages/design/texts.js";
import { lookFields } from "./bot-look.js";
import { statusOf } from "./bots.js";

const tabs = {
  "": showProfile,
  settings: async (bot, context) => (await import("./bot-settings.js")).settingsOf(bot, context),
  commands: async (bot, context) => (await import("./bot-commands.js")).commandsOf(bot, context),
  channels: async (bot, context) => (await import("./bot-channels.js")).channelsOf(bot, context),
};

export async function showOne(context) {
  const { parts: [id, tab = ""], query, signal, refresh, go } = context;
  const bot = await api.get(`/bots/${id}`, {}, { signal });
  const content = await (tabs[tab] ?? showProfile)(bot, context);
  if (bot.status === "registering") followUntilRegistered(bot, context);
  return {
    title: bot.name, lead: statusOf(bot), back: { href: "#/bots", label: t("nav.bots") }, narrow: true,
    actions: [
      linkButton(t("bots.talk"), `#/playground?bot=${id}`, { icon: "playground" }),
      button(t("delete"), () => remove(bot, go), { kind: "danger", icon: "trash" }),
    ],
    content: [query.has("new") && bot.status === "active" && notice("good", t("bots.created")), trouble(bot, refresh), tabBar(bot, tab), content],
  };
}

function tabBar({ id, type }, chosen) {
  const names = Object.keys(tabs).filter((name) => name !== "channels" || type === "openline");
  return h("nav.tabs", { "aria-label": t("bots.parts") }, names.map((name) => h("a", {
    href: `#/bots/${id}${name && `/${name}`}`, "aria-current": name === chosen ? "page" : null,
  }, t(`bots.tabs.${name || "profile"}`))));
}

/** Why Bitrix24 does not have it, and the way to try again. */
function trouble(bot, refresh) {
  if (bot.status === "registering" || (bot.status === "active" && !bot.status_reason)) return null;
  const again = button(t("again"), async () => {
    await api.patch(`/bots/${bot.id}`, {});
    await refresh();
  }, { kind: "small" });
  const text = t({ failed: "bots.failed", deleted: "bots.deletedThere" }[bot.status] ?? "bots.notTold");
  return notice(bot.status === "failed" ? "bad" : "warn", [h("p", text), bot.status_reason && h("p", said(bot.status_reason))], again);
}

function followUntilRegistered({ id }, { signal, refresh }) {
  const timer = setInterval(async () => {
    const now = await api.get(`/bots/${id}`, {}, { signal }).catch(() => null);
    if (!now || now.status === "registering" || signal.aborted) return;
    clearInterval(timer);
    await refresh();
  }, 2000);
  signal.addEventListener("abort", () => clearInterval(timer));
}

async function showProfile(bot, { session, signal, refresh }) {
  const isAdmin = session.kind === "admin";
  const [connectors, portal] = await Promise.all([
    api.all("/connectors", {}, { signal }), isAdmin && bot.portal_id ? api.get(`/portals/${bot.portal_id}`, {}, { signal }).catch(() => null) : null,
  ]);
  const profile = form({
    fields: [
      field({ name: "name", label: t("bots.name"), help: t("bots.nameHelp"), value: bot.name, required: true }),
      connectorField(bot, connectors), ...lookFields(bot),
      bot.api === "v2" && field({
        name: "delivery", kind: "select", label: t("bots.delivery"), help: t("bots.deliveryHelp"), value: bot.delivery,
        options: ["webhook", "fetch"].map((value) => ({ value, label: t(`bots.deliveries.${value}`) })),
      }),
    ].filter(Boolean),
    submit: t("save"),
    send: async (values) => {
      await api.patch(`/bots/${bot.id}`, values);
      toast(t("saved"));
      await refresh();
    },
  });
  return [
    panel(t("bots.tabs.profile"), profile),
    panel(t("bots.facts"), facts(
      portal && [t("bots.portal"), h("a", { href: `#/portals/${portal.id}` }, portal.domain)],
      [t("bots.type"), [t(`bots.types.${bot.type}.name`), h("p.note", t(`bots.types.${bot.type}.about`))]],
      [t("bots.api"), t(`bots.generations.${bot.api}`)], [t("bots.idThere"), bot.bot_id == null ? null : String(bot.bot_id)],
    )),
  ];
}

function connectorField({ connector_id: chosen }, connectors) {
  const options = connectors.map(({ id, name }) => ({ value: id, label: name }));
  if (chosen && !options.some(({ value }) => value === chosen)) options.unshift({ value: chosen, label: t("bots.otherConnector") });
  return field({
    name: "connector_id", kind: "select", label: t("bots.connector"), help: t("bots.connectorChange"), value: chosen,
    options: [{ value: "", label: t("bots.silent") }, ...options],
  });
}

async function remove(bot, go) {
  if (!(await confirm({ title: t("bots.deleteTitle", { name: bot.name }), text: t("bots.deleteText"), action: t("delete") }))) return;
  await api.delete(`/bots/${bot.id}`);
  toast(t("deleted"));
  go("#/bots");
}
