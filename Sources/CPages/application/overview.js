// The overview for a portal's administrator: the next step, what is wrong, the bots, and the latest dialogs.

import { api } from "/pages/design/api.js";
import { plain } from "/pages/design/bbcode.js";
import { empty, h, icon, linkButton, notice, panel } from "/pages/design/dom.js";
import { ago } from "/pages/design/elements.js";
import { t, useTexts } from "/pages/design/texts.js";
import { botRow } from "./bots.js";
import { start } from "./start.js";

export async function show({ signal, count }) {
  await useTexts("application", "overview");
  const [connectors, bots, channels, work, dialogs] = await Promise.all([
    api.all("/connectors", {}, { signal }),
    api.all("/bots", {}, { signal }),
    attached(signal),
    api.get("/work", { limit: 100 }, { signal }),
    api.get("/dialogs", { limit: 5 }, { signal }),
  ]);
  const failed = work.items.filter(({ state }) => state === "failed").length;
  count("work", failed);
  const steps = stepsOf({ connectors, bots, channels });
  return {
    title: t("nav.overview"), lead: t("overview.lead", { domain: start.domain }),
    content: [
      failed > 0 && notice("bad", t("overview.failed", { count: failed }), linkButton(t("overview.look"), "#/work", { kind: "small" })),
      steps.some(({ isDone }) => !isDone) && panel(t("overview.steps"), h("ol.steps", drawn(steps))),
      botsPanel(bots),
      dialogs.items.length > 0 && dialogsPanel(dialogs.items),
    ],
  };
}

/** Bitrix24's ids of the bots that greet in an Open Channel, or null if it does not let us know. */
async function attached(signal) {
  try {
    const { items, missing_scope } = await api.get(`/portals/${start.portal_id}/channels`, {}, { signal });
    return missing_scope ? null : new Set(items.map(({ bot_id }) => bot_id).filter((id) => id != null));
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null; // Bitrix24 may be away; what else there is to see does not wait for it.
  }
}

/** What leads to a bot that answers. The last step is only for bots of Open Channels, and where it can be told. */
function stepsOf({ connectors, bots, channels }) {
  const active = bots.filter(({ status }) => status === "active");
  const steps = [
    { name: "connector", isDone: connectors.length > 0, href: "#/connectors/new" },
    { name: "bot", isDone: active.length > 0, href: "#/bots/new" },
  ];
  const open = active.filter(({ type }) => type === "openline");
  if (!active.length || (open.length > 0 && channels)) {
    steps.push({ name: "attach", isDone: open.some((bot) => channels?.has(bot.bot_id)), href: open.length ? `#/bots/${open[0].id}/channels` : null });
  }
  return steps;
}

function drawn(steps) {
  const now = steps.find(({ isDone }) => !isDone);
  return steps.map((step) => h("li", { dataset: { state: step.isDone ? "done" : step === now ? "now" : "later" } },
    h("div.stack.tight",
      h("h3", t(`overview.${step.name}`), step.isDone && h("span.visually-hidden", ` (${t("done")})`)),
      !step.isDone && h("p.note", t(`overview.${step.name}Text`)),
      step === now && step.href && h("div.line", linkButton(t(`overview.${step.name}Do`), step.href, { kind: "primary" })))));
}

function botsPanel(bots) {
  if (!bots.length) return panel(t("nav.bots"), empty({ icon: "bot", title: t("overview.noBots"), text: t("overview.noBotsText") }), { flush: true });
  return panel(t("nav.bots"), h("ul.rows", bots.map((bot) => botRow(bot, `#/bots/${bot.id}`))),
    { flush: true, actions: [linkButton(t("overview.addBot"), "#/bots/new", { kind: "small", icon: "add" })] });
}

function dialogsPanel(dialogs) {
  return panel(t("overview.dialogs"), h("ul.rows", dialogs.map((dialog) => h("li", icon(dialog.state === "operator" ? "user" : "dialogs"),
    h("div", h("a.row-link", { href: `#/dialogs/${dialog.id}` }, dialog.title || dialog.dialog_id), h("p.note.cut", dialog.last_text ? plain(dialog.last_text) : dialog.bot_name)),
    h("span.note", ago(dialog.last_message_at))))),
  { flush: true, foot: h("a", { href: "#/dialogs" }, t("overview.allDialogs")) });
}
