// One chat: with whom it is, its messages, the typing indicator, example prompts and the field to write in.

import { authorOf, draw } from "./message.js";
import { text, translate } from "./texts.js";

/** Seconds that a typing indicator lasts without news, as in a messenger. */
const typingLasts = 25;
/** The employee's choice that is no bot: the customer's dialog, as an operator sees it. */
const operator = "operator";

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
  #offers = [];
  #customer = "";
  #isReady = false;
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
    this.#root.querySelector(".composer label").htmlFor = this.#field.id;
    this.#root.querySelector("select").id = `${place}-choice`;
    this.#root.querySelector(".choice label").htmlFor = `${place}-choice`;
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
    const choice = this.#root.querySelector("select");
    choice.addEventListener("change", () => this.#try("/sandbox/choices", { id: choice.value }));
    for (const button of this.#root.querySelectorAll("[data-act]")) {
      button.addEventListener("click", () => this.#try("/sandbox/operator", { act: button.dataset.act }));
    }
    const files = this.#root.querySelector("input[type=file]");
    this.#root.querySelector(".attach").addEventListener("click", () => files.click());
    files.addEventListener("change", () => {
      this.#sendFiles([...files.files]);
      files.value = "";
    });
    this.#field.addEventListener("paste", (event) => {
      if (!event.clipboardData.files.length) return;
      event.preventDefault();
      this.#sendFiles([...event.clipboardData.files]);
    });
  }

  #fit() {
    this.#field.style.height = "auto";
    this.#field.style.height = this.#field.value ? `${this.#field.scrollHeight + 2}px` : "";
  }

  enable(on) {
    this.#isReady = on;
    // An operator writes in a dialog that is theirs.
    const mayWrite = on && (!this.#isOperator || this.#people.session === "operator");
    for (const control of this.#root.querySelectorAll("button, textarea, select")) {
      control.disabled = !(control.closest(".panel-head, .choice") ? on : mayWrite);
    }
    const focused = document.activeElement;
    const isTheirs = this.#people.session === "operator";
    for (const button of this.#root.querySelectorAll("[data-act]")) {
      button.hidden = !this.#isOperator || (button.dataset.act === "take") === isTheirs;
      if (this.#people.session === "none") button.disabled = true;
    }
    // What had the focus is gone: a keyboard goes on where one writes, or at the choice of chats.
    if (this.#root.contains(focused) && (focused.hidden || focused.disabled)) {
      (mayWrite ? this.#field : this.#root.querySelector("select")).focus();
    }
  }

  get #isOperator() {
    return this.#people.choice === operator;
  }

  /** Puts the texts of the current language in. */
  translate() {
    const own = (name, values) => text(`${this.#place}${name}`, values);
    translate(this.#root);
    this.#root.querySelector("label").textContent = own("Choice");
    this.#root.querySelector("h2").textContent = this.#people.name ?? own("Name");
    this.#root.querySelector(".avatar").textContent = initials(this.#people.name ?? own("Tab"));
    this.#root.querySelector(".composer label").textContent = text("placeholder");
    for (const [part, words] of [["send", "send"], ["new", "newConversation"], ["attach", "attach"]]) {
      const button = this.#root.querySelector(`.${part}`);
      button.setAttribute("aria-label", text(words));
      button.title = text(words);
    }
    this.#field.placeholder = text("placeholder");
    this.#log.setAttribute("aria-label", `${own("Tab")}: ${text("messages")}`);
    this.#showOffers();
    this.#showPeople();
    this.#redraw();
  }

  #showOffers() {
    const select = this.#root.querySelector("select");
    const options = this.#offers.filter((offer) => offer.channel || this.#place === "employee")
      .map((offer) => new Option(text("choices")[offer.id] ?? offer.name, offer.id));
    if (this.#place === "employee" && options.length) {
      options.push(new Option(text("operatorChoice", { name: this.#customer }), operator));
    }
    select.replaceChildren(...options);
    select.value = this.#people.choice ?? "";
  }

  #showPeople() {
    const sub = this.#isOperator ? text("operatorSub")[this.#people.session] : text(`${this.#place}Sub`);
    this.#root.querySelector(".sub").textContent = sub;
    const prompts = text(`${this.#place}Prompts`);
    this.#showPrompts(prompts[this.#people.choice] ?? prompts.other ?? []);
    this.enable(this.#isReady);
  }

  /** Who has the dialog, and the like, has changed. */
  update(people) {
    this.#people = people;
    this.#showPeople();
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
        chip.addEventListener("click", () => this.#send(prompt));
        return chip;
      }));
  }

  /**
   * Shows these messages and no others.
   * @param {object[]} offers the bots that can be chosen
   * @param {string} customer who is in the open channel
   */
  reset(people, messages, offers, customer) {
    const isSame = this.#people.choice === people.choice && this.#people.name === people.name;
    this.#people = people;
    this.#offers = offers;
    this.#customer = customer;
    this.#messages = new Map(messages.map((message) => [message.id, message]));
    if (!isSame || messages.at(-1)?.from !== "me") this.#stopTyping();
    this.translate();
  }

  #redraw() {
    this.#nodes.clear();
    this.#list.replaceChildren();
    for (const message of this.#messages.values()) this.#draw(message);
    this.#showEmpty();
    this.#toEnd();
  }

  #showEmpty() {
    this.#log.querySelector(".empty")?.remove();
    if (this.#messages.size) return;
    const hint = document.createElement("p");
    hint.className = "empty";
    const bot = text("bots")[this.#people.choice] ?? this.#people.bot ?? "BitBot";
    hint.textContent = text(this.#isOperator ? "operatorEmpty" : `${this.#place}Empty`, { bot });
    this.#log.prepend(hint);
  }

  /** Adds a message, or puts it in place of the one with the same id. */
  put(message) {
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 80;
    this.#messages.set(message.id, message);
    if (message.from !== "me") this.#stopTyping();
    this.#showEmpty();
    this.#draw(message);
    if (atEnd || message.from === "me") this.#toEnd();
  }

  /** Pictures that are still on their way make what is there longer. */
  #toEnd() {
    const go = () => (this.#log.scrollTop = this.#log.scrollHeight);
    go();
    for (const image of this.#list.querySelectorAll("img")) {
      if (!image.complete) image.addEventListener("load", go, { once: true });
    }
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
    const before = this.#nodes.get(message.id);
    const previous = before ? before.previousElementSibling : this.#list.lastElementChild;
    const isFirst = previous?.dataset.author !== authorOf(message);
    const item = draw(message, isFirst, (label) => this.#press(message, label));
    if (before) before.replaceWith(item);
    else this.#list.append(item);
    this.#nodes.set(message.id, item);
  }

  async #press(message, label) {
    await this.#try("/sandbox/buttons", { message: message.id, text: label });
    this.#field.focus({ preventScroll: true });
  }

  async #sendFiles(files) {
    const contents = await Promise.all(files.map(async (file) => ({ name: file.name, content: await base64(file) })));
    if (contents.length) await this.#try("/sandbox/messages", { files: contents });
    this.#field.focus({ preventScroll: true });
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

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

function initials(name) {
  return name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
}
