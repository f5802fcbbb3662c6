// A conversation with a bot on the page: what is said, and its answer as it comes.

import { api } from "/pages/design/api.js";
import { announce, empty, h, icon, notice, outside } from "/pages/design/dom.js";
import { markdown } from "/pages/design/markdown.js";
import { formatSeconds, hasText, said, t } from "/pages/design/texts.js";

export class Talk {
  #ask;
  #session = null;
  #running = null;
  #list = h("ol.messages");
  #log;
  #text;
  #send;
  /** The bot's message that grows now, its text, and whether its drawing is due. */
  #bubble = null;
  #source = "";
  #due = false;

  /** `ask(text)` gives the request; `signal` aborts when the reader leaves. */
  constructor({ ask, signal }) {
    this.#ask = ask;
    this.#log = h("div.log", { role: "log", "aria-live": "off", tabindex: "0", "aria-label": t("playground.conversation") });
    this.#text = h("textarea.input", { rows: 1, placeholder: t("playground.write"), "aria-label": t("playground.write") });
    this.#send = h("button.button.primary.icon-only", { type: "submit", "aria-label": t("playground.send"), title: t("playground.send") }, icon("send"));
    const composer = h("form.composer", this.#text, this.#send);
    composer.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#running) this.#running.abort();
      else this.say(this.#text.value);
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!this.#running) this.say(this.#text.value);
    });
    this.element = h("div.talk-body", this.#log, composer);
    this.begin();
    signal.addEventListener("abort", () => this.#running?.abort());
  }

  /** Forgets what was said. */
  begin({ focus = false } = {}) {
    this.#running?.abort();
    this.#run(null);
    this.#session = null;
    this.#list.replaceChildren();
    const hello = h("button.button", { type: "button", onclick: () => this.say(t("playground.hello")) }, t("playground.hello"));
    this.#log.replaceChildren(empty({ icon: "playground", title: t("playground.start"), text: t("playground.startText"), actions: [hello] }));
    if (focus) this.#text.focus();
  }

  /** Says something and shows the answer. */
  async say(text) {
    if (!text.trim() || this.#running) return;
    if (!this.#list.isConnected) this.#log.replaceChildren(this.#list);
    for (const one of this.#list.querySelectorAll(".choices button")) one.disabled = true;
    this.#add(h("li.message.mine", h("span.visually-hidden", t("playground.you")), h("div.bubble", text.trim())));
    this.#text.value = "";
    this.#text.focus();
    const running = new AbortController();
    this.#run(running);
    try {
      await this.#hear(text, running.signal);
    } catch (error) {
      if (this.#running !== running) return; // a new conversation has begun
      if (running.signal.aborted) this.#note(t("playground.stopped"));
      else this.#fail(error.message);
    } finally {
      if (this.#running === running) this.#run(null);
    }
  }

  async #hear(text, signal) {
    const before = this.#list.childElementCount - 1; // without the dots
    let isOver = false;
    for await (const { event, data } of api.stream("/playground", { body: { ...this.#ask(text), session: this.#session }, signal })) {
      signal.throwIfAborted();
      if (event === "session") this.#session = data.session;
      else if (event === "done") this.#done(data, before);
      else this.#show(event, data);
      isOver ||= event === "done" || event === "failed";
    }
    if (!isOver) this.#fail(t("playground.cut"));
  }

  #show(event, data) {
    const shows = {
      text: () => this.#grow(this.#source + data.text),
      replace: () => this.#grow(data.text),
      next: () => this.#close(),
      file: () => this.#say(file(data)),
      choices: () => this.#say(this.#choices(data)),
      pause: () => this.#note(t("playground.pause", { time: formatSeconds(data.milliseconds / 1000) })),
      action: () => this.#note(actionText(data)),
      failed: () => this.#fail(said(data.message)),
    };
    shows[event]?.();
  }

  /** Shows the text in the message that grows, at most once a frame. */
  #grow(source) {
    this.#source = source;
    if (!this.#bubble) {
      this.#bubble = h("div.bubble.prose");
      this.#say(this.#bubble);
    }
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#due = false;
    if (!this.#bubble) return;
    this.#keepingEnd(() => this.#bubble.replaceChildren(...markdown(this.#source).childNodes));
  }

  #close() {
    if (this.#bubble) this.#draw();
    this.#bubble = null;
    this.#source = "";
  }

  #done({ milliseconds }, before) {
    this.#close();
    const answers = [...this.#list.children].slice(before).filter((one) => !one.matches(".thinking"));
    announce(answers.map((one) => one.textContent).join(". "));
    this.#note(t(answers.length ? "playground.took" : "playground.silent", { time: formatSeconds(milliseconds / 1000) }));
  }

  #choices({ options, several }) {
    const box = h("div.choices", { role: "group", "aria-label": t("playground.choices") });
    if (!several) {
      box.append(...options.map(({ label }) => h("button.button.small", { type: "button", onclick: () => this.say(label) }, label)));
      return box;
    }
    const toggles = options.map(({ label }) => h("button.button.small", {
      type: "button", "aria-pressed": "false",
      onclick: (event) => {
        const { currentTarget: one } = event;
        one.setAttribute("aria-pressed", String(one.getAttribute("aria-pressed") !== "true"));
      },
    }, label));
    const chosen = () => toggles.filter((one) => one.getAttribute("aria-pressed") === "true").map((one) => one.textContent).join(", ");
    box.append(...toggles, h("button.button.small.primary", { type: "button", onclick: () => this.say(chosen()) }, t("playground.send")));
    return box;
  }

  #say(content) {
    if (content !== this.#bubble) this.#close();
    this.#add(h("li.message", h("span.visually-hidden", t("playground.bot")), content));
  }

  #note(text) {
    this.#close();
    this.#add(h("li.message.system", text));
  }

  #fail(message) {
    this.#close();
    this.#add(h("li.message", notice("bad", message)));
  }

  #add(item) {
    this.#keepingEnd(() => {
      const dots = this.#list.querySelector(".thinking");
      if (dots) dots.before(item);
      else this.#list.append(item);
    });
  }

  /** Marks that the bot is at it. A screen reader is told the whole at the end, not each word as it comes. */
  #run(running) {
    this.#running = running;
    this.#close();
    this.#log.setAttribute("aria-busy", String(Boolean(running)));
    const label = t(running ? "playground.stop" : "playground.send");
    this.#send.replaceChildren(icon(running ? "stop" : "send"));
    this.#send.setAttribute("aria-label", label);
    this.#send.title = label;
    this.#list.querySelector(".thinking")?.remove();
    if (running) this.#add(h("li.message.thinking", h("span.typing", { role: "img", "aria-label": t("playground.thinking") }, h("i"), h("i"), h("i"))));
  }

  /** The end stays in sight, unless the reader has scrolled away from it. */
  #keepingEnd(change) {
    const log = this.#log;
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    change();
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }
}

function file({ url, name }) {
  const isPicture = /^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/.test(url);
  if (isPicture) return h("div.attachment", h("img", { src: url, alt: name }));
  const isWeb = /^https?:\/\//i.test(url);
  return h("div.attachment", icon("file"), isWeb ? outside(name || url, url) : h("span", name || url));
}

function actionText({ action }) {
  const [kind, id] = String(action).split(":");
  const key = `playground.actions.${kind}${id ? "To" : ""}`;
  return hasText(key) ? t(key, { id }) : t("playground.actions.other", { action });
}
