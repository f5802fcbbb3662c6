// A bot's commands, which people write with a slash.

import { api } from "/pages/design/api.js";
import { badge, button, confirm, empty, h, modal, panel, toast } from "/pages/design/dom.js";
import { field, form } from "/pages/design/form.js";
import { t } from "/pages/design/texts.js";
import { addButton, languageName, languageSelect, nextLanguage, removeButton } from "./by-language.js";

const flags = ["common", "hidden", "extranet"];

export async function commandsOf(bot, { signal, refresh }) {
  const commands = await api.all(`/bots/${bot.id}/commands`, {}, { signal });
  const change = (command) => edit(bot, command, refresh);
  const add = button(t("bots.commands.add"), () => change(null), { kind: "primary small", icon: "add" });
  if (!commands.length) {
    return panel(null, empty({ title: t("bots.commands.empty"), text: t("bots.commands.emptyText"), actions: [add] }));
  }
  return panel(t("bots.tabs.commands"), h("ul.rows", commands.toReversed().map((command) => row(bot, command, change, refresh))), { flush: true, actions: [add] });
}

function row(bot, command, change, refresh) {
  const name = `/${command.command}`;
  const titles = command.translations.map(({ language, title, params }) => h("span.note", `${languageName(language)}: ${[params, title].filter(Boolean).join(" — ")}`));
  const remove = async () => {
    if (!(await confirm({ title: t("bots.commands.deleteTitle", { name }), text: t("bots.commands.deleteText"), action: t("delete") }))) return;
    await api.delete(`/bots/${bot.id}/commands/${command.id}`);
    toast(t("deleted"));
    await refresh();
  };
  return h("li.command", h("div.stack.tight", h("div.line", h("code", name), flags.filter((flag) => command[flag]).map((flag) => badge(t(`bots.commands.${flag}`)))), titles),
    h("div.line", button(t("change"), () => change(command), { kind: "small", "aria-label": `${t("change")}: ${name}` }),
      button(t("delete"), remove, { kind: "quiet small danger", "aria-label": `${t("delete")}: ${name}` })));
}

function edit(bot, command, refresh) {
  const dialog = modal(command ? `/${command.command}` : t("bots.commands.new"), [], "wide");
  const cancel = h("button.button.quiet", { type: "button", onclick: () => dialog.close() }, t("cancel"));
  const element = form({
    fields: [
      field({ name: "command", label: t("bots.commands.command"), help: t("bots.commands.commandHelp"), hint: "help", value: command?.command, required: true, attributes: { maxlength: 31 } }),
      translationsField(command?.translations ?? [{ language: nextLanguage([]), title: "", params: null }]),
      ...flags.map((flag) => field({ name: flag, kind: "check", label: t(`bots.commands.${flag}`), help: t(`bots.commands.${flag}Help`), value: command?.[flag] })),
    ],
    submit: t(command ? "save" : "create"), extra: [cancel],
    send: async (values) => {
      const body = { ...values, command: (values.command ?? "").replace(/^\//, "") };
      if (command) await api.patch(`/bots/${bot.id}/commands/${command.id}`, body);
      else await api.post(`/bots/${bot.id}/commands`, body);
      dialog.close();
      toast(t("saved"));
      await refresh();
    },
  });
  dialog.firstElementChild.append(element);
  element.querySelector("input").focus();
}

/** A title, and what is written after the command, in each language. */
function translationsField(translations) {
  const error = h("p.error");
  const row = ({ language, title, params }) => {
    const input = (value, key) => h("input.input", { value: value ?? "", placeholder: t(`bots.commands.${key}Hint`), "aria-label": `${t(`bots.commands.${key}`)}: ${languageName(language)}` });
    const element = h("div.entry", languageSelect(language), input(title, "title"), input(params, "params"));
    element.append(removeButton(element, `${t("bots.remove")}: ${languageName(language)}`));
    return element;
  };
  const read = () => [...entries.querySelectorAll(":scope > .entry")].map((one) => {
    const [title, params] = [...one.querySelectorAll("input")].map((input) => input.value.trim() || null);
    return { language: one.querySelector("select").value, title, params };
  }).filter(({ title, params }) => title || params).map((one) => ({ ...one, title: one.title ?? "" }));
  const used = () => [...entries.querySelectorAll("select")].map((select) => select.value);
  const entries = h("div.entries", translations.map(row), addButton(t("bots.addLanguage"), () => row({ language: nextLanguage(used()) })));
  entries.addEventListener("input", () => { error.textContent = ""; });
  const box = h("fieldset.field", h("legend", t("bots.commands.translations")), h("p.help", t("bots.commands.translationsHelp")), entries, error);
  return Object.assign(box, {
    name: "translations", control: box, read, fault: (text) => { error.textContent = text; },
    focusFault: () => entries.querySelector("input, button").focus(),
  });
}
