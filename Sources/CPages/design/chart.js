// `<bb-chart>`: lines or bars over time, drawn as SVG, with what is under the pointer in words and all of it as a table.

import { h } from "./dom.js";
import { drawn } from "./icons.js";
import { formatTime, locale, t } from "./texts.js";

const height = 170;
const left = 44;
const bottom = 24;
const top = 10;

/**
 * Properties: `points` (`[{ at, … }]`, oldest first), `series` (`[{ key, label, dashed }]`, members of the points; null is a
 * gap; `color` is its number among the series' colours), `format(value)`. Attributes: `kind` ("line" or "bars"), `label`
 * (what the chart shows), `whole` (there are no halves).
 */
class Chart extends HTMLElement {
  points = [];
  series = [];
  format = String;
  #resize = new ResizeObserver(() => this.#paint());
  #svg;
  #tip;
  #at = null;

  connectedCallback() {
    this.#svg = drawn("svg", { role: "img", "aria-label": this.getAttribute("label"), tabindex: "0" });
    this.#tip = h("p.tip", { "aria-live": "polite" });
    this.#svg.addEventListener("pointermove", (event) => this.#point(event));
    this.#svg.addEventListener("pointerleave", () => this.#choose(null));
    this.#svg.addEventListener("blur", () => this.#choose(null));
    this.#svg.addEventListener("keydown", (event) => this.#step(event));
    this.series.forEach((series, index) => { series.color ??= index + 1; });
    const legend = this.series.length > 1 && h("ul.legend", this.series.map(({ label, dashed, color }) =>
      h(`li.series-${color}${dashed ? ".dashed" : ""}`, label)));
    const table = h("div.table-box", { hidden: true, tabindex: "0", role: "group", "aria-label": this.getAttribute("label") });
    this.replaceChildren(...[legend, this.#svg, h("div.under", this.#tip, this.#toggle(table)), table].filter(Boolean));
    this.#resize.observe(this);
  }

  disconnectedCallback() { this.#resize.disconnect(); }

  #paint() {
    const width = Math.max(this.clientWidth, 200);
    const highest = niceCeiling(Math.max(this.hasAttribute("whole") ? 2 : 0, ...this.points.flatMap((point) => this.series.map(({ key }) => point[key] ?? 0))));
    const x = (index) => left + ((width - left - 6) * (index + 0.5)) / Math.max(this.points.length, 1);
    const y = (value) => top + (height - top - bottom) * (1 - value / highest);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.replaceChildren(...this.#grid(width, highest, y), ...this.#times(x, width),
      ...this.series.flatMap((series, index) => (this.getAttribute("kind") === "bars" ? this.#bars(series, x, y) : this.#line(series, index, x, y))));
    if (this.#at != null) {
      this.#svg.append(drawn("line", { class: "hover", x1: x(this.#at), x2: x(this.#at), y1: top, y2: height - bottom }));
    }
  }

  #grid(width, highest, y) {
    return [0, highest / 2, highest].flatMap((value) => {
      const words = drawn("text", { class: "axis", x: left - 8, y: y(value) + 4, "text-anchor": "end" });
      words.textContent = this.format(value);
      return [drawn("line", { class: "grid", x1: left, x2: width, y1: y(value), y2: y(value) }), words];
    });
  }

  #times(x, width) {
    const count = Math.max(2, Math.min(6, Math.floor(width / 110)));
    const last = this.points.length - 1;
    return Array.from({ length: count }, (_, step) => {
      const index = Math.round((last * step) / (count - 1));
      const anchor = step === 0 ? "start" : step === count - 1 ? "end" : "middle";
      const words = drawn("text", { class: "axis", x: x(index), y: height - 6, "text-anchor": anchor });
      if (this.points[index]) words.textContent = this.#moment(this.points[index].at, true);
      return words;
    });
  }

  #bars({ key, color }, x, y) {
    const wide = Math.max(1, (x(1) - x(0)) * 0.7);
    return this.points.flatMap((point, at) => (point[key] ? [drawn("rect", {
      class: `bar series-${color}`, x: x(at) - wide / 2, width: wide, y: y(point[key]), height: y(0) - y(point[key]), rx: Math.min(2, wide / 3),
    })] : []));
  }

  /** A line with gaps where nothing is known; the ground under the first is tinted. */
  #line({ key, dashed, color }, index, x, y) {
    const runs = [];
    let run = null;
    this.points.forEach((point, at) => {
      if (point[key] == null) run = null;
      else if (run) run.push([x(at), y(point[key])]);
      else runs.push((run = [[x(at), y(point[key])]]));
    });
    const path = (points) => "M" + points.map(([a, b]) => `${a.toFixed(1)} ${b.toFixed(1)}`).join("L");
    const lines = runs.map((points) => drawn("path", {
      class: `drawn series-${color}${dashed ? " dashed" : ""}`, d: path(points) + (points.length === 1 ? "h0.1" : ""),
    }));
    if (index > 0) return lines;
    return runs.map((points) => drawn("path", {
      class: `area series-${color}`, d: `${path(points)}L${points.at(-1)[0]} ${y(0)}L${points[0][0]} ${y(0)}Z`,
    })).concat(lines);
  }

  #point(event) {
    const box = this.#svg.getBoundingClientRect();
    const part = (event.clientX - box.left - left) / (box.width - left - 6);
    this.#choose(Math.min(this.points.length - 1, Math.max(0, Math.floor(part * this.points.length))));
  }

  #step(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const from = this.#at ?? (move > 0 ? -1 : this.points.length);
    this.#choose(Math.min(this.points.length - 1, Math.max(0, from + move)));
  }

  #choose(index) {
    if (index === this.#at) return;
    this.#at = index;
    const point = this.points[index];
    this.#tip.textContent = point ? [this.#moment(point.at), ...this.series.map(({ key, label }) =>
      `${label}: ${point[key] == null ? "–" : this.format(point[key])}`)].join(" · ") : "";
    this.#paint();
  }

  #moment(at, brief = false) {
    const long = this.points.length > 1 && new Date(this.points.at(-1).at) - new Date(this.points[0].at) > 26 * 3600e3;
    if (!brief) return formatTime(at, long ? "both" : "time");
    if (!long) return formatTime(at, "time");
    return new Intl.DateTimeFormat(locale(), { weekday: "short", day: "numeric" }).format(new Date(at));
  }

  #toggle(place) {
    const button = h("button.button.quiet.small", { type: "button", "aria-expanded": "false" }, t("asTable"));
    button.addEventListener("click", () => {
      place.hidden = !place.hidden;
      button.setAttribute("aria-expanded", String(!place.hidden));
      if (!place.childElementCount) place.append(this.#table());
    });
    return button;
  }

  #table() {
    return h("table.table", { "aria-label": this.getAttribute("label") },
      h("thead", h("tr", h("th", { scope: "col" }, t("time")), this.series.map(({ label }) => h("th", { scope: "col" }, label)))),
      h("tbody", this.points.toReversed().map((point) => h("tr", h("td.nowrap", this.#moment(point.at)),
        this.series.map(({ key, label }) => h("td.number", { "data-label": label }, point[key] == null ? "–" : this.format(point[key])))))));
  }
}

/** A round number at or above, so that half of it is round too. */
function niceCeiling(value) {
  if (value <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return size * [1, 2, 4, 6, 8, 10].find((step) => value <= step * size);
}

customElements.define("bb-chart", Chart);
