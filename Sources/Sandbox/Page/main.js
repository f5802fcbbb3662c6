// Puts the page together: the two chats, the wire, and the sandbox's live events.

import { Chat } from "./chat.js";
import { currentLanguage, setLanguage, text, translate } from "./texts.js";
import { Wire } from "./wire.js";

const chats = { customer: new Chat("customer", post), employee: new Chat("employee", post) };
const wire = new Wire();
let status = { state: "waiting" };

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) return;
  const error = await answer.json().catch(() => ({}));
  throw new Error(error.error?.message ?? `HTTP ${answer.status}`);
}

function showStatus(next = status) {
  status = next;
  const line = document.getElementById("status");
  line.dataset.state = status.state === "offline" ? "waiting" : status.state;
  document.getElementById("status-text").textContent = text(status.state, { reason: status.reason });
  for (const chat of Object.values(chats)) chat.enable(status.state === "ready");
}

function showView(name) {
  document.body.dataset.view = name;
  for (const button of document.querySelectorAll("[data-show]")) {
    button.setAttribute("aria-current", String(button.dataset.show === name));
  }
}

function showLanguage() {
  document.documentElement.lang = currentLanguage();
  document.title = `BitBot · ${text("sandbox")}`;
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === currentLanguage()));
  }
  translate(document);
  for (const chat of Object.values(chats)) chat.translate();
  wire.translate();
  showStatus();
}

function follow() {
  const events = new EventSource("/sandbox/events");
  let hasState = false;
  const on = (name, handle) => events.addEventListener(name, (event) => {
    if (name === "state" || hasState) handle(JSON.parse(event.data));
  });
  on("state", (state) => {
    hasState = true;
    for (const [place, chat] of Object.entries(chats)) {
      chat.reset(state.people[place] ?? {}, state.messages[place] ?? [], state.offers, state.people.customer?.name ?? "");
    }
    wire.reset(state.calls);
    const application = document.getElementById("link-application");
    application.hidden = !state.application;
    if (state.application) application.href = state.application;
    document.getElementById("link-admin").href = `${state.bitbot}/admin/`;
    document.getElementById("link-api").href = `${state.bitbot}/api/v1/openapi.json`;
    showStatus(state.status);
  });
  on("people", (people) => {
    for (const [place, chat] of Object.entries(chats)) if (people[place]) chat.update(people[place]);
  });
  on("message", ({ place, message }) => chats[place].put(message));
  on("typing", ({ place, name }) => chats[place].showTyping(name));
  on("call", (call) => wire.add(call));
  events.onerror = () => {
    hasState = false;
    showStatus({ state: "offline" });
  };
}

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    setLanguage(button.dataset.language);
    showLanguage();
  });
}
for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => showView(button.dataset.show));
}
showView("customer");
showLanguage();
follow();
