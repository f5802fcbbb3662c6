// The last step of the installation: Bitrix24 is told that it is done, by Bitrix24's own script, and opens the application.

import { preferLanguage, t, useTexts } from "/pages/design/texts.js";
import { alone } from "./alone.js";
import { start } from "./start.js";

const place = document.getElementById("place");
const script = document.getElementById("bitrix24");
/** So long does a script that is neither fetched nor refused take at most; and Bitrix24, to go on. */
const patience = 15_000;

async function show() {
  if (start.language) await preferLanguage(start.language);
  await Promise.all([useTexts("design"), useTexts("application", "notices")]);
  const words = { app: start.app_name ?? "BitBot" };
  alone(place, { icon: "check", title: t("notices.installed.title", words), text: t("notices.installed.text") });
  if (await isThere()) finish(words);
  else stuck("blocked", words);
}

/** Whether Bitrix24's script came. */
function isThere() {
  if (window.BX24) return true;
  // It may have been refused before anybody listened; or come, and be about to run.
  const isOver = performance.getEntriesByName(script.src).length > 0;
  return new Promise((resolve) => {
    script.addEventListener("load", () => resolve(Boolean(window.BX24)));
    script.addEventListener("error", () => resolve(false));
    setTimeout(() => resolve(Boolean(window.BX24)), isOver ? 1000 : patience);
  });
}

function finish(words) {
  window.BX24.init(() => window.BX24.installFinish());
  setTimeout(() => stuck("slow", words), patience);
}

function stuck(why, words) {
  alone(place, { icon: "warning", title: t(`notices.${why}.title`, words), text: t(`notices.${why}.text`, words) });
}

show();
