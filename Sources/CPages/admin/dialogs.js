// Dialogs: who spoke with which bot, the newest first. One of them is shown by transcript.js.

import { api } from "/pages/design/api.js";
import { plain } from "/pages/design/bbcode.js";
import { badge, button, h } from "/pages/design/dom.js";
import { ago } from "/pages/design/elements.js";
import { listFilters } from "/pages/design/filters.js";
import { field } from "/pages/design/form.js";
import { t, useTexts } from "/pages/design/texts.js";
import { botFilter, portalFilter } from "./choices.js";

export async function show(context) {
  await useTexts("admin", "dialogs");
  if (!context.parts.length) return showAll(context);
  const { showTranscript } = await import("./transcript.js");
  return showTranscript(context);
}

async function showAll({ query, session, signal }) {
  const isAdmin = session.kind === "admin";
  const [portal, bot] = await Promise.all([isAdmin && portalFilter(query, signal), botFilter(query, signal)]);
  const list = h("bb-list", {
    label: t("nav.dialogs"), href: (dialog) => `#/dialogs/${dialog.id}`,
    columns: [
      { label: t("dialogs.chat"), cell: (dialog) => dialog.title || dialog.dialog_id, note: (dialog) => dialog.last_text && h("span.cut", plain(dialog.last_text)) },
      { label: t("bot"), kind: "words", cell: (dialog) => dialog.bot_name, note: (dialog) => isAdmin && dialog.portal_domain },
      { label: t("status"), cell: (dialog) => h("span.line", stateBadge(dialog.state), dialog.failed && badge(t("dialogs.failed"), "bad")) },
      { label: t("dialogs.active"), kind: "nowrap", cell: (dialog) => ago(dialog.last_message_at) },
    ],
    empty: { icon: "dialogs", title: t("dialogs.empty"), text: t("dialogs.emptyText") },
  });
  const state = field({
    name: "state", kind: "select", label: t("status"), value: query.get("state"),
    options: [{ value: "", label: t("all") }, ...["bot", "operator", "closed"].map((value) => ({ value, label: t(`dialogs.states.${value}`) }))],
  });
  const search = field({
    name: "q", label: t("search"), value: query.get("q"), hint: t("dialogs.searchHint"), required: true, attributes: { type: "search", required: null },
  });
  search.classList.add("search");
  return {
    title: t("nav.dialogs"), lead: t("dialogs.lead"),
    actions: [button(t("dialogs.refresh"), () => list.reload(), { icon: "refresh" })],
    content: [
      listFilters({ route: "dialogs", list, source: (values) => api.pages("/dialogs", values), fields: [search, portal, bot, state] }),
      h("section.panel.flush", list),
    ],
  };
}

/** Who has the dialog. */
export function stateBadge(state) {
  return badge(t(`dialogs.states.${state}`), { bot: "accent", operator: "warn" }[state]);
}
