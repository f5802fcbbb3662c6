// A page that says one thing.

import { h, icon } from "/pages/design/dom.js";

/** `alone(place, { icon, title, text, more })`; `more` are nodes under the text. */
export function alone(place, { icon: sign, title, text, more = [] }) {
  document.title = `${title} · BitBot`;
  place.className = "alone";
  place.replaceChildren(
    h("header", h("span.brand", h("img", { src: "/pages/design/icon.svg", alt: "", width: 28, height: 28 }), "BitBot")),
    h("main", h("div.empty", icon(sign), h("h1", title), h("p", text), more)));
}
