// One portal: how it is connected, whether it is well, what runs on it.

import { api } from "/pages/design/api.js";
import { badge, busy, button, confirm, facts, h, icon, linkButton, notice, outside, panel, toast } from "/pages/design/dom.js";
import { ago, light } from "/pages/design/elements.js";
import { field, form } from "/pages/design/form.js";
import { formatTime, said, t } from "/pages/design/texts.js";
import { checkInto } from "./findings.js";
import { statusBadge } from "./portals.js";

export async function show(context) {
  const { parts: [id], signal, go, refresh } = context;
  const [portal, installations, bots] = await Promise.all([
    api.get(`/portals/${id}`, {}, { signal }),
    api.all("/installations", { portal_id: id }, { signal }),
    api.all("/bots", { portal_id: id }, { signal }),
  ]);
  return {
    title: portal.domain, back: { href: "#/portals", label: t("nav.portals") },
    lead: [t("portals.lastSeen"), " ", ago(portal.last_seen_at)],
    actions: [
      !installations.some((one) => one.kind === "sandbox") && h("a.button", { href: `https://${portal.domain}/`, target: "_blank", rel: "noopener noreferrer" }, icon("outside"), t("portals.open")),
    ],
    content: [
      installationsPanel(installations, refresh),
      checkPanel(portal, signal),
      botsPanel(bots, installations),
      channelsPanel(portal, bots, signal),
      limitPanel(portal),
      panel(t("portals.remove"), h("div.line.apart", h("p.muted.grow", t("portals.removeText")),
        button(t("portals.removeIt"), () => remove(portal, go), { kind: "danger", icon: "trash" }))),
    ],
  };
}

// How it is connected

function installationsPanel(installations, refresh) {
  const add = linkButton(t("portals.addInstallation"), "#/portals/new", { kind: "small", icon: "add" });
  if (!installations.length) return panel(t("portals.installations"), h("p.muted", t("portals.noInstallation")), { actions: [add] });
  return panel(t("portals.installations"), h("ul.rows", installations.map((one) => installationRow(one, refresh))), { flush: true, actions: [add] });
}

function installationRow(one, refresh) {
  const remedy = one.status !== "active" && t(`portals.remedies.${one.kind === "webhook" ? "webhook" : one.status}`);
  return h("li.installation",
    icon({ webhook: "webhook", sandbox: "sandbox" }[one.kind] ?? "app"),
    h("div.stack.tight",
      h("div.line", h("h3", one.app_name ?? t(`portals.kinds.${one.kind}`)), statusBadge(one), one.app_id && h("a.note", { href: `#/apps/${one.app_id}` }, t("portals.toApp"))),
      h("p.note", t("portals.scopes"), ": ", one.scope.split(",").filter(Boolean).map((scope, index) => [index ? " " : "", h("code", scope)])),
      (one.notice || remedy) && notice("warn", [one.notice && h("p", said(one.notice)), remedy && h("p.note", remedy)],
        one.notice && one.status === "active" && button(t("portals.putAway"), async () => {
          await api.patch(`/installations/${one.id}`, { notice: null });
          refresh();
        }, { kind: "small" })),
      one.kind === "webhook" && one.status !== "active" && linkButton(t("portals.newWebhook"), "#/portals/new/webhook", { kind: "small" })),
    button(t("portals.forget"), () => forget(one, refresh), { kind: "quiet small danger", "aria-label": `${t("portals.forget")}: ${one.app_name ?? t(`portals.kinds.${one.kind}`)}` }));
}

async function forget(one, refresh) {
  if (!(await confirm({ title: t("portals.forgetTitle"), text: t("portals.forgetText"), action: t("portals.forget") }))) return;
  await api.delete(`/installations/${one.id}`);
  toast(t("deleted"));
  refresh();
}

// Whether it is well

function checkPanel(portal, signal) {
  const place = h("div", { "aria-live": "off" }, h("p.note.padded", t("portals.checkText")));
  const repaired = h("div", { role: "status" });
  const check = button(t("portals.check"), async () => {
    repaired.replaceChildren();
    const found = await checkInto(place, portal.id, signal);
    repair.hidden = !found || found.well;
  }, { kind: "small", icon: "refresh" });
  const repair = button(t("portals.repair"), async () => {
    const { repaired: done } = await api.post(`/portals/${portal.id}/repair`);
    await busy(check, () => checkInto(place, portal.id, signal));
    repaired.replaceChildren(h("div.padded", notice("good", done.length ? h("ul.plain-list", done.map((text) => h("li", text))) : t("portals.nothingToRepair"))));
  }, { kind: "small", icon: "repair", hidden: true });
  return panel(t("portals.health"), [repaired, place], { flush: true, actions: [repair, check] });
}

// What runs on it

function botsPanel(bots, installations) {
  const add = installations.length > 0 && linkButton(t("portals.addBot"), `#/bots/new?installation_id=${installations[0].id}`, { kind: "small", icon: "add" });
  const rows = bots.map((bot) => h("li", light({ active: "well", failed: "trouble", registering: "waiting" }[bot.status] ?? "idle"),
    h("div.light-words", h("a", { href: `#/bots/${bot.id}` }, bot.name), bot.status_reason && h("p.note", said(bot.status_reason))),
    badge(t(`portals.botTypes.${bot.type}`))));
  return panel(t("nav.bots"), rows.length ? h("ul.rows", rows) : h("p.note.padded", t("portals.noBots")), { flush: true, actions: [add] });
}

function channelsPanel(portal, bots, signal) {
  const place = h("div", h("p.waiting", t("loading")));
  const names = new Map(bots.map((bot) => [String(bot.bot_id), bot]));
  api.get(`/portals/${portal.id}/channels`, {}, { signal }).then(({ items, missing_scope: missing }) => {
    if (missing) return place.replaceChildren(h("p.note.padded", t("portals.channelsScope", { scope: missing })));
    if (!items.length) return place.replaceChildren(h("p.note.padded", t("portals.noChannels")));
    place.replaceChildren(h("ul.rows", items.map((channel) => channelRow(channel, names))));
  }).catch((error) => {
    if (error.name !== "AbortError") place.replaceChildren(h("p.note.padded", t("portals.channelsUnknown", { reason: error.message })));
  });
  return panel(t("portals.channels"), [h("p.note.padded.below", t("portals.channelsText"), " ", outside(t("portals.channelsHelp"), "https://helpdesk.bitrix24.com/open/25385203/")), place], { flush: true });
}

function channelRow({ name, active, bot_id: id, settings_url: url }, names) {
  const bot = id == null ? null : names.get(String(id));
  const answering = bot ? [t("portals.answeredBy"), " ", h("a", { href: `#/bots/${bot.id}` }, bot.name)] : t(id == null ? "portals.noBotThere" : "portals.otherBot");
  return h("li", light(bot && active ? "well" : "idle"),
    h("div.light-words", h("strong", name), " ", !active && badge(t("portals.inactive")), h("p.note", answering)),
    h("a.button.small", { href: url, target: "_blank", rel: "noopener noreferrer", "aria-label": `${t("portals.channelSettings")}: ${name}` }, icon("outside"), t("portals.channelSettings")));
}

// Its limit

const limits = { usual: [50, 2], enterprise: [250, 5], none: [50, 0] };

function limitPanel(portal) {
  const { burst, per_second: rate } = portal.limit;
  const present = Object.keys(limits).find((name) => limits[name][1] === rate && (name === "none" || limits[name][0] === burst)) ?? "own";
  const own = h("div.columns", { hidden: present !== "own" },
    field({ name: "limit.burst", kind: "number", label: t("portals.burst"), value: burst, required: true, attributes: { min: 1, step: 1 } }),
    field({ name: "limit.per_second", kind: "number", label: t("portals.perSecond"), value: rate, required: true, attributes: { min: 0, step: "any" } }));
  const choice = field({
    name: "choice", kind: "select", label: t("portals.limit"), help: t("portals.limitHelp"), value: present,
    options: [...Object.keys(limits), "own"].map((value) => ({ value, label: t(`portals.limits.${value}`) })),
  });
  choice.control.addEventListener("change", () => { own.hidden = choice.read() !== "own"; });
  return panel(t("portals.details"), [
    form({
      fields: [
        choice, own,
        field({ name: "allow_private", kind: "check", label: t("portals.allowPrivate"), help: t("portals.allowPrivateHelp"), value: portal.allow_private }),
      ],
      submit: t("save"), kind: "",
      send: async ({ choice: name, allow_private, limit }) => {
        const [burst, speed] = limits[name] ?? [limit.burst, limit.per_second];
        await api.patch(`/portals/${portal.id}`, { limit: { burst, per_second: speed }, allow_private });
        toast(t("saved"));
      },
    }),
    h("details.note", h("summary", t("portals.technical")), facts(["member_id", h("code", portal.member_id)],
      [t("portals.lastSeen"), portal.last_seen_at && formatTime(portal.last_seen_at, "second")])),
  ]);
}

async function remove(portal, go) {
  if (!(await confirm({ title: t("portals.removeTitle", { name: portal.domain }), text: t("portals.removeText"), action: t("portals.removeIt") }))) return;
  await api.delete(`/portals/${portal.id}`);
  toast(t("deleted"));
  go("#/portals");
}
