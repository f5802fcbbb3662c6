// The application inside Bitrix24: what a portal's administrator does with its bots, and what other people may see.

import { announce } from "/pages/design/dom.js";
import { startShell } from "/pages/design/shell.js";
import { preferLanguage, t, useTexts } from "/pages/design/texts.js";
import { alone } from "./alone.js";
import { keepToken } from "./renewal.js";
import { start } from "./start.js";

const forAdministrators = {
  pages: {
    "": () => import("./overview.js"),
    bots: () => import("../admin/bots.js"),
    connectors: () => import("../admin/connectors.js"),
    playground: () => import("../admin/playground.js"),
    dialogs: () => import("../admin/dialogs.js"),
    work: () => import("../admin/work.js"),
    check: () => import("./check.js"),
  },
  navigation: [
    { title: null, items: [{ route: "", icon: "overview" }] },
    { title: "nav.connect", items: [{ route: "connectors", icon: "connector" }, { route: "bots", icon: "bot" }] },
    {
      title: "nav.watch",
      items: [
        { route: "playground", icon: "playground" }, { route: "dialogs", icon: "dialogs" }, { route: "work", icon: "work" },
        { route: "check", icon: "repair" },
      ],
    },
  ],
  guide: {
    "": "bitrix#open-bitbot",
    connectors: "bitrix#make-a-connector",
    bots: "bitrix#make-a-bot",
    playground: "bitbot#playground",
    dialogs: "bitrix#operators-and-the-bot",
    work: "bitrix#when-the-bot-does-not-answer",
    check: "bitrix#when-the-bot-does-not-answer",
  },
};
const forEverybody = {
  pages: { "": () => import("./bots.js") },
  navigation: [{ title: null, items: [{ route: "", icon: "bot", name: "bots" }] }],
};

const place = document.getElementById("place");

async function open() {
  await preferLanguage(start.language);
  // All at once: on a slow line each wait for an answer is felt.
  const isFirst = location.hash.length < 3 && (start.role === "portal_admin" ? "overview" : "bots");
  await Promise.all([useTexts("design"), useTexts("application"), useTexts("design", "said"), isFirst && useTexts("application", isFirst)]);
  const shell = startShell({
    place, ...(start.role === "portal_admin" ? forAdministrators : forEverybody),
    session: {
      state: "signed_in", kind: start.role, name: start.user_name, portal_id: start.portal_id, csrf: null, sandbox: null,
    },
  });
  keepToken({
    renewed: shell.refresh,
    ended() {
      shell.end();
      alone(place, { icon: "refresh", title: t("ended"), text: t("endedText") });
      announce(`${t("ended")}. ${t("endedText")}`);
    },
  });
}

open();
