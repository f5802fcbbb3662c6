// What is said where there is no application to show: opened outside Bitrix24, not confirmed, not set up yet.

import { h } from "/pages/design/dom.js";
import { preferLanguage, rich, t, useTexts } from "/pages/design/texts.js";
import { alone } from "./alone.js";
import { start } from "./start.js";

const signs = {
  connected: "check", elsewhere: "app", waiting_for_keys: "key", not_confirmed: "warning", busy: "refresh", unreachable: "warning",
};
/** Notices that say what to do, step by step. */
const steps = { elsewhere: 3, waiting_for_keys: 3 };

async function show() {
  if (start.language) await preferLanguage(start.language);
  await Promise.all([useTexts("design"), useTexts("application", "notices")]);
  const name = start.notice in signs ? start.notice : "not_confirmed";
  const words = { app: start.app_name ?? "BitBot" };
  const list = Array.from({ length: steps[name] ?? 0 }, (_, index) => h("li", h("div", rich(`notices.${name}.step${index + 1}`, words))));
  alone(document.getElementById("place"), {
    icon: signs[name], title: t(`notices.${name}.title`, words), text: t(`notices.${name}.text`, words),
    more: list.length ? h("ol.steps", list) : [],
  });
}

show();
