// How a bot looks in Bitrix24: its picture, its colour, and what stands below its name.

import { button, h, icon } from "/pages/design/dom.js";
import { field } from "/pages/design/form.js";
import { t } from "/pages/design/texts.js";

/** Bitrix24's own colours, by its names of them. */
const colors = {
  red: "#df532d", green: "#64a513", mint: "#4ba984", lightBlue: "#4ba5c3", darkBlue: "#3e99ce", purple: "#8474c8", aqua: "#1eb4aa",
  pink: "#f76187", lime: "#58cc47", brown: "#ab7761", azure: "#29619b", khaki: "#728f7a", sand: "#ba9c7b", marengo: "#556574",
  gray: "#909090", graphite: "#5e5f5e",
};
const mostBytes = 512 * 1024;
const kinds = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** A small round picture that stands for a bot. */
export function avatarOf(bot, kind = "") {
  const element = h("span.avatar", icon("bot"));
  if (kind) element.classList.add(kind);
  tint(element, bot.color);
  return element;
}

function tint(element, color) {
  element.classList.toggle("tinted", color in colors);
  element.style.background = colors[color] ?? "";
}

/** The fields `position`, `color` and `avatar`. */
export function lookFields(bot = {}) {
  const picture = avatarField(bot);
  const color = colorField(bot);
  color.addEventListener("change", () => picture.tint(color.read()));
  return [
    picture, color,
    field({ name: "position", label: t("bots.position"), help: t("bots.positionHelp"), hint: t("bots.positionHint"), value: bot.position }),
  ];
}

function colorField({ color }) {
  const name = `color-${Math.random()}`;
  const error = h("p.error");
  const swatch = (value) => {
    const label = value ? t(`bots.colors.${value}`) : t("bots.anyColor");
    const box = h(value ? "label.swatch" : "label.swatch.any", { title: label },
      h("input", { type: "radio", name, value: value ?? "", checked: (color ?? null) === value, "aria-label": label }));
    if (value) box.style.background = colors[value];
    return box;
  };
  const box = h("fieldset.field", h("legend", t("bots.color")), h("p.help", t("bots.colorHelp")),
    h("div.swatches", [null, ...Object.keys(colors)].map(swatch)), error);
  return Object.assign(box, {
    name: "color", control: box, read: () => box.querySelector("input:checked")?.value || null,
    fault: (text) => { error.textContent = text; }, focusFault: () => box.querySelector("input").focus(),
  });
}

/** Reads as nothing while it is as it was, as null when the picture was taken away, else as Base64. */
function avatarField({ avatar, color }) {
  let chosen;
  const error = h("p.error");
  const preview = avatarOf({ color }, "large");
  const kept = h("span.note", avatar ? t("bots.hasAvatar") : "");
  const file = h("input", { type: "file", accept: kinds.join(), hidden: true });
  const choose = button(t("bots.chooseAvatar"), () => file.click(), { kind: "small", icon: "upload" });
  const drop = button(t("bots.noAvatar"), () => show(null, null), { kind: "quiet small" });
  drop.hidden = !avatar;

  function show(value, url) {
    chosen = value;
    kept.textContent = "";
    drop.hidden = !url;
    preview.replaceChildren(url ? h("img", { src: url, alt: t("bots.avatar") }) : icon("bot"));
  }
  file.addEventListener("change", async () => {
    const [image] = file.files;
    file.value = "";
    if (!image) return;
    error.textContent = fault(image);
    if (error.textContent) return;
    const url = await dataUrl(image);
    show(url.slice(url.indexOf(",") + 1), url);
  });
  const box = h("div.field", h("span.label", t("bots.avatar")), h("p.help", t("bots.avatarHelp")),
    h("div.with-avatar", preview, h("div.stack.tight", h("div.line", choose, drop), kept), file), error);
  return Object.assign(box, {
    name: "avatar", control: box, read: () => chosen, fault: (text) => { error.textContent = text; },
    focusFault: () => choose.focus(), tint: (next) => tint(preview, next),
  });
}

function fault({ type, size }) {
  if (!kinds.includes(type)) return t("bots.avatarKind");
  return size > mostBytes ? t("bots.avatarSize") : "";
}

function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}
