// API tokens: made with a name, shown once, revoked.

import { api } from "/pages/design/api.js";
import { badge, button, confirm, h, modal, notice, panel, toast } from "/pages/design/dom.js";
import { ago, copyable } from "/pages/design/elements.js";
import { field, form } from "/pages/design/form.js";
import { formatTime, rich, t } from "/pages/design/texts.js";

export function tokensPanel() {
  const list = h("bb-list", {
    label: t("settings.tokens"), source: api.pages("/tokens"), href: () => null,
    columns: [
      { label: t("name"), kind: "wide", cell: ({ name }) => name, note: ({ token }) => h("code", token) },
      { label: t("settings.used"), cell: ({ last_used_at }) => (last_used_at ? ago(last_used_at) : t("settings.neverUsed")) },
      { label: t("settings.expires"), cell: expiry },
      { label: "", kind: "end", cell: (token) => button(t("settings.revoke"), () => revoke(token, list), { kind: "quiet small danger", "aria-label": `${t("settings.revoke")}: ${token.name}` }) },
    ],
    empty: { icon: "key", title: t("settings.noTokens"), text: t("settings.noTokensText") },
  });
  return panel(t("settings.tokens"), [h("p.note.padded", rich("settings.tokensText")), list],
    { flush: true, actions: [button(t("settings.addToken"), () => { create(list); }, { kind: "small", icon: "add" })] });
}

function expiry({ expires_at: at }) {
  if (!at) return t("settings.never");
  return new Date(at) < Date.now() ? badge(t("settings.expired"), "warn") : formatTime(at, "date");
}

function create(list) {
  const dialog = modal(t("settings.addToken"), form({
    fields: [
      field({ name: "name", label: t("name"), help: t("settings.tokenNameHelp"), hint: t("settings.tokenNameHint"), required: true, attributes: { autofocus: true } }),
      field({
        name: "expires_in_days", kind: "select", label: t("settings.expires"), value: "90",
        options: ["30", "90", "365", ""].map((value) => ({ value, label: value ? t("settings.days", { count: Number(value) }) : t("settings.never") })),
      }),
    ],
    submit: t("settings.makeToken"), extra: [button(t("cancel"), () => dialog.close(), { kind: "quiet" })],
    send: async ({ name, expires_in_days: days }) => {
      const token = await api.post("/tokens", { name, expires_in_days: days ? Number(days) : null });
      dialog.close();
      list.reload();
      reveal(token);
    },
  }));
}

/** The only time that a token is seen. */
function reveal({ name, token }) {
  const dialog = modal(name, [
    notice("warn", t("settings.shownOnce")),
    copyable(token, t("settings.token")),
    h("p.note", rich("settings.howToUse")),
    h("div.dialog-foot", button(t("settings.kept"), () => dialog.close(), { kind: "primary" })),
  ], "wide", { stays: true });
}

async function revoke({ id, name }, list) {
  if (!(await confirm({ title: t("settings.revokeTitle", { name }), text: t("settings.revokeText"), action: t("settings.revoke") }))) return;
  await api.delete(`/tokens/${id}`);
  toast(t("settings.revoked"));
  await list.reload();
}
