// One chat: its messages, the typing indicator, example prompts and the field to write in.

import { render } from "./bbcode.js";
import { currentLanguage, text, translate } from "./texts.js";

/** Seconds that a typing indicator lasts without news, as in a messenger. */
const typingLasts = 25;

export class Chat {
  #place;
  #post;
  #root;
  #list;
  #log;
  #typing;
  #field;
  #nodes = new Map();
  #messages = new Map();
  #people = {};
  #typingTimer = 0;

  /**
   * @param {string} place `customer` or `employee`
   * @param {(path: string, body: object) => Promise<void>} post sends to the sandbox; throws with a reason
   */
  constructor(place, post) {
    this.#place = place;
    this.#post = post;
    this.#root = document.getElementById(place);
    this.#root.append(document.getElementById("chat-template").content.cloneNode(true));
    this.#root.querySelector("h2").id = `${place}-title`;
    this.#list = this.#root.querySelector(".messages");
    this.#log = this.#root.querySelector(".log");
    this.#typing = this.#root.querySelector(".typing");
    this.#field = this.#root.querySelector("textarea");
    this.#field.id = `${place}-input`;
    this.#root.querySelector("label").htmlFor = this.#field.id;
    this.#listen();
    this.enable(false);
  }

  #listen() {
    const form = this.#root.querySelector("form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(this.#field.value);
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    this.#field.addEventListener("input", () => this.#fit());
    this.#list.addEventListener("click", (event) => {
      const action = event.target.closest(".action");
      if (!action) return;
      if ("put" in action.dataset) {
        this.#field.value = action.dataset.put;
        this.#field.focus();
      } else {
        this.#send(action.dataset.send ?? action.textContent);
      }
    });
    const button = this.#root.querySelector(".new");
    button.hidden = this.#place !== "customer";
    button.addEventListener("click", () => this.#try("/sandbox/conversations", {}));
  }

  #fit() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }

  enable(on) {
    for (const control of this.#root.querySelectorAll("button, textarea")) control.disabled = !on;
  }

  /** Puts the texts of the current language in. */
  translate() {
    const own = (name, values) => text(`${this.#place}${name}`, values);
    translate(this.#root);
    this.#root.querySelector("h2").textContent = this.#people.name ?? own("Name");
    this.#root.querySelector(".sub").textContent = own("Sub", { bot: this.#people.bot ?? "BitBot" });
    this.#root.querySelector(".avatar").textContent = initials(this.#people.name ?? own("Tab"));
    this.#root.querySelector("label").textContent = text("placeholder");
    this.#root.querySelector(".send").setAttribute("aria-label", text("send"));
    this.#root.querySelector(".new").setAttribute("aria-label", text("newConversation"));
    this.#root.querySelector(".new").title = text("newConversation");
    this.#field.placeholder = text("placeholder");
    this.#log.setAttribute("aria-label", `${own("Tab")}: ${text("messages")}`);
    this.#showPrompts(own("Prompts"));
    this.#redraw();
  }

  #showPrompts(prompts) {
    const chips = this.#root.querySelector(".chips");
    chips.setAttribute("aria-label", text("prompts"));
    chips.replaceChildren(
      ...prompts.map((prompt) => {
        const chip = document.createElement("button");
        chip.type = "button";
        chip.className = "chip";
        chip.textContent = prompt;
        chip.disabled = this.#field.disabled;
        chip.addEventListener("click", () => this.#send(prompt));
        return chip;
      }));
  }

  /** Shows these messages and no others. */
  reset(people, messages) {
    this.#people = people;
    this.#messages = new Map(messages.map((message) => [message.id, message]));
    this.#stopTyping();
    this.translate();
  }

  #redraw() {
    this.#nodes.clear();
    this.#list.replaceChildren();
    for (const message of this.#messages.values()) this.#draw(message);
    this.#showEmpty();
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #showEmpty() {
    this.#log.querySelector(".empty")?.remove();
    if (this.#messages.size) return;
    const hint = document.createElement("p");
    hint.className = "empty";
    hint.textContent = text(`${this.#place}Empty`);
    this.#log.prepend(hint);
  }

  /** Adds a message, or puts it in place of the one with the same id. */
  put(message) {
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 80;
    this.#messages.set(message.id, message);
    if (message.from !== "me") this.#stopTyping();
    this.#showEmpty();
    this.#draw(message);
    if (atEnd || message.from === "me") this.#log.scrollTop = this.#log.scrollHeight;
  }

  showTyping(name) {
    clearTimeout(this.#typingTimer);
    const dots = document.createElement("i");
    dots.setAttribute("aria-hidden", "true");
    dots.append(...[1, 2, 3].map(() => document.createElement("b")));
    const words = document.createElement("span");
    words.textContent = text("typing", { name });
    this.#typing.replaceChildren(dots, words);
    this.#typingTimer = setTimeout(() => this.#stopTyping(), typingLasts * 1000);
  }

  #stopTyping() {
    clearTimeout(this.#typingTimer);
    this.#typing.replaceChildren();
  }

  #draw(message) {
    const item = document.createElement("li");
    const before = this.#nodes.get(message.id);
    const previous = before ? before.previousElementSibling : this.#list.lastElementChild;
    const isFirst = previous?.dataset.author !== `${message.from} ${message.name}`;
    item.className = `message ${message.from === "me" ? "mine" : message.from}${isFirst ? " first" : ""}`;
    item.dataset.author = `${message.from} ${message.name}`;
    item.append(...this.#parts(message, isFirst));
    if (before) before.replaceWith(item);
    else this.#list.append(item);
    this.#nodes.set(message.id, item);
  }

  #parts(message, isFirst) {
    const parts = [];
    const author = document.createElement("span");
    author.className = message.from === "me" || !isFirst ? "visually-hidden" : "author";
    author.textContent = message.from === "me" ? text("you") : message.name;
    if (message.from !== "system") parts.push(author);

    const bubble = document.createElement("div");
    bubble.className = "bubble";
    bubble.append(message.deleted ? text("deleted") : render(message.text));
    if (message.from !== "system") bubble.append(this.#time(message));
    parts.push(bubble);
    if (message.buttons?.length && !message.deleted) parts.push(this.#buttons(message));
    return parts;
  }

  #time(message) {
    const time = document.createElement("time");
    const date = new Date(message.time);
    time.dateTime = date.toISOString();
    const clock = date.toLocaleTimeString(currentLanguage() === "ru" ? "ru" : "en-GB", { hour: "2-digit", minute: "2-digit" });
    time.textContent = message.edited ? `${text("edited")} ${clock}` : clock;
    return time;
  }

  #buttons(message) {
    const box = document.createElement("div");
    box.className = "buttons";
    for (const row of message.buttons) {
      const line = document.createElement("div");
      line.append(...row.map((button) => this.#button(message, button)));
      box.append(line);
    }
    return box;
  }

  #button(message, button) {
    if (button.link) {
      const link = document.createElement("a");
      link.className = "pill";
      link.textContent = button.text;
      if (/^https?:/i.test(button.link)) link.href = button.link;
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      return link;
    }
    const pill = document.createElement("button");
    pill.type = "button";
    pill.className = "pill";
    pill.textContent = button.text;
    pill.addEventListener("click", () => this.#try("/sandbox/buttons", { message: message.id, text: button.text }));
    return pill;
  }

  async #send(written) {
    const message = written.trim();
    if (!message || this.#field.disabled) return;
    if (written === this.#field.value) {
      this.#field.value = "";
      this.#fit();
    }
    if (!await this.#try("/sandbox/messages", { text: message }) && !this.#field.value) this.#field.value = written;
    this.#field.focus({ preventScroll: true });
  }

  async #try(path, body) {
    try {
      await this.#post(path, { place: this.#place, ...body });
      return true;
    } catch (error) {
      this.#typing.textContent = text("notSent", { reason: error.message });
      return false;
    }
  }
}

function initials(name) {
  return name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
}
