// Overview: is everything well, what waits, and how it has been going.

import { api } from "/pages/design/api.js";
import { button, h, icon, linkButton, notice, outside, panel } from "/pages/design/dom.js";
import { ago, light } from "/pages/design/elements.js";
import { formatNumber, formatSeconds, said, t, useTexts } from "/pages/design/texts.js";
import "/pages/design/chart.js";

/** Where what a light speaks of can be mended. */
const places = { portal: "#/portals/", connector: "#/connectors/", bot: "#/bots/", app: "#/apps/" };
const worst = ["trouble", "warning", "well"];

export async function show({ session, signal, count }) {
  const [, overview] = await Promise.all([useTexts("admin", "overview"), api.get("/overview", {}, { signal })]);
  const place = h("div");
  const draw = (now) => {
    count("work", now.queue.failed);
    const isNew = now.counts.bots === 0;
    place.className = isNew ? "stack wide" : "columns overview";
    place.replaceChildren(...(isNew ? [firstSteps(now, session), lights(now.lights)] : [lights(now.lights), queue(now)]));
  };
  draw(overview);
  const charts = overview.counts.bots > 0 && statistics(signal);
  follow(signal, place, draw);
  const sandbox = charts && session.sandbox && notice("", t("overview.sandbox"), linkTo(session.sandbox));
  return { title: t("nav.overview"), content: [sandbox, place, charts] };
}

function linkTo(sandbox) {
  return h("a.button.small", { href: sandbox, target: "_blank", rel: "noopener" }, icon("outside"), t("overview.openSandbox"));
}

/** Looks again each half minute, while the page is seen and nobody is at something in `place`. */
function follow(signal, place, draw) {
  const timer = setInterval(async () => {
    if (document.hidden || place.querySelector(":focus, details[open]")) return;
    const now = await api.get("/overview", {}, { signal }).catch(() => null);
    if (now) draw(now);
  }, 30_000);
  signal.addEventListener("abort", () => clearInterval(timer));
}

// The path of a new server.

function firstSteps({ counts }, session) {
  const steps = [
    { done: counts.portals > 0, key: "portal", href: "#/portals/new" },
    { done: counts.connectors > 0, key: "connector", href: "#/connectors/new" },
    { done: false, key: "bot", href: "#/bots/new" },
  ];
  const now = steps.findIndex((step) => !step.done);
  return h("section.panel.first-steps", { "aria-labelledby": "first-steps" },
    h("div.stack.tight", h("h2", { id: "first-steps" }, t("overview.first")), h("p.muted", t("overview.firstText"))),
    h("ol.steps", steps.map(({ done, key, href }, index) => h("li", { dataset: { state: done ? "done" : index === now ? "now" : "" } },
      h("div.line.apart", h("div.grow", h("h3", t(`overview.steps.${key}`)), h("p.note", t(`overview.steps.${key}Text`))),
        done ? h("span.good", t("overview.stepDone")) : linkButton(t(`overview.steps.${key}Go`), href, { kind: index === now ? "primary" : "" }))))),
    h("p.note", session.sandbox ? [t("overview.sandboxHere"), " ", outside(t("overview.openSandbox"), session.sandbox)] : t("overview.sandboxHow")));
}

// Lights

function lights(all) {
  const sorted = all.toSorted((a, b) => worst.indexOf(a.state) - worst.indexOf(b.state));
  const ill = sorted.filter((one) => one.state !== "well");
  const well = sorted.filter((one) => one.state === "well");
  const list = (some) => h("ul.rows", some.map(row));
  return panel(t(ill.length ? "overview.notWell" : "overview.well", { count: ill.length }), [
    ill.length > 0 && list(ill.slice(0, 12)),
    ill.length > 12 && folded(t("overview.restIll", { count: ill.length - 12 }), () => list(ill.slice(12))),
    well.length > 0 && (ill.length > 0 || well.length > 8 ? folded(t(ill.length ? "overview.restWell" : "overview.allWell", { count: well.length }), () => list(well)) : list(well)),
  ], { flush: true });
}

/** What is built when somebody wants to see it. */
function folded(title, content) {
  const box = h("details.more-lights", h("summary", title));
  box.addEventListener("toggle", () => {
    if (box.childElementCount === 1) box.append(content());
  });
  return box;
}

function row({ kind, id, name, state, reason, remedy }) {
  const href = id != null && places[kind] ? places[kind] + id : null;
  const words = h("span.stack.tight.light-words", h("span", h("strong", id == null ? said(name) : name), " ", h("span.note", t(`overview.kinds.${kind}`))),
    reason && h("span", capital(reason)), remedy && h("span.note", capital(remedy)));
  return h("li", light(state), words, state !== "well" && href ? linkButton(t("overview.mend"), href, { kind: "small", "aria-label": `${t("overview.mend")}: ${name}` }) : null);
}

function capital(sentence) {
  const text = said(sentence);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// Queue

function queue({ queue: waiting, counts }) {
  const figure = (value, label, href, kind) => h(href ? "a.figure" : "div.figure", { href }, h(kind ? `b.${kind}` : "b", formatNumber(value)), h("span", label));
  return h("div.stack",
    panel(t("overview.queue"), [
      h("div.figures",
        figure(waiting.events_waiting, t("overview.eventsWaiting"), "#/work"),
        figure(waiting.sends_waiting, t("overview.sendsWaiting"), "#/work"),
        figure(waiting.failed, t("overview.failed"), "#/work", waiting.failed ? "bad" : "")),
      h("p.note", waiting.oldest_waiting_at ? [t("overview.oldest"), " ", ago(waiting.oldest_waiting_at)] : t("overview.nothingWaits")),
    ]),
    panel(t("overview.here"), h("div.figures",
      figure(counts.portals, t("nav.portals"), "#/portals"), figure(counts.connectors, t("nav.connectors"), "#/connectors"),
      figure(counts.bots, t("nav.bots"), "#/bots"), figure(counts.dialogs, t("nav.dialogs"), "#/dialogs"))));
}

// Charts

let period = "hour";

function statistics(signal) {
  const place = h("div.stack.wide", h("p.waiting", t("loading")));
  const choice = h("div.switch", { role: "group", "aria-label": t("overview.period") }, ["hour", "day", "week"].map((name) =>
    h("button", { type: "button", dataset: { name }, onclick: () => choose(name) }, t(`overview.periods.${name}`))));
  async function choose(name) {
    period = name;
    for (const one of choice.children) one.setAttribute("aria-pressed", String(one.dataset.name === name));
    try {
      const answer = await api.get("/statistics", { period: name }, { signal });
      if (period === name) place.replaceChildren(...charts(answer));
    } catch (error) {
      if (error.name !== "AbortError") place.replaceChildren(notice("bad", error.message, button(t("again"), () => choose(name), { kind: "small" })));
    }
  }
  choose(period);
  return h("section.stack", { "aria-labelledby": "statistics" },
    h("div.line.apart", h("h2", { id: "statistics" }, t("overview.statistics")), choice), place);
}

function charts({ points, step_seconds: step }) {
  const perMinute = points.map((point) => ({ ...point, rate: (point.messages * 60) / step }));
  const sum = (key) => points.reduce((all, point) => all + point[key], 0);
  const short = (value) => formatNumber(value, { maximumFractionDigits: value < 10 ? 1 : 0 });
  const middle = median(points.map((point) => point.p50).filter((value) => value != null));
  const chart = (title, figure, properties) => panel(title, [h("p.chart-figure", figure), h("bb-chart", { ...properties })], { level: "h3" });
  return [
    h("div.columns.charts",
      chart(t("overview.messages"), t("overview.messagesSum", { count: sum("messages") }), {
        points: perMinute, series: [{ key: "rate", label: t("overview.perMinute") }], format: short, label: t("overview.messages"),
      }),
      chart(t("overview.answerTime"), middle == null ? t("overview.noAnswers") : t("overview.usually", { time: formatSeconds(middle) }), {
        points, series: [{ key: "p50", label: t("overview.p50") }, { key: "p95", label: t("overview.p95"), dashed: true }],
        format: formatSeconds, label: t("overview.answerTime"),
      }),
      chart(t("overview.failures"), t("overview.failuresSum", { count: sum("failures") }), {
        points, kind: "bars", series: [{ key: "failures", label: t("overview.failures"), color: 3 }], whole: true, format: short, label: t("overview.failures"),
      })),
  ];
}

function median(values) {
  return values.length ? values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] : null;
}
