// The admin panel: who is there decides between the sign-in page and the pages.

import { api, authorize, session as credentials } from "/pages/design/api.js";
import { button, h, icon, notice } from "/pages/design/dom.js";
import { startShell } from "/pages/design/shell.js";
import { t, useTexts } from "/pages/design/texts.js";

const pages = {
  "": () => import("./overview.js"),
  portals: () => import("./portals.js"),
  apps: () => import("./apps.js"),
  providers: () => import("./providers.js"),
  connectors: () => import("./connectors.js"),
  bots: () => import("./bots.js"),
  playground: () => import("./playground.js"),
  dialogs: () => import("./dialogs.js"),
  work: () => import("./work.js"),
  live: () => import("./live.js"),
  changes: () => import("./changes.js"),
  settings: () => import("./settings.js"),
};

const navigation = [
  { title: null, items: [{ route: "", icon: "overview" }] },
  {
    title: "nav.connect",
    items: [
      { route: "portals", icon: "portal" }, { route: "apps", icon: "app" }, { route: "providers", icon: "provider" },
      { route: "connectors", icon: "connector" }, { route: "bots", icon: "bot" },
    ],
  },
  {
    title: "nav.watch",
    items: [
      { route: "playground", icon: "playground" }, { route: "dialogs", icon: "dialogs" }, { route: "live", icon: "live" },
      { route: "work", icon: "work" },
    ],
  },
  { title: "nav.server", items: [{ route: "changes", icon: "changes" }, { route: "settings", icon: "settings" }] },
];

const guide = {
  "": "bitbot#when-a-portal-needs-you",
  portals: "bitbot#limit-and-network",
  "portals/new": "bitbot#connect-a-portal",
  "portals/new/webhook": "bitbot#incoming-webhook",
  "portals/new/app": "bitbot#local-application",
  "portals/new/sandbox": "bitbot#sandbox",
  apps: "bitbot#local-application",
  providers: "bitbot#providers-and-connectors",
  connectors: "bitbot#providers-and-connectors",
  bots: "bitbot#bots",
  playground: "bitbot#playground",
  dialogs: "bitbot#dialogs-and-failed-work",
  work: "bitbot#dialogs-and-failed-work",
  live: "bitbot#live-view",
  changes: "bitbot#settings",
  settings: "bitbot#settings",
};

const place = document.getElementById("place");
let shell = null;

async function start() {
  // All at once: on a slow line each wait for an answer is felt.
  const asked = api.get("/session");
  asked.catch(() => {});
  await Promise.all([useTexts("design"), useTexts("admin"), useTexts("design", "said"), location.hash.length < 3 && useTexts("admin", "overview")]);
  try {
    await enter(await asked);
  } catch (error) {
    place.className = "alone";
    place.replaceChildren(h("main", notice("bad", error.message, button(t("again"), start, { kind: "small" }))));
  }
}

/** Shows what belongs to this state of the session. */
async function enter(session, focus = false) {
  authorize({ csrf: session.csrf });
  shell?.end();
  shell = null;
  if (session.state === "signed_in" && !location.hash.startsWith("#code=")) {
    shell = startShell({ place, pages, navigation, guide, session, focus, foot: () => signOutButton() });
    return;
  }
  const { showSignIn } = await import("./sign-in.js");
  showSignIn({ place, session, enter: (next) => enter(next, true) });
}

function signOutButton() {
  return button(t("signOut"), async () => {
    await api.delete("/session");
    await start();
  }, { kind: "quiet small", icon: "out" });
}

credentials.addEventListener("signed-out", () => {
  if (shell) start();
});
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#code=")) start();
});
start();
