// The custom elements that have a life of their own. Without shadow DOM: design.css speaks of them by name.

import { announce, busy, empty, h, icon, notice } from "./dom.js";
import { drawn } from "./icons.js";
import { formatRelative, formatTime, hasText, t } from "./texts.js";

/** `<bb-time datetime="2026-01-02T03:04:05Z">`: how long ago that was, kept true; the moment itself as its tooltip. */
class Time extends HTMLElement {
  static observedAttributes = ["datetime"];
  #timer;
  connectedCallback() {
    this.#show();
    this.#timer = setInterval(() => this.#show(), 30_000);
  }
  disconnectedCallback() { clearInterval(this.#timer); }
  attributeChangedCallback() { this.#show(); }
  #show() {
    const at = this.getAttribute("datetime");
    if (!at) return this.replaceChildren();
    this.replaceChildren(h("time", { datetime: at, title: formatTime(at, "second") }, formatRelative(at)));
  }
}

/** `<bb-copy>` with a `value`: shown to be read, and copied by a button. `label` names it for a screen reader. */
class Copy extends HTMLElement {
  #value = "";
  set value(next) {
    this.#value = next ?? "";
    if (this.isConnected) this.#draw();
  }
  get value() { return this.#value; }
  connectedCallback() { this.#draw(); }
  #draw() {
    const label = this.getAttribute("label");
    const text = h("span", t("copy"));
    const button = h("button", { type: "button", "aria-label": label ? `${t("copy")}: ${label}` : t("copy") }, icon("copy"), text);
    const code = h("code", this.#value);
    button.addEventListener("click", async () => {
      await writeClipboard(this.#value, code);
      button.firstChild.replaceWith(icon("check"));
      text.textContent = t("copied");
      announce(t("copied"));
      setTimeout(() => {
        button.firstChild.replaceWith(icon("copy"));
        text.textContent = t("copy");
      }, 2000);
    });
    this.replaceChildren(code, button);
  }
}

async function writeClipboard(value, element) {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    // Not on http, nor in a frame that may not: select it and copy as of old.
    getSelection().selectAllChildren(element);
    document.execCommand("copy");
  }
}

/** `<bb-light state="well|warning|trouble|waiting|idle">words</bb-light>`: a sign that says the state, and words. */
class Light extends HTMLElement {
  static observedAttributes = ["state"];
  connectedCallback() { this.#draw(); }
  attributeChangedCallback() { if (this.isConnected) this.#draw(); }
  #draw() {
    const state = this.getAttribute("state");
    const sign = drawn("svg", { viewBox: "0 0 20 20", role: "img", "aria-label": hasText(`states.${state}`) ? t(`states.${state}`) : state });
    sign.append(drawn("circle", { class: "disc", cx: 10, cy: 10, r: 9 }), drawn("path", { class: "sign", d: signs[state] ?? signs.idle }));
    this.querySelector(":scope > svg")?.remove();
    this.prepend(sign);
  }
}
const signs = {
  well: "M6 10.400 8.800 13.200 14 7.200",
  warning: "M10 5.800v5M10 14v.1",
  trouble: "M7 7l6 6M13 7l-6 6",
  waiting: "M10 4.500a5.500 5.500 0 1 1-5.500 5.500",
  idle: "M7 10h6",
};

/**
 * `<bb-list>`: a table of a list that comes in pages, which becomes cards where there is no room. Properties:
 * - `source(cursor, signal)` gives `{items, next}`: see `api.pages`;
 * - `columns`: `[{ label, cell: (item) => text or node, kind: "end" | "nowrap" | … }]`, with `note(item)` for what stands
 *   smaller under the cell's content;
 * - `href(item)`: where a row leads (its first cell is the link), null if nowhere;
 * - `empty`: what is shown when there is nothing: the description of an empty state, see `empty()`.
 * The attribute `label` names the table. `reload()` fetches the first page anew.
 */
class List extends HTMLElement {
  columns = [];
  source = async () => ({ items: [], next: null });
  href = null;
  empty = null;
  #body;
  #more;
  #leaving;

  connectedCallback() { this.reload(); }
  disconnectedCallback() { this.#leaving?.abort(); }

  async reload() {
    this.#leaving?.abort();
    this.#leaving = new AbortController();
    const { signal } = this.#leaving;
    this.setAttribute("aria-busy", "true");
    if (!this.childElementCount) this.append(h("p.waiting", t("loading")));
    try {
      const page = await this.source(null, signal);
      if (!signal.aborted) this.#draw(page);
    } catch (error) {
      if (error.name === "AbortError") return;
      const again = h("button.button.small", { type: "button", onclick: () => this.reload() }, t("again"));
      this.replaceChildren(h("div.stack.list-trouble", notice("bad", error.message, again)));
    }
    this.removeAttribute("aria-busy");
  }

  #draw({ items, next }) {
    this.dispatchEvent(new CustomEvent("loaded", { detail: { items, next } }));
    const hadFocus = this.contains(document.activeElement);
    this.#show(items, next);
    if (hadFocus && !this.contains(document.activeElement)) (this.querySelector("a, button") ?? document.querySelector("h1"))?.focus();
  }

  #show(items, next) {
    if (!items.length && this.empty) return this.replaceChildren(empty(this.empty));
    this.#body = h("tbody", items.map((item) => this.#row(item)));
    this.#more = h("div.more", { hidden: !next }, h("button.button", { type: "button" }, t("more")));
    this.replaceChildren(
      h("table.table", { "aria-label": this.getAttribute("label") },
        h("thead", h("tr", this.columns.map(({ label, kind }) => h("th", { scope: "col", class: kind }, label || h("span.visually-hidden", t("actions")))))),
        this.#body),
      this.#more);
    this.#follow(next);
  }

  #follow(next) {
    this.#more.hidden = !next;
    const button = this.#more.firstChild;
    button.onclick = () => busy(button, async () => {
      const page = await this.source(next, this.#leaving.signal);
      const rows = page.items.map((item) => this.#row(item));
      this.#body.append(...rows);
      // The reader goes on where the new rows begin, also when the button is gone.
      rows[0]?.querySelector("a, button")?.focus();
      announce(t("loaded", { count: page.items.length }));
      this.#follow(page.next);
    });
  }

  #row(item) {
    const row = h("tr", this.columns.map(({ label, kind, cell, note }, index) => {
      const content = cell(item);
      const way = index === 0 && this.href?.(item);
      const linked = way ? h("a.row-link", { href: way }, content) : this.href && index === 0 ? h("span.row-name", content) : content;
      const below = note?.(item);
      return h("td", { class: kind, "data-label": index > 0 && label ? label : null },
        below ? h("div", linked, h("div.note", below)) : linked ?? "");
    }));
    row.addEventListener("click", (event) => {
      if (event.target.closest("a, button, input, select, label") || String(getSelection())) return;
      row.querySelector(".row-link")?.click();
    });
    return row;
  }
}

customElements.define("bb-time", Time);
customElements.define("bb-copy", Copy);
customElements.define("bb-light", Light);
customElements.define("bb-list", List);

/** `<bb-time>` of a moment, or a dash. */
export function ago(at) {
  return at ? h("bb-time", { datetime: at }) : "–";
}

/** `<bb-light>`: `light("well", "Support")`, or without words beside something that has its own. */
export function light(state, ...words) {
  return h("bb-light", { state }, words.length > 0 && h("span", words));
}

/** `<bb-copy>`: `copyable(url, t("events_url"))`. */
export function copyable(value, label) {
  return h("bb-copy", { value, label });
}
