// Providers: the bot platforms, and where they are. What a portal's administrator may use is decided here.

import { api } from "/pages/design/api.js";
import { button, confirm, h, linkButton, panel, toast } from "/pages/design/dom.js";
import { field, form } from "/pages/design/form.js";
import { t, useTexts } from "/pages/design/texts.js";

export async function show(context) {
  await useTexts("admin", "providers");
  const [id] = context.parts;
  if (!id) return showAll();
  return id === "new" ? showNew(context) : showOne(context);
}

function showAll() {
  const add = linkButton(t("providers.add"), "#/providers/new", { kind: "primary", icon: "add" });
  return {
    title: t("nav.providers"), lead: t("providers.lead"), actions: [add],
    content: h("section.panel.flush", h("bb-list", {
      label: t("nav.providers"), source: api.pages("/providers"), href: (provider) => `#/providers/${provider.id}`,
      columns: [
        { label: t("name"), cell: (provider) => provider.display_name },
        { label: t("providers.url"), cell: (provider) => h("span.note", provider.url) },
        { label: t("providers.forPortals"), cell: (provider) => (provider.shared ? t("yes") : t("no")) },
      ],
      empty: {
        icon: "provider", title: t("providers.empty"), text: t("providers.emptyText"),
        actions: [linkButton(t("providers.addConnector"), "#/connectors/new", { kind: "primary" }), linkButton(t("providers.add"), "#/providers/new")],
      },
    })),
  };
}

async function showNew({ signal, go }) {
  const platforms = await api.all("/platforms", {}, { signal });
  return {
    title: t("providers.add"), back: { href: "#/providers", label: t("nav.providers") }, narrow: true,
    content: h("section.panel", form({
      fields: fieldsOf({ shared: true }, platforms), submit: t("create"), cancel: "#/providers",
      send: async (values) => {
        await api.post("/providers", withoutEmpty(values));
        toast(t("saved"));
        go("#/providers");
      },
    })),
  };
}

async function showOne({ parts: [id], signal, go }) {
  const [provider, platforms] = await Promise.all([api.get(`/providers/${id}`, {}, { signal }), api.all("/platforms", {}, { signal })]);
  return {
    title: provider.display_name, back: { href: "#/providers", label: t("nav.providers") }, narrow: true,
    actions: [button(t("delete"), () => remove(provider, go), { kind: "danger", icon: "trash" })],
    content: panel(null, form({
      fields: fieldsOf(provider, platforms), submit: t("save"), cancel: "#/providers",
      send: async (values) => {
        await api.patch(`/providers/${id}`, { ...values, url: values.url ?? defaultUrl(platforms, values.type) });
        toast(t("saved"));
        go("#/providers");
      },
    })),
  };
}

function fieldsOf(provider, platforms) {
  const type = field({
    name: "type", kind: "select", label: t("providers.type"), help: t("providers.typeHelp"), value: provider.type ?? platforms[0].name,
    options: platforms.map((platform) => ({ value: platform.name, label: platform.display_name })),
  });
  const url = field({ name: "url", kind: "url", label: t("providers.url"), help: " ", value: provider.url });
  const name = field({ name: "name", label: t("name"), help: t("providers.nameHelp"), hint: "Dify", value: provider.name, required: true });
  const follow = () => {
    const usual = defaultUrl(platforms, type.read());
    url.control.placeholder = usual || "https://bot.example.com/ask";
    url.querySelector(".help").textContent = usual ? t("providers.urlHelp", { url: usual }) : t("providers.urlNeeded");
  };
  type.control.addEventListener("change", follow);
  follow();
  return [
    name, type, url,
    field({ name: "shared", kind: "check", label: t("providers.shared"), help: t("providers.sharedHelp"), value: provider.shared }),
    field({ name: "any_address", kind: "check", label: t("providers.anyAddress"), help: t("providers.anyAddressHelp"), value: provider.any_address }),
  ];
}

function defaultUrl(platforms, type) {
  return platforms.find((platform) => platform.name === type)?.default_url ?? "";
}

function withoutEmpty(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

async function remove(provider, go) {
  const title = t("providers.deleteTitle", { name: provider.display_name });
  if (!(await confirm({ title, text: t("providers.deleteText"), action: t("delete") }))) return;
  await api.delete(`/providers/${provider.id}`);
  toast(t("deleted"));
  go("#/providers");
}
