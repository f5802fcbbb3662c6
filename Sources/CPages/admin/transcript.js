// A dialog: all that was said, what became of each message, and what can be done about it.

import { api } from "/pages/design/api.js";
import { render } from "/pages/design/bbcode.js";
import { announce, badge, busy, button, confirm, empty, h, icon, toast } from "/pages/design/dom.js";
import { ago } from "/pages/design/elements.js";
import { formatSeconds, formatTime, said, t } from "/pages/design/texts.js";
import { stateBadge } from "./dialogs.js";
import { showExchange } from "./exchange.js";

export async function showTranscript({ parts: [id], session, signal, go, refresh }) {
  const [dialog, page] = await Promise.all([
    api.get(`/dialogs/${id}`, {}, { signal }), api.get(`/dialogs/${id}/messages`, {}, { signal }),
  ]);
  const transcript = new Transcript(id, signal, page);
  const resume = button(t("dialogs.resume"), async () => {
    if (!(await confirm({ title: t("dialogs.resumeTitle"), text: t("dialogs.resumeText"), action: t("dialogs.resume"), danger: false }))) return;
    await api.post(`/dialogs/${id}/resume`);
    toast(t("dialogs.resumed"));
    refresh();
  }, { icon: "bot" });
  const erase = button(t("dialogs.erase"), async () => {
    if (!(await confirm({ title: t("dialogs.eraseTitle"), text: t("dialogs.eraseText"), action: t("dialogs.erase") }))) return;
    await api.delete(`/dialogs/${id}`);
    toast(t("dialogs.erased"));
    go("#/dialogs");
  }, { kind: "danger", icon: "trash" });
  return {
    title: dialog.title || dialog.dialog_id, back: { href: "#/dialogs", label: t("nav.dialogs") },
    actions: [dialog.state === "operator" && resume, erase].filter(Boolean),
    content: [about(dialog, session), transcript.element],
  };
}

function about(dialog, session) {
  return h("div.line.note", stateBadge(dialog.state), dialog.failed && badge(t("dialogs.failed"), "bad"),
    h("a", { href: `#/bots/${dialog.bot_id}` }, dialog.bot_name),
    session.kind === "admin" && h("a", { href: `#/portals/${dialog.portal_id}` }, dialog.portal_domain),
    h("span", t("dialogs.number", { id: dialog.chat_id ?? dialog.dialog_id })), h("span", t("dialogs.active"), ": ", ago(dialog.last_message_at)));
}

/** The lines, oldest first; earlier ones are fetched on demand, and the newest anew while an answer is on its way. */
class Transcript {
  #path;
  #signal;
  #lines = [];
  #drawn = new Map();
  #earlier = null;
  #list = h("ol.messages");
  #more;
  #box;

  constructor(id, signal, page) {
    this.#path = `/dialogs/${id}/messages`;
    this.#signal = signal;
    this.#more = h("div.line", button(t("dialogs.earlier"), () => this.#loadEarlier(), { kind: "small" }));
    this.#box = h("div.transcript", { role: "region", "aria-label": t("dialogs.transcript"), tabindex: "0" }, this.#more, this.#list);
    this.element = h("div.panel.flush", this.#box);
    this.#earlier = page.next;
    this.#take(page);
    if (!this.#lines.length) this.element.replaceChildren(empty({ icon: "dialogs", title: t("dialogs.nothingSaid") }));
    requestAnimationFrame(() => { this.#box.scrollTop = this.#box.scrollHeight; });
    this.#follow();
  }

  /** The newest page: what is not in it is older. */
  #take({ items }) {
    const ids = new Set(items.map(({ id }) => id));
    this.#lines = [...this.#lines.filter(({ id }) => !ids.has(id)), ...items.toReversed()];
    this.#draw();
  }

  async #loadEarlier() {
    const { items, next } = await api.get(this.#path, { cursor: this.#earlier }, { signal: this.#signal });
    const height = this.#box.scrollHeight;
    this.#earlier = next;
    this.#lines = [...items.toReversed(), ...this.#lines];
    this.#draw();
    this.#box.scrollTop += this.#box.scrollHeight - height;
    announce(t("loaded", { count: items.length }));
    if (!next) this.#box.focus({ preventScroll: true });
  }

  async #reload() {
    const isAtEnd = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 40;
    this.#take(await api.get(this.#path, {}, { signal: this.#signal }));
    if (isAtEnd) this.#box.scrollTop = this.#box.scrollHeight;
  }

  #follow() {
    const isWaiting = this.#lines.some(({ event }) => event && ["waiting", "asking"].includes(event.state));
    if (!isWaiting || this.#signal.aborted) return;
    setTimeout(() => {
      if (!this.#signal.aborted) this.#reload().then(() => this.#follow(), () => {});
    }, 2500);
  }

  /** A line that has not changed keeps its element, and the reader's focus in it. */
  #draw() {
    this.#more.hidden = !this.#earlier;
    const rows = [];
    const seen = new Set();
    let day = null;
    for (const line of this.#lines) {
      const today = formatTime(line.created_at, "date");
      if (today !== day) rows.push(h("li.message.system", today));
      day = today;
      const isFirst = line.event != null || (line.event_id != null && !seen.has(line.event_id));
      seen.add(line.event_id);
      rows.push(this.#node(line, isFirst));
    }
    this.#list.replaceChildren(...rows);
    if (document.activeElement === document.body && this.#box.isConnected) this.#box.focus({ preventScroll: true });
  }

  #node(line, isFirst) {
    const key = JSON.stringify([line, isFirst]);
    const old = this.#drawn.get(line.id);
    if (old?.key === key) return old.node;
    const node = line.author === "system" ? h("li.message.system", h("p", line.text, " · ", clock(line))) : this.#spoken(line, isFirst);
    this.#drawn.set(line.id, { key, node });
    return node;
  }

  #spoken(line, isFirst) {
    const node = h("li.message",
      h("p.author", icon(line.author === "bot" ? "bot" : "user"), `${t(`dialogs.authors.${line.author}`)} · `, clock(line)),
      h("div.bubble", words(line)), isFirst && this.#under(line));
    if (line.author !== "customer") node.classList.add("mine", line.author);
    if (line.event?.state === "failed") node.classList.add("failed");
    return node;
  }

  /** What became of a message. */
  #under({ id, event, event_id }) {
    const isFailed = event?.state === "failed";
    const box = h("div.under", event && outcome(event),
      isFailed && event_id && linkLike(t("dialogs.askAgain"), () => this.#askAgain(event_id)),
      linkLike(t("dialogs.exchange"), () => showExchange(`${this.#path}/${id}/exchange`, this.#signal)));
    if (isFailed) box.classList.add("bad");
    return box;
  }

  async #askAgain(work) {
    await api.post(`/work/${work}/retry`);
    toast(t("dialogs.askedAgain"));
    await this.#reload();
    this.#follow();
  }
}

function linkLike(label, act) {
  return h("button.link-button", { type: "button", onclick: ({ currentTarget }) => busy(currentTarget, act) }, label);
}

function clock(line) {
  return h("time", { datetime: line.created_at, title: formatTime(line.created_at, "second") }, formatTime(line.created_at, "time"));
}

/** A bot's and an operator's words are in Bitrix24's markup. Its buttons are shown, but press nothing here. */
function words({ author, text }) {
  if (!text) return h("span.muted", t("dialogs.noText"));
  if (author === "customer") return text;
  const content = render(text);
  for (const action of content.querySelectorAll("button")) action.replaceWith(h("span.choice", ...action.childNodes));
  return content;
}

function outcome({ state, attempts, last_error, received_at, finished_at }) {
  if (state === "failed") return h("span", t("dialogs.events.failed", { count: attempts }), last_error && ` ${said(last_error)}`);
  if (state !== "done" || !finished_at) return h("span", t(`dialogs.events.${state}`));
  return h("span", t("dialogs.events.doneIn", { time: formatSeconds((new Date(finished_at) - new Date(received_at)) / 1000) }));
}
