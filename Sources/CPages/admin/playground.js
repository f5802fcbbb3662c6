// Playground: talk to a connector or a bot from here, with variables of one's choice, before any portal knows of it.

import { api } from "/pages/design/api.js";
import { button, empty, h, icon, linkButton, panel } from "/pages/design/dom.js";
import { currentLanguage, t, useTexts } from "/pages/design/texts.js";
import { Talk } from "./talk.js";

/** Common variables, with what Bitrix24 might give. */
const samples = {
  MESSAGE: "", FIRST_NAME: "Anna", LAST_NAME: "Schmidt", LANGUAGE: "en", USER_ID: "7", DIALOG_ID: "chat42", CHAT_ID: "42", CHAT_TITLE: "Anna Schmidt",
  CHAT_ENTITY_ID: "livechat|1|42|7", CHAT_ENTITY_DATA_1: "Y|LEAD|17|N|N|1|0|0|0|0", CHAT_ENTITY_DATA_2: "LEAD|17|COMPANY|0|CONTACT|0|DEAL|0",
  BOT_ID: "3", AUTHOR_ID: "7", IS_EXTRANET: "N", IS_CONNECTOR: "Y", COMMAND: "help", COMMAND_PARAMS: "", OPERATOR_TRANSCRIPT: "", event: "ONIMBOTMESSAGEADD",
};
/** What was entered stays while the reader looks at other pages. */
let variables = null;

export async function show({ query, signal }) {
  await useTexts("admin", "playground");
  const [connectors, bots] = await Promise.all([api.all("/connectors", {}, { signal }), api.all("/bots", {}, { signal })]);
  const page = { title: t("nav.playground"), lead: t("playground.lead") };
  if (!connectors.length) {
    const add = linkButton(t("playground.add"), "#/connectors/new", { kind: "primary", icon: "add" });
    return { ...page, content: h("div.panel", empty({ icon: "playground", title: t("playground.empty"), text: t("playground.emptyText"), actions: [add] })) };
  }
  variables ??= [["FIRST_NAME", samples.FIRST_NAME], ["LANGUAGE", currentLanguage()]];
  const partner = partnerChoice(connectors, bots, query);
  const talk = new Talk({ signal, ask: (text) => ({ ...partner.read(), text, variables: entered() }) });
  partner.addEventListener("change", () => {
    const [[kind, id]] = Object.entries(partner.read());
    history.replaceState(null, "", `#/playground?${kind.replace("_id", "")}=${id}`);
    talk.begin();
  });
  const anew = button(t("playground.anew"), () => talk.begin({ focus: true }), { kind: "small", icon: "refresh" });
  return {
    ...page,
    content: h("div.talk",
      h("section.panel.flush", { "aria-label": t("playground.conversation") }, h("div.panel-head", partner, h("span.grow"), anew), talk.element),
      panel(t("playground.variables"), [h("p.note", t("playground.variablesHelp")), variableRows()])),
  };
}

function partnerChoice(connectors, bots, query) {
  const chosen = query.get("bot") ? `bot_id:${query.get("bot")}` : `connector_id:${query.get("connector") ?? connectors[0].id}`;
  const group = (label, kind, items) => items.length > 0 && h("optgroup", { label }, items.map(({ id, name }) =>
    h("option", { value: `${kind}:${id}`, selected: `${kind}:${id}` === chosen }, name)));
  const select = h("select.input", { "aria-label": t("playground.partner") },
    group(t("nav.connectors"), "connector_id", connectors), group(t("nav.bots"), "bot_id", bots));
  select.read = () => {
    const [kind, id] = select.value.split(":");
    return { [kind]: id };
  };
  return select;
}

function entered() {
  return Object.fromEntries(variables.map(([name, value]) => [name.trim(), value]).filter(([name]) => name));
}

function variableRows() {
  const names = h("datalist", { id: "variable-names" }, Object.keys(samples).map((name) => h("option", { value: name })));
  const row = (pair) => {
    const value = h("input.input", { value: pair[1], "aria-label": t("playground.value"), placeholder: samples[pair[0]] ?? t("playground.value") });
    const name = h("input.input.mono", { value: pair[0], "aria-label": t("playground.variable"), placeholder: t("playground.variable"), list: "variable-names", autocapitalize: "off", spellcheck: "false" });
    name.addEventListener("input", () => {
      pair[0] = name.value;
      value.placeholder = samples[name.value] || t("playground.value");
    });
    value.addEventListener("input", () => { pair[1] = value.value; });
    const element = h("div.variable", name, value, h("button.button.quiet.icon-only", {
      type: "button", "aria-label": `${t("playground.remove")}: ${pair[0]}`, title: t("playground.remove"),
      onclick: () => {
        variables.splice(variables.indexOf(pair), 1);
        element.remove();
        add.focus();
      },
    }, icon("trash")));
    return element;
  };
  const add = h("button.button.small", { type: "button" }, icon("add"), h("span", t("playground.addVariable")));
  add.addEventListener("click", () => {
    const pair = ["", ""];
    variables.push(pair);
    const element = row(pair);
    add.before(element);
    element.querySelector("input").focus();
  });
  return h("div.entries", names, variables.map(row), add);
}
