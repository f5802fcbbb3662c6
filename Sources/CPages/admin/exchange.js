// What a bot platform was asked for a line of a transcript, what it answered, and how the answer reached Bitrix24.

import { api } from "/pages/design/api.js";
import { badge, button, facts, h, modal, notice, toast } from "/pages/design/dom.js";
import { formatTime, said, t } from "/pages/design/texts.js";

export async function showExchange(path, signal) {
  const exchange = await api.get(path, {}, { signal }).catch((error) => {
    if (error.status !== 404) throw error;
  });
  if (!exchange) return toast(t("dialogs.forgotten"), { bad: true });
  const dialog = modal(t("dialogs.exchange"), [
    h("p.note", [exchange.connector, exchange.provider].filter(Boolean).join(" · ")),
    exchange.error && notice("bad", said(exchange.error)),
    part(t("dialogs.asked"), exchange.asked ? asked(exchange.asked) : h("p.note", t("dialogs.notAsked"))),
    part(t("dialogs.answered"), exchange.answered ? answered(exchange.answered) : h("p.note", t("dialogs.notAnswered"))),
    exchange.deliveries.length > 0 && part(t("dialogs.delivered"), h("ul.rows.plain", exchange.deliveries.map(delivery))),
    h("div.dialog-foot", button(t("close"), () => dialog.close(), { autofocus: true })),
  ], "wide");
}

function part(title, ...content) {
  return h("section.stack.tight", h("h3", title), content);
}

function asked({ text, variables, files, session }) {
  return h("div.stack.tight", quoted(text),
    facts([t("dialogs.files"), files.join(", ")], [t("dialogs.session"), session && h("code", session)]),
    folded(t("dialogs.variables", { count: Object.keys(variables).length }), variables));
}

function answered({ text, trace, choices, files }) {
  return h("div.stack.tight", quoted(text),
    choices.length > 0 && h("p.line", h("span.note", t("dialogs.choices")), choices.map(({ label }) => badge(label))),
    facts([t("dialogs.files"), files.join(", ")]),
    folded(t("dialogs.trace"), trace));
}

function quoted(text) {
  return text ? h("pre.code", { tabindex: "0" }, h("code", text)) : h("p.note", t("dialogs.noText"));
}

/** Names and values, opened on demand. */
function folded(title, values) {
  const pairs = Object.entries(values ?? {});
  if (!pairs.length) return null;
  return h("details.folded", h("summary", title), facts(...pairs.map(([name, value]) =>
    [h("code", name), typeof value === "object" ? JSON.stringify(value) : String(value)])));
}

function delivery({ kind, state, attempts, last_error, created_at, finished_at }) {
  const kinds = { done: "good", failed: "bad" };
  return h("li", badge(t(`dialogs.deliveryStates.${state}`), kinds[state] ?? "warn"),
    h("div", t(`dialogs.deliveryKinds.${kind}`), attempts > 1 && h("span.note", ` · ${t("dialogs.attempts", { count: attempts })}`),
      last_error && h("p.bad", said(last_error))),
    h("span.note", formatTime(finished_at ?? created_at, "second")));
}
