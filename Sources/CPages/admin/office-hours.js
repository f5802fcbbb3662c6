// When operators are there: ranges for each day of the week, their time zone, and what is said outside of them.

import { h, icon } from "/pages/design/dom.js";
import { field } from "/pages/design/form.js";
import { locale, t } from "/pages/design/texts.js";
import { byLanguage, removeButton } from "./by-language.js";

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const usual = { timezone: "", days: Object.fromEntries(days.slice(0, 5).map((day) => [day, ["09:00-18:00"]])), text: null };

/** The fields under `name`; without hours it reads as null. */
export function officeHoursFields(name, value) {
  const hours = value ?? usual;
  const isKept = field({ name, kind: "check", label: t("bots.hours.keep"), help: t("bots.hours.keepHelp"), value: Boolean(value) });
  isKept.read = () => (isKept.control.checked ? undefined : null);
  const details = h("div.group", zoneField(`${name}.timezone`, hours.timezone), weekField(`${name}.days`, hours.days),
    byLanguage({ name: `${name}.text`, label: t("bots.hours.text"), help: t("bots.hours.textHelp"), hint: t("bots.hours.textHint"), value: hours.text }));
  const follow = () => { details.hidden = !isKept.control.checked; };
  isKept.control.addEventListener("change", follow);
  follow();
  return [isKept, details];
}

function zoneField(name, value) {
  const zones = Intl.supportedValuesOf?.("timeZone") ?? [];
  const box = field({
    name, label: t("bots.hours.zone"), value: value || Intl.DateTimeFormat().resolvedOptions().timeZone, hint: "Europe/Berlin", required: true,
    attributes: { list: "time-zones" },
  });
  box.append(h("datalist", { id: "time-zones" }, zones.map((zone) => h("option", { value: zone }))));
  return box;
}

function weekField(name, value) {
  const error = h("p.error");
  const week = days.map((day) => dayRow(day, value?.[day] ?? []));
  const box = h("fieldset.field", h("legend", t("bots.hours.week")), h("div.week", week), error);
  return Object.assign(box, {
    name, control: box, fault: (text) => { error.textContent = text; }, focusFault: () => box.querySelector("input, button").focus(),
    read: () => Object.fromEntries(week.map((row) => [row.day, row.ranges()])),
  });
}

function dayRow(day, ranges) {
  const label = dayName(day);
  const closed = h("span.note", t("bots.hours.closed"));
  const follow = () => { closed.hidden = list.querySelector(".entry") != null; };
  const range = (from, to) => {
    const time = (value, words) => h("input.input", { type: "time", value: value.padStart(5, "0"), "aria-label": `${label}: ${words}` });
    const row = h("div.entry", time(from, t("bots.hours.from")), h("span", { "aria-hidden": "true" }, "–"), time(to === "24:00" ? "00:00" : to, t("bots.hours.to")));
    row.append(removeButton(row, `${t("bots.remove")}: ${label}`, follow));
    return row;
  };
  const list = h("div.entries", closed, ranges.map((one) => range(...one.split("-"))));
  const add = h("button.button.quiet.icon-only", { type: "button", "aria-label": `${t("bots.hours.add")}: ${label}`, title: t("bots.hours.add") }, icon("add"));
  add.addEventListener("click", () => {
    const isFirst = !list.querySelector(".entry");
    const row = isFirst ? range("09:00", "18:00") : range("", "");
    list.append(row);
    follow();
    row.querySelector("input").focus();
  });
  follow();
  return Object.assign(h("div.day", h("span", label), list, add), {
    day,
    ranges() {
      const found = [...list.querySelectorAll(".entry")].map((row) => [...row.querySelectorAll("input")].map((input) => input.value));
      const full = found.filter(([from, to]) => from && to).map((pair) => pair.join("-"));
      return full.length ? full : null;
    },
  });
}

function dayName(day) {
  const monday = Date.UTC(2024, 0, 1);
  const name = new Intl.DateTimeFormat(locale(), { weekday: "long", timeZone: "UTC" }).format(monday + days.indexOf(day) * 86_400_000);
  return name.charAt(0).toUpperCase() + name.slice(1);
}
