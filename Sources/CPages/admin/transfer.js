// Export and import of the whole configuration, as a file.

import { api } from "/pages/design/api.js";
import { announce, button, h, notice, panel } from "/pages/design/dom.js";
import { field } from "/pages/design/form.js";
import { hasText, rich, said, t } from "/pages/design/texts.js";

export function exportPanel() {
  const warning = notice("warn", t("settings.secretsWarning"));
  warning.hidden = true;
  const secrets = field({ name: "secrets", kind: "check", label: t("settings.withSecrets"), help: t("settings.withSecretsHelp") });
  secrets.control.addEventListener("change", () => {
    warning.hidden = !secrets.read();
    if (secrets.read()) announce(t("settings.secretsWarning"));
  });
  const save = button(t("settings.exportNow"), async () => {
    const withSecrets = secrets.read();
    const configuration = await api.get("/export", { secrets: withSecrets });
    const day = new Date().toISOString().slice(0, 10);
    download(`bitbot-${day}${withSecrets ? "-with-secrets" : ""}.json`, JSON.stringify(configuration, null, 2));
  }, { icon: "download" });
  return panel(t("settings.export"), h("div.stack", h("p.note", t("settings.exportText")), secrets, warning, h("div.line", save)));
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function importPanel() {
  const choose = h("input.visually-hidden", { type: "file", accept: ".json,application/json", tabindex: "-1", "aria-hidden": "true" });
  const outcome = h("div.stack", { hidden: true });
  const pick = button(t("settings.chooseFile"), () => choose.click(), { icon: "upload" });
  choose.addEventListener("change", async () => {
    const [file] = choose.files;
    if (file) await offer(file, outcome);
    choose.value = "";
  });
  return panel(t("settings.import"), h("div.stack", h("p.note", t("settings.importText")), choose, h("div.line", pick), outcome));
}

/** What the file holds, with a button to take it in. */
async function offer(file, outcome) {
  const configuration = await read(file);
  outcome.hidden = false;
  if (!configuration) return outcome.replaceChildren(notice("bad", t("settings.noConfiguration", { name: file.name })));
  const counts = Object.fromEntries(Object.entries(configuration).filter(([, value]) => Array.isArray(value)).map(([key, value]) => [key, value.length]));
  const go = button(t("settings.importNow"), async () => {
    try {
      const answer = await api.post("/import", configuration);
      outcome.replaceChildren(result(answer));
      announce(t("settings.imported"));
    } catch (error) {
      outcome.replaceChildren(notice("bad", error.message));
    }
  }, { kind: "primary" });
  outcome.replaceChildren(h("p", rich("settings.fileHolds", { name: h("strong", file.name) })), list(counts), h("div.line", go));
  go.focus();
}

async function read(file) {
  try {
    const value = JSON.parse(await file.text());
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function result({ created, updated, notes }) {
  return h("div.stack", notice("good", t("settings.imported")),
    h("div.columns",
      h("section.stack.tight", h("h3", t("settings.created")), list(created)),
      h("section.stack.tight", h("h3", t("settings.updated")), list(updated))),
    notes.length > 0 && notice("warn", [h("strong", t("settings.notes")), h("ul.plain-list", notes.map((note) => h("li", said(note))))]));
}

/** Numbers of things: `{bots: 2}` is "2 bots". */
function list(counts) {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  if (!some.length) return h("p.note", t("settings.nothing"));
  return h("ul.plain-list", some.map(([key, count]) =>
    h("li", hasText(`settings.things.${key}`) ? t(`settings.things.${key}`, { count }) : `${key}: ${count}`)));
}
