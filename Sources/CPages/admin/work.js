// Work that failed or waits: why, and trying it again or giving it up.

import { api } from "/pages/design/api.js";
import { badge, button, confirm, h, toast } from "/pages/design/dom.js";
import { ago } from "/pages/design/elements.js";
import { listFilters } from "/pages/design/filters.js";
import { field } from "/pages/design/form.js";
import { said, t, useTexts } from "/pages/design/texts.js";
import { portalFilter } from "./choices.js";

export async function show({ query, session, signal, count }) {
  await useTexts("admin", "work");
  const isAdmin = session.kind === "admin";
  const [bots, portal] = await Promise.all([api.all("/bots", {}, { signal }), isAdmin && portalFilter(query, signal)]);
  const names = new Map(bots.map(({ id, name }) => [id, name]));
  const list = h("bb-list", {
    label: t("nav.work"), href: (work) => work.dialog_id && `#/dialogs/${work.dialog_id}`,
    columns: [
      { label: t("work.what"), kind: "wide", cell: (work) => t(`work.kinds.${work.kind}`), note: reason },
      { label: t("bot"), kind: "words", cell: (work) => names.get(work.bot_id) ?? "–" },
      { label: t("status"), cell: status, note: history },
      { label: "", kind: "end", cell: (work) => actions(work, list) },
    ],
  });
  const state = field({
    name: "state", kind: "select", label: t("work.show"), value: query.get("state") ?? "failed",
    options: ["failed", "waiting", "all"].map((value) => ({ value, label: t(`work.shown.${value}`) })),
  });
  const retryAll = button(t("work.retryAll"), () => tryAllAgain(list), { icon: "refresh", hidden: true });
  list.addEventListener("loaded", ({ detail: { items } }) => {
    const failed = items.filter(isFailed).length;
    if (state.read() !== "waiting") count("work", failed);
    retryAll.hidden = failed < 2;
  });
  return {
    title: t("nav.work"), lead: t("work.lead"), actions: [retryAll],
    content: [
      listFilters({
        list, route: "work", fields: [state, portal],
        source: ({ state: chosen, ...values }) => {
          list.empty = emptyOf(chosen);
          return only(api.pages("/work", values), chosen);
        },
      }),
      h("section.panel.flush", list),
    ],
  };
}

const isFailed = ({ state }) => state === "failed";

/** Pages of what is in the chosen state; a page with nothing of it is passed over. */
function only(source, chosen) {
  const isShown = { failed: isFailed, waiting: (work) => !isFailed(work) }[chosen] ?? (() => true);
  return async (cursor, signal) => {
    for (;;) {
      const page = await source(cursor, signal);
      const items = page.items.filter(isShown);
      if (items.length || !page.next) return { items, next: page.next };
      cursor = page.next;
    }
  };
}

function emptyOf(chosen) {
  return { icon: "check", title: t(`work.none.${chosen}`), text: t("work.noneText") };
}

function reason(work) {
  if (!work.last_error) return null;
  return isFailed(work) ? h("span.bad", said(work.last_error)) : said(work.last_error);
}

function status(work) {
  return isFailed(work) ? badge(t("work.failed"), "bad") : badge(t("work.waiting"), "warn");
}

/** Since when, how often it was tried, and when it is tried next. */
function history(work) {
  return h("div", h("div", ago(work.created_at)), work.attempts > 0 && h("div", t("work.attempts", { count: work.attempts })),
    !isFailed(work) && work.next_attempt_at && h("div", `${t("work.next")} `, ago(work.next_attempt_at)));
}

function actions(work, list) {
  if (!isFailed(work)) return "";
  const what = `${t(`work.kinds.${work.kind}`)} (${work.id})`;
  return h("div.line.pressed", button(t("work.retry"), async () => {
    await api.post(`/work/${work.id}/retry`);
    toast(t("work.retried"));
    await list.reload();
  }, { kind: "small", "aria-label": `${t("work.retry")}: ${what}` }),
  button(t("work.drop"), async () => {
    if (!(await confirm({ title: t("work.dropTitle"), text: t(`work.dropText.${work.kind}`), action: t("work.drop") }))) return;
    await api.delete(`/work/${work.id}`);
    toast(t("work.dropped"));
    await list.reload();
  }, { kind: "quiet small danger", "aria-label": `${t("work.drop")}: ${what}` }));
}

async function tryAllAgain(list) {
  const failed = (await api.all("/work")).filter(isFailed);
  for (const work of failed) {
    // Somebody else may have seen to it already.
    await api.post(`/work/${work.id}/retry`).catch((error) => { if (error.status !== 404) throw error; });
  }
  toast(t("work.retriedAll", { count: failed.length }));
  await list.reload();
}
