// The calls that went over the wire, newest first.

import { text } from "./texts.js";

const kept = 200;

export class Wire {
  #root = document.getElementById("wire");
  #rows;
  #calls = [];
  #known = new Set();

  constructor() {
    const head = document.createElement("header");
    head.className = "panel-head";
    const who = document.createElement("div");
    who.className = "who";
    const title = document.createElement("h2");
    title.id = "wire-title";
    const sub = document.createElement("p");
    sub.className = "sub";
    who.append(title, sub);
    const clear = document.createElement("button");
    clear.type = "button";
    clear.className = "quiet";
    clear.addEventListener("click", () => {
      this.#calls = [];
      this.#redraw();
    });
    head.append(who, clear);
    this.#rows = document.createElement("ol");
    this.#rows.className = "rows";
    this.#rows.tabIndex = 0;
    this.#root.append(head, this.#rows);
  }

  translate() {
    this.#root.querySelector("h2").textContent = text("wireTitle");
    this.#root.querySelector(".sub").textContent = text("wireSub");
    this.#root.querySelector(".quiet").textContent = text("clear");
    this.#rows.setAttribute("aria-label", text("wireTitle"));
    this.#redraw();
  }

  /** Shows these calls, given oldest first, and no others. */
  reset(calls) {
    this.#calls = calls.slice(-kept);
    this.#known = new Set(calls.map((call) => call.number));
    this.#redraw();
  }

  add(call) {
    if (this.#known.has(call.number)) return;
    this.#known.add(call.number);
    this.#calls.push(call);
    if (this.#calls.length === 1) this.#rows.replaceChildren();
    this.#rows.prepend(row(call));
    if (this.#calls.length > kept) {
      this.#calls.shift();
      this.#rows.lastElementChild.remove();
    }
  }

  #redraw() {
    this.#rows.replaceChildren(...this.#calls.map(row).reverse());
    if (this.#calls.length) return;
    const hint = document.createElement("li");
    hint.className = "empty";
    hint.textContent = text("wireEmpty");
    this.#rows.append(hint);
  }
}

function row(call) {
  const item = document.createElement("li");
  const details = document.createElement("details");
  details.className = "row";
  const summary = document.createElement("summary");
  const failed = !call.status || call.status >= 400 || call.error;
  summary.append(
    cell(`way ${call.kind}`, text(call.kind, { platform: call.platform })),
    cell("target", call.target),
    cell(`code${failed ? " bad" : ""}`, call.status ? String(call.status) : text("noAnswer")),
    cell("took", call.ms == null ? "" : text("took", { ms: call.ms < 1 ? "< 1" : Math.round(call.ms) })));
  details.append(summary);
  // Only what is opened is built: there are many rows, and few are read.
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(detail(call));
  });
  item.append(details);
  return item;
}

function detail(call) {
  const box = document.createElement("div");
  box.className = "detail";
  const line = document.createElement("p");
  const time = new Date(call.time).toLocaleTimeString("en-GB") + "." + String(call.time % 1000).padStart(3, "0");
  line.textContent = [`${call.method} ${call.target}`, time, call.error].filter(Boolean).join(" · ");
  const parameters = document.createElement("pre");
  parameters.tabIndex = 0;
  parameters.textContent = JSON.stringify(call.parameters, null, 2);
  box.append(line, parameters);
  return box;
}

function cell(name, words) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = words;
  if (name === "target") span.title = words;
  return span;
}
