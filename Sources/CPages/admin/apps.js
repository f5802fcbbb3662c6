// Applications: what a portal knows of BitBot when it is connected by a local application.

import { api } from "/pages/design/api.js";
import { badge, button, confirm, h, linkButton, notice, panel, toast } from "/pages/design/dom.js";
import { ago, copyable } from "/pages/design/elements.js";
import { field, form } from "/pages/design/form.js";
import { t, useTexts } from "/pages/design/texts.js";

export async function show(context) {
  await useTexts("admin", "apps");
  return context.parts.length ? showOne(context) : showAll();
}

function showAll() {
  const add = linkButton(t("apps.add"), "#/portals/new/app", { kind: "primary", icon: "add" });
  return {
    title: t("nav.apps"), lead: t("apps.lead"), actions: [add],
    content: h("section.panel.flush", h("bb-list", {
      label: t("nav.apps"), source: api.pages("/apps"), href: (app) => `#/apps/${app.id}`,
      columns: [
        { label: t("name"), cell: (app) => app.name },
        { label: t("status"), cell: status },
        { label: t("apps.page"), cell: (app) => (app.bitbot ? t("yes") : t("no")) },
        { label: t("created"), kind: "nowrap", cell: (app) => ago(app.created_at) },
      ],
      empty: {
        icon: "app", title: t("apps.empty"), text: t("apps.emptyText"),
        actions: [linkButton(t("apps.add"), "#/portals/new/app", { kind: "primary" }), linkButton(t("apps.byWebhook"), "#/portals/new/webhook")],
      },
    })),
  };
}

function status(app) {
  return app.status === "ready" ? badge(t("apps.ready"), "good") : badge(t("apps.waiting_for_keys"), "warn");
}

async function showOne({ parts: [id], signal, go }) {
  const app = await api.get(`/apps/${id}`, {}, { signal });
  const save = form({
    fields: [
      field({ name: "name", label: t("name"), value: app.name, required: true }),
      ...keyFields(app),
      field({ name: "bitbot", kind: "check", label: t("apps.bitbot"), help: t("apps.bitbotHelp"), value: app.bitbot }),
      field({ name: "page_url", kind: "url", label: t("apps.pageUrl"), help: t("apps.pageUrlHelp"), value: app.page_url }),
    ],
    submit: t("save"), cancel: "#/apps",
    send: async (values) => {
      await api.patch(`/apps/${id}`, values);
      toast(t("saved"));
      go("#/apps");
    },
  });
  return {
    title: app.name, back: { href: "#/apps", label: t("nav.apps") },
    actions: [button(t("delete"), () => remove(app, go), { kind: "danger", icon: "trash" })],
    content: [
      app.status !== "ready" && notice("warn", t("apps.keysMissing"), linkButton(t("apps.goOn"), `#/portals/new/app/${id}`, { kind: "small" })),
      panel(t("apps.settings"), save),
      panel(t("apps.addresses"), h("div.stack", h("p.note", t("apps.addressesHelp")), addressesOf(app))),
    ],
  };
}

/** The two keys that Bitrix24 gives. */
export function keyFields(app, required = false) {
  return [
    field({ name: "client_id", label: t("apps.clientId"), hint: "local.0123456789abcd.01234567", help: t("apps.clientIdHelp"), value: app.client_id, required }),
    field({
      name: "client_secret", kind: "secret", label: t("apps.clientSecret"), value: app.client_secret,
      help: t(app.client_secret ? "apps.clientSecretKept" : "apps.clientSecretHelp"), required: required && !app.client_secret,
    }),
  ];
}

/** What is pasted into Bitrix24, with buttons to copy it. */
export function addressesOf(app) {
  return [["apps.handler", app.settings_url], ["apps.install", app.install_url]].map(([name, url]) =>
    h("div.field", h("span.label", t(name)), copyable(url, t(name))));
}

async function remove(app, go) {
  if (!(await confirm({ title: t("apps.deleteTitle", { name: app.name }), text: t("apps.deleteText"), action: t("delete") }))) return;
  await api.delete(`/apps/${app.id}`);
  toast(t("deleted"));
  go("#/apps");
}
