// Before the pages: choosing a password by the one-time link, and signing in with it.

import { ApiError, api } from "/pages/design/api.js";
import { h, notice } from "/pages/design/dom.js";
import { copyable } from "/pages/design/elements.js";
import { field, form } from "/pages/design/form.js";
import { languageSwitch } from "/pages/design/shell.js";
import { rich, setLanguage, t, useTexts } from "/pages/design/texts.js";

/** Shows what is to be done to get in; `enter` is called with the session of whoever is in. */
export async function showSignIn({ place, session, enter }) {
  await useTexts("admin", "sign-in");
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  const draw = () => {
    const { title, content } = code ? choosePassword(session, code, enter) : session.state === "set_up" ? firstStart() : signIn(enter);
    document.title = `${title} · BitBot`;
    place.className = "alone";
    place.replaceChildren(
      h("header", h("span.brand", h("img", { src: "/pages/design/icon.svg", alt: "", width: 28, height: 28 }), "BitBot"),
        languageSwitch(async (next) => {
          await setLanguage(next);
          draw();
          place.querySelector(`.switch [lang="${next}"]`).focus();
        })),
      h("main", { id: "main" }, h("div.panel", h("h1", { tabindex: "-1" }, title), content)),
      h("footer.note", "BitBot"));
  };
  draw();
  (place.querySelector("input:not([hidden])") ?? place.querySelector("h1")).focus();
}

/** The server has just been set up, and the link was not opened yet. */
function firstStart() {
  return {
    title: t("sign-in.welcome"),
    content: [
      h("p", t("sign-in.openLink")),
      h("div.stack.tight", h("p.note", t("sign-in.linkLost")), copyable("bitbot admin reset", t("sign-in.command"))),
    ],
  };
}

function choosePassword(session, code, enter) {
  const isNew = session.state === "set_up";
  return {
    title: t(isNew ? "sign-in.welcome" : "sign-in.newTitle"),
    content: [
      h("p.muted", t(isNew ? "sign-in.welcomeText" : "sign-in.newText")),
      form({
        fields: [
          userName(),
          field({
            name: "password", kind: "password", label: t("sign-in.choose"), help: t("sign-in.chooseHelp"), required: true,
            attributes: { autocomplete: "new-password", minlength: 10 },
          }),
        ],
        submit: t("sign-in.start"),
        send: async ({ password }) => {
          const next = await api.post("/password", { code, password });
          history.replaceState(null, "", location.pathname + "#/");
          await enter(next);
        },
      }),
      h("details.note", h("summary", t("sign-in.linkRefused")), h("div.stack.tight", h("p", t("sign-in.forgottenText")), copyable("bitbot admin reset", t("sign-in.command")))),
    ],
  };
}

function signIn(enter) {
  const wait = h("div", { "aria-live": "polite" });
  const element = form({
    fields: [
      userName(),
      field({ name: "password", kind: "password", label: t("sign-in.password"), required: true, attributes: { autocomplete: "current-password" } }),
      wait,
    ],
    submit: t("sign-in.submit"),
    send: async ({ password }) => {
      try {
        await enter(await api.post("/session", { password }));
      } catch (error) {
        if (error.code === "slow_down") return slowDown(element, wait, error.retryAfter ?? 10);
        if (error.code !== "wrong_password") throw error;
        throw new ApiError(error.message, { ...error, fields: { password: t("sign-in.wrong") } });
      }
    },
  });
  return {
    title: t("sign-in.title"),
    content: [
      element,
      h("details.note", h("summary", t("sign-in.forgotten")), h("div.stack.tight", h("p", t("sign-in.forgottenText")),
        copyable("bitbot admin reset", t("sign-in.command")), h("p", rich("sign-in.forgottenDocker")))),
    ],
  };
}

/** There is one admin. Password managers want a name all the same. */
export function userName() {
  return h("input", { type: "text", name: "username", value: "admin", autocomplete: "username", hidden: true, tabindex: "-1", readonly: true });
}

/** Counts the seconds down for which the server takes no password. */
function slowDown(element, wait, seconds) {
  const button = element.querySelector("[type=submit]");
  const until = Date.now() + seconds * 1000;
  button.disabled = true;
  const count = h("strong.number");
  wait.replaceChildren(notice("warn", [t("sign-in.slowDown", { count: seconds }), " ", h("span", { "aria-hidden": "true" }, count)]));
  const timer = setInterval(() => {
    const left = Math.ceil((until - Date.now()) / 1000);
    count.textContent = left > 0 ? `0:${String(left).padStart(2, "0")}` : "";
    if (left > 0 && element.isConnected) return;
    clearInterval(timer);
    button.disabled = false;
    wait.replaceChildren();
  }, 250);
}
