// Connecting a portal by a local application: Bitrix24 wants our addresses first and gives the keys after.

import { api } from "/pages/design/api.js";
import { h, notice } from "/pages/design/dom.js";
import { light } from "/pages/design/elements.js";
import { field, form } from "/pages/design/form.js";
import { rich, said, t, useTexts } from "/pages/design/texts.js";
import { addressesOf, keyFields } from "./apps.js";
import { connected, permissions, step } from "./portal-new.js";

export async function show(context) {
  await useTexts("admin", "apps");
  const page = { title: t("portal-new.app"), back: { href: "#/portals/new", label: t("portals.add") }, narrow: true, lead: t("portal-new.appLead") };
  if (!context.id) return { ...page, content: [addressWarning(context.session), nameIt(context)] };
  const app = await api.get(`/apps/${context.id}`, {}, { signal: context.signal });
  return { ...page, title: app.name, content: [addressWarning(context.session), path(app, context)] };
}

/** Bitrix24 comes to us: it must be able to. */
function addressWarning({ public_url: url }) {
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:" && hostname !== "localhost") return null;
  return notice("warn", [h("p", rich("portal-new.notPublic", { url: h("code", url) })), h("p.note", rich("portal-new.notPublicText"))]);
}

function nameIt({ go }) {
  return h("div.panel", form({
    fields: [
      field({ name: "name", label: t("portal-new.appName"), help: t("portal-new.appNameHelp"), required: true, hint: t("portal-new.appNameHint"), attributes: { maxlength: 100 } }),
      field({ name: "bitbot", kind: "check", label: t("apps.bitbot"), help: t("apps.bitbotHelp"), value: true }),
    ],
    submit: t("next"),
    send: async (values) => go(`#/portals/new/app/${(await api.post("/apps", values)).id}`),
  }));
}

function path(app, context) {
  const place = h("div", { tabindex: "-1" });
  const watch = h("div.stack.tight");
  const steps = {
    announce: step(t("portal-new.addApp"), "",
      h("p", rich("portal-new.addAppText")), h("p.note", t("portal-new.asAdmin")),
      h("h3", t("portal-new.fillIn")), addressesOf(app),
      h("ul.plain-list.note", h("li", rich("portal-new.server")), h("li", rich("portal-new.notApiOnly"))),
      h("h3", t("portal-new.tick")), permissions(["imbot", "im"]), h("p", rich("portal-new.saveApp"))),
    keys: step(t("portal-new.giveKeys"), "", h("p.muted", t("portal-new.giveKeysText")), keysForm(app, (next) => draw(next))),
    open: step(t("portal-new.openApp"), "", h("p", rich("portal-new.openAppText")), h("p.note", rich("portal-new.reinstall")), watch),
  };
  function draw(now) {
    app = now;
    const ready = app.status === "ready";
    steps.announce.dataset.state = ready ? "done" : "now";
    steps.keys.dataset.state = ready ? "done" : "now";
    steps.open.dataset.state = ready ? "now" : "";
    // What comes in is looked for from the first: somebody may open the application too early.
    watchFor(watch, app, null);
  }
  draw(app);
  follow(app, context.signal, async (now, installation) => {
    if (now.status !== app.status) draw(now);
    watchFor(watch, app, installation);
    if (installation?.status !== "active") return false;
    await connected(place, installation, context.signal);
    return true;
  });
  place.append(h("div.panel", h("ol.steps", Object.values(steps))));
  return place;
}

function keysForm(app, saved) {
  return form({
    fields: keyFields(app, true), submit: t("portal-new.saveKeys"),
    send: async (values) => saved(await api.patch(`/apps/${app.id}`, values)),
  });
}

/** The signs of what has arrived so far. */
function watchFor(place, app, installation) {
  const ready = app.status === "ready";
  const arrived = Boolean(installation);
  const works = installation?.status === "active";
  const state = [ready, arrived, works].join();
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  const sign = (done, waits, key) => light(done ? "well" : waits ? "waiting" : "idle", t(`portal-new.${key}${done ? "Done" : ""}`));
  place.setAttribute("role", "status");
  place.replaceChildren(sign(ready, false, "keysSign"), sign(arrived, ready, "arrivedSign"), sign(works, arrived, "worksSign"));
  if (arrived && !works && installation.notice) place.append(notice("warn", said(installation.notice)));
}

/** Asks each two seconds until `look` says that it has seen enough, or the reader leaves. */
function follow(app, signal, look) {
  let timer;
  const ask = async () => {
    try {
      const [now, installations] = await Promise.all([
        api.get(`/apps/${app.id}`, {}, { signal }), api.get("/installations", { limit: 50 }, { signal }),
      ]);
      if (await look(now, installations.items.find((one) => one.app_id === app.id))) return;
    } catch (error) {
      if (error.name === "AbortError" || error.status === 401 || error.status === 404) return;
    }
    if (!signal.aborted) timer = setTimeout(ask, 2000);
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  ask();
}
