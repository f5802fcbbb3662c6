// Choices of a portal and of a bot, for filters.

import { api } from "/pages/design/api.js";
import { field } from "/pages/design/form.js";
import { t } from "/pages/design/texts.js";

/** A choice of one portal or all; null where there is only one. */
export async function portalFilter(query, signal) {
  const portals = await api.all("/portals", {}, { signal });
  return choice("portal_id", t("portal"), portals.map(({ id, domain }) => ({ value: id, label: domain })), query);
}

/** A choice of one bot or all; null where there is only one. */
export async function botFilter(query, signal) {
  const bots = await api.all("/bots", {}, { signal });
  return choice("bot_id", t("bot"), bots.map(({ id, name }) => ({ value: id, label: name })), query);
}

function choice(name, label, options, query) {
  const value = query.get(name);
  if (options.length < 2 && !value) return null;
  return field({ name, label, kind: "select", value, options: [{ value: "", label: t("all") }, ...options] });
}
