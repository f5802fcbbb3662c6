// The frame of an application of pages: navigation, routes in the address's fragment, titles, focus, language.

import { ApiError } from "./api.js";
import { button, empty, h, icon, notice } from "./dom.js";
import "./elements.js";
import { currentLanguage, languages, setLanguage, t } from "./texts.js";

/**
 * Starts it in `place`.
 * - `pages`: by the first part of the route, a function that imports the page's module: `{ bots: () => import("./bots.js") }`;
 *   `""` is the first page.
 * - `navigation`: `[{ title: key or null, items: [{ route: "bots", icon: "bot" }] }]`; what is shown is `t("nav.bots")`,
 *   or with `name` that.
 * - `session`: as the server describes it; pages find it in their context.
 * - `guide`: by the beginning of a route, the place in the guide that explains it: `{ "portals/new": "bitbot#connect-a-portal" }`.
 * - `name`, `foot` (a function giving elements under the navigation), `focus`: whether the first page takes the focus.
 *
 * A page's module exports `show(context)`, which gives what to show: `{ title, content, lead, back: { href, label },
 * actions: [], narrow: false }`, or a promise of it. Its context:
 * - `parts`: the rest of the route (`#/bots/5/commands` → `["5", "commands"]`), `query` (after `?` in the fragment);
 * - `signal` aborts when the reader leaves the page;
 * - `go(route)` leads elsewhere, `refresh()` shows the page anew where the reader is, `count(route, n)` puts a number
 *   into the navigation, `session`.
 */
export function startShell({ place, pages, navigation, session, guide = {}, name = "", foot = () => [], focus = false }) {
  const main = h("main.main", { id: "main", tabindex: "-1" });
  const counts = {};
  let leaving = new AbortController();
  let moves = focus;
  let side;

  function draw() {
    side = sideBar();
    place.className = "app";
    place.replaceChildren(h("a.skip", { href: "#main", onclick: skip }, t("skip")), side, main);
    mark();
  }

  function sideBar() {
    const menu = h("button.button.icon-only.menu-button", { type: "button", "aria-expanded": "false", "aria-controls": "nav", "aria-label": t("menu") }, icon("menu"));
    const brand = h("a.brand", { href: "#/" }, h("img", { src: "/pages/design/icon.svg", alt: "", width: 28, height: 28 }), "BitBot", name && h("span", name));
    const bar = h("header.side", h("div.side-head.line", brand, menu),
      h("nav.nav", { id: "nav", "aria-label": t("navigation") }, navigation.map(({ title, items }) => [
        title && h("h2", { id: `nav-${title}` }, t(title)),
        h("ul", { "aria-labelledby": title && `nav-${title}` }, items.map(link)),
      ])),
      h("div.side-foot", languageSwitch(changeLanguage), foot()));
    const toggle = (open) => {
      bar.toggleAttribute("data-open", open);
      menu.setAttribute("aria-expanded", String(open));
      menu.replaceChildren(icon(open ? "close" : "menu"));
    };
    menu.addEventListener("click", () => toggle(!bar.hasAttribute("data-open")));
    bar.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !bar.hasAttribute("data-open")) return;
      toggle(false);
      menu.focus();
    });
    bar.close = () => toggle(false);
    return bar;
  }

  function link({ route, icon: sign, name = route || "overview" }) {
    return h("li", h("a", { href: `#/${route}`, dataset: { route } }, icon(sign), h("span", t(`nav.${name}`)),
      counts[route] > 0 && h("span.count", String(counts[route]), h("span.visually-hidden", ` ${t("nav.failed")}`))));
  }

  function mark() {
    const [first] = route().parts;
    for (const one of side.querySelectorAll(".nav a")) {
      if (one.dataset.route === first) one.setAttribute("aria-current", "page");
      else one.removeAttribute("aria-current");
    }
  }

  async function changeLanguage(next) {
    await setLanguage(next);
    draw();
    side.querySelector(`.switch [lang="${next}"]`)?.focus();
    await visit({ stay: true });
  }

  function skip(event) {
    event.preventDefault();
    main.focus();
  }

  async function visit({ stay = false } = {}) {
    leaving.abort();
    leaving = new AbortController();
    const { signal } = leaving;
    const { parts: [first, ...parts], query } = route();
    if (!stay) {
      side.close();
      for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    }
    mark();
    main.firstElementChild?.setAttribute("aria-busy", "true");
    let shown;
    try {
      if (!(first in pages)) throw new ApiError(t("noPage"), { status: 404 });
      const module = await pages[first]();
      if (signal.aborted) return;
      shown = await module.show({ parts, query, signal, session, go, refresh: () => visit({ stay: true }), count });
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return;
      shown = trouble(error);
    }
    if (signal.aborted) return;
    const title = h("h1", { tabindex: "-1" }, shown.title);
    const wasAt = main.contains(document.activeElement) ? signature(document.activeElement) : null;
    main.replaceChildren(pageOf(shown, title, guideLink(guide, route().parts)));
    document.title = `${shown.title} · BitBot`;
    if (!stay && moves) {
      scrollTo(0, 0);
      title.focus({ preventScroll: true });
    } else if (wasAt) {
      const same = [...main.querySelectorAll(wasAt.split(" ")[0])].find((one) => signature(one) === wasAt);
      (same ?? title).focus({ preventScroll: true });
    }
    moves = true;
  }

  /** By what an element is known again after its page was drawn anew. */
  function signature(element) {
    const words = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
    return `${element.localName} ${words}`;
  }

  function trouble(error) {
    if (error.status === 404) {
      return { title: t("notFound"), content: h("div.panel", empty({ icon: "search", title: error.message, actions: [h("a.button", { href: "#/" }, t("toStart"))] })) };
    }
    if (!(error instanceof ApiError)) console.error(error);
    return { title: t("trouble"), content: notice("bad", error.message, button(t("again"), () => visit(), { kind: "small" })) };
  }

  function count(name, number) {
    if (counts[name] === number) return;
    counts[name] = number;
    const old = side.querySelector(`.nav a[data-route="${name}"]`)?.parentElement;
    for (const group of navigation) {
      const item = group.items.find(({ route }) => route === name);
      if (item && old) old.replaceWith(link(item));
    }
    mark();
  }

  draw();
  addEventListener("hashchange", onHash);
  visit();

  function onHash() {
    if (location.hash.startsWith("#/") || location.hash === "") visit();
  }

  return {
    /** Shows the page anew where the reader is. */
    refresh: () => visit({ stay: true }),
    /** Takes it off the page. */
    end() {
      leaving.abort();
      removeEventListener("hashchange", onHash);
      place.replaceChildren();
    },
  };
}

/** Leads to a route: `go("#/bots/5")`. */
export function go(route) {
  location.hash = route;
}

function route() {
  const [path, query = ""] = location.hash.replace(/^#?\/?/, "").split("?");
  return { parts: path.split("/").map(decodeURIComponent), query: new URLSearchParams(query) };
}

/** A link to the place that the longest beginning of the route names; nothing, if none does. */
function guideLink(guide, parts) {
  for (let length = parts.length; length > 0; length -= 1) {
    const found = guide[parts.slice(0, length).join("/")];
    if (!found) continue;
    const [page, place] = found.split("#");
    const file = currentLanguage() === "ru" ? `${page}.ru.md` : `${page}.md`;
    return h("a.guide", { href: `/guide/${file}#${place}`, target: "_blank", rel: "noopener" }, t("guide"));
  }
  return null;
}

function pageOf({ content, lead, back, actions = [], narrow = false }, title, more) {
  return h(narrow ? "div.page.narrow" : "div.page",
    h("div.page-head", back && h("a.back", { href: back.href }, icon("back"), back.label), title,
      (lead || more) && h("p.lead", lead, lead && more && " ", more), actions.length > 0 && h("div.actions", actions)),
    content);
}

/** Buttons for the languages. */
export function languageSwitch(change) {
  return h("div.switch", { role: "group", "aria-label": t("language") }, Object.entries(languages).map(([tag, label]) =>
    h("button", { type: "button", lang: tag, "aria-label": label, "aria-pressed": String(tag === currentLanguage()), onclick: () => change(tag) }, tag.toUpperCase())));
}
