// The live view: events and answers as they happen, the newest first.

import { api } from "/pages/design/api.js";
import { plain } from "/pages/design/bbcode.js";
import { announce, badge, button, empty, h, icon } from "/pages/design/dom.js";
import { light } from "/pages/design/elements.js";
import { filters } from "/pages/design/filters.js";
import { formatSeconds, formatTime, hasText, said, t, useTexts } from "/pages/design/texts.js";
import { portalFilter } from "./choices.js";

/** Lines that are kept, on the page and while it is paused. */
const kept = 500;
const kinds = { event: "event", answer: "accent", delivery: "platform", failure: "bad", handover: "warn" };

export async function show({ query, signal }) {
  await useTexts("admin", "live");
  const portal = await portalFilter(query, signal);
  const view = new LiveView(signal);
  const choice = filters({ route: "live", fields: [portal], change: (values) => view.follow(values) });
  return {
    title: t("nav.live"), lead: t("live.lead"), actions: [view.pause, view.clear],
    content: [
      h("div.line.apart", view.state, portal ? choice : null),
      h("section.panel.flush", { "aria-label": t("nav.live") }, view.nothing, view.list),
    ],
  };
}

class LiveView {
  state = h("div", { role: "status" });
  list = h("ol.live", { hidden: true });
  nothing = empty({ icon: "live", title: t("live.quiet"), text: t("live.quietText") });
  pause = button(t("live.pause"), () => this.#toggle(), { icon: "pause" });
  clear = button(t("live.clear"), () => this.#clear(), { kind: "quiet" });
  #waiting = [];
  #isPaused = false;
  #timer = null;
  #signal;
  #following = new AbortController();

  constructor(signal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#following.abort());
  }

  /** Listens, with these filters; goes on listening after the connection was lost. */
  async follow(query) {
    this.#following.abort();
    this.#following = new AbortController();
    const { signal } = this.#following;
    if (this.#signal.aborted) return;
    this.#clear();
    for (let tries = 0; !signal.aborted; tries += 1) {
      try {
        if (tries === 0) this.#say("waiting", t("live.connecting"));
        const opened = () => {
          tries = 0;
          this.#say("well", t("live.listening"));
        };
        for await (const { event, data } of api.stream("/live", { query, signal, opened })) {
          if (event === "happened") this.#take(data);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error.status >= 400 && error.status < 500) return this.#say("trouble", error.message);
      }
      if (signal.aborted) return;
      this.#say("trouble", t("live.lost"));
      await new Promise((resolve) => setTimeout(resolve, Math.min(1000 * 2 ** tries, 30_000)));
    }
  }

  #say(state, text) {
    if (this.state.textContent !== text) this.state.replaceChildren(light(state, text));
  }

  #take(happening) {
    this.#waiting.push(happening);
    if (this.#waiting.length > kept) this.#waiting.shift();
    this.#timer ??= setTimeout(() => this.#draw(), 150);
  }

  /** What has come since the last time, at once: a busy server must not have the page drawn for each. */
  #draw() {
    this.#timer = null;
    if (this.#isPaused) return this.#label();
    if (!this.#waiting.length) return;
    this.list.prepend(...this.#waiting.splice(0).reverse().map(row));
    while (this.list.childElementCount > kept) this.list.lastElementChild.remove();
    this.#reveal();
  }

  #toggle() {
    this.#isPaused = !this.#isPaused;
    announce(t(this.#isPaused ? "live.paused" : "live.goesOn"));
    this.#label();
    this.#draw();
  }

  #label() {
    const count = this.#waiting.length;
    this.pause.querySelector("svg").replaceWith(icon(this.#isPaused ? "playground" : "pause"));
    this.pause.querySelector("span").textContent = !this.#isPaused ? t("live.pause") : count ? t("live.continueWith", { count }) : t("live.continue");
  }

  #clear() {
    this.#waiting = [];
    this.list.replaceChildren();
    this.#reveal();
    this.#label();
  }

  #reveal() {
    this.list.hidden = !this.list.childElementCount;
    this.nothing.hidden = !this.list.hidden;
  }
}

function row({ at, kind, portal_domain, bot_id, bot_name, dialog_id, text, milliseconds }) {
  return h("li",
    h("time", { datetime: at, title: formatTime(at, "second") }, formatTime(at, "clock")),
    badge(t(`live.kinds.${kind}`), kinds[kind]),
    h("div.words", text && h("p.cut", words(kind, text)),
      h("p.note", bot_id && h("a", { href: `#/bots/${bot_id}` }, bot_name), bot_id && portal_domain && " · ", portal_domain,
        milliseconds != null && ` · ${formatSeconds(milliseconds / 1000)}`)),
    dialog_id && h("a", { href: `#/dialogs/${dialog_id}`, "aria-label": t("live.dialogOf", { name: bot_name ?? "" }) }, t("live.dialog")));
}

/** What people and bots say is theirs; the server's own words are in its language, or by name. */
function words(kind, text) {
  if (kind === "delivery" && hasText(`live.deliveries.${text}`)) return t(`live.deliveries.${text}`);
  if (kind === "event") return text;
  return kind === "answer" ? plain(text) : said(plain(text));
}
