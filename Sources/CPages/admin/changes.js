// The log of changes: who did what to which thing, and when.

import { api } from "/pages/design/api.js";
import { h } from "/pages/design/dom.js";
import { ago } from "/pages/design/elements.js";
import { hasText, t, useTexts } from "/pages/design/texts.js";

export async function show() {
  await useTexts("admin", "changes");
  return {
    title: t("nav.changes"), lead: t("changes.lead"),
    content: h("section.panel.flush", h("bb-list", {
      label: t("nav.changes"), source: api.pages("/changes"), href: way,
      columns: [
        { label: t("changes.what"), kind: "wide", cell: action, note: ({ target }) => target && named(target) },
        { label: t("changes.who"), kind: "words", cell: ({ who }) => person(who) },
        { label: t("changes.when"), kind: "nowrap", cell: ({ at }) => ago(at) },
      ],
      empty: { icon: "changes", title: t("changes.empty"), text: t("changes.emptyText") },
    })),
  };
}

/** An operation in plain words, or its name where we have none. */
function action({ action: id }) {
  return hasText(`changes.actions.${id}`) ? t(`changes.actions.${id}`) : sentence(id.replaceAll("_", " "));
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "bot 3 (Support)" is "Support", for what kind of thing it is says the operation; what looks otherwise stays. */
function named(target) {
  return target.match(/^\w+ \d+ \((.*)\)( of \w+ \d+)?$/s)?.[1] ?? target;
}

/** The page of the thing, as long as there is one. */
function way({ action: id, target }) {
  const [, kind, number] = target?.match(/^(app|portal|provider|connector|bot|dialog) (\d+)\b/) ?? [];
  return kind && !id.startsWith("delete_") ? `#/${kind}s/${number}` : null;
}

function person(who) {
  if (who === "administrator") return t("changes.admin");
  if (who === "one-time code or password") return t("changes.code");
  const token = who?.match(/^token (.*)$/s)?.[1];
  return token ? t("changes.token", { name: token }) : who;
}
