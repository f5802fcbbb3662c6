// Settings of the server: the password, who is signed in, API tokens, export and import.

import { api, authorize } from "/pages/design/api.js";
import { button, confirm, facts, h, linkButton, panel, toast } from "/pages/design/dom.js";
import { field, form } from "/pages/design/form.js";
import { t, useTexts } from "/pages/design/texts.js";
import { userName } from "./sign-in.js";
import { tokensPanel } from "./tokens.js";
import { exportPanel, importPanel } from "./transfer.js";

export async function show({ session, refresh }) {
  await useTexts("admin", "settings");
  return {
    title: t("nav.settings"), narrow: true,
    content: [passwordPanel(refresh), sessionsPanel(), tokensPanel(), exportPanel(), importPanel(), aboutPanel(session)],
  };
}

function passwordPanel(refresh) {
  return panel(t("settings.password"), form({
    fields: [
      userName(),
      field({ name: "current", kind: "password", label: t("settings.current"), required: true, attributes: { autocomplete: "current-password" } }),
      field({ name: "password", kind: "password", label: t("settings.new"), help: t("settings.newHelp"), required: true, attributes: { autocomplete: "new-password" } }),
    ],
    submit: t("settings.changePassword"), kind: "",
    send: async (values) => {
      try {
        const session = await api.post("/password", values);
        authorize({ csrf: session.csrf });
      } catch (error) {
        if (error.code === "wrong_password") error.fields = { current: error.message };
        throw error;
      }
      toast(t("settings.passwordChanged"));
      refresh();
    },
  }));
}

function sessionsPanel() {
  const leave = button(t("settings.signOutAll"), async () => {
    if (!(await confirm({ title: t("settings.signOutTitle"), text: t("settings.signOutText"), action: t("settings.signOutAll") }))) return;
    await api.delete("/sessions");
    location.reload();
  }, { kind: "danger", icon: "out" });
  return panel(t("settings.sessions"), h("div.stack", h("p.note", t("settings.sessionsText")), h("div.line", leave)));
}

function aboutPanel({ version, public_url: address }) {
  return panel(t("settings.about"), h("div.stack",
    facts([t("settings.version"), version], [t("settings.address"), address && h("code", address)]),
    h("div.line", linkButton(t("settings.description"), "/api/v1/openapi.json", { icon: "outside", target: "_blank" }))));
}
