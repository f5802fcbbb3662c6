// One message as the chat shows it: who wrote it, its text, files and buttons.

import { render } from "./bbcode.js";
import { currentLanguage, text } from "./texts.js";

/**
 * @param {object} message as the sandbox tells it
 * @param {boolean} isFirst whether somebody else wrote what stands before
 * @param {(label: string) => void} press is told which button was pressed
 */
export function draw(message, isFirst, press) {
  const item = document.createElement("li");
  item.className = `message ${message.from === "me" ? "mine" : message.from}${isFirst ? " first" : ""}`;
  item.dataset.author = authorOf(message);
  const author = document.createElement("span");
  author.className = message.from === "me" || !isFirst ? "visually-hidden" : "author";
  author.textContent = message.from === "me" ? text("you") : message.name;
  if (message.from !== "system") item.append(author);

  const files = message.deleted ? [] : message.files ?? [];
  const bubble = document.createElement("div");
  bubble.className = "bubble";
  if (message.deleted) {
    bubble.classList.add("gone");
    bubble.append(text("deleted"));
  } else {
    if (message.text) bubble.append(render(message.text));
    bubble.append(...files.map((file) => fileOf(file)));
    if (files.length && !message.text) bubble.classList.add("bare");
  }
  if (message.from !== "system") bubble.append(timeOf(message));
  item.append(bubble);
  if (message.buttons?.length && !message.deleted) item.append(buttonsOf(message, press));
  return item;
}

export function authorOf(message) {
  return `${message.from} ${message.name}`;
}

function timeOf(message) {
  const time = document.createElement("time");
  const date = new Date(message.time);
  time.dateTime = date.toISOString();
  const clock = date.toLocaleTimeString(currentLanguage() === "ru" ? "ru" : "en-GB", { hour: "2-digit", minute: "2-digit" });
  time.textContent = message.edited ? `${text("edited")} ${clock}` : clock;
  return time;
}

/** A picture is shown, anything else is there to be kept; both by a link to the portal's file. */
function fileOf(file) {
  const link = document.createElement("a");
  link.href = `/sandbox/files/${file.id}/${encodeURIComponent(file.name)}`;
  if (file.type === "image" && /\.(png|jpe?g|gif|webp)$/i.test(file.name)) {
    link.className = "picture";
    link.target = "_blank";
    link.rel = "noopener";
    const image = document.createElement("img");
    image.src = link.href;
    image.alt = file.name;
    link.append(image);
    return link;
  }
  link.className = "file";
  link.download = file.name;
  const name = document.createElement("span");
  name.textContent = file.name;
  const size = document.createElement("small");
  size.textContent = sizeOf(file.size);
  link.append(icon("M6 2.8h5.2L15 6.6v10.6H6zM11 3v4h4"), name, size);
  return link;
}

function sizeOf(bytes) {
  const units = text("units");
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const rounded = new Intl.NumberFormat(currentLanguage(), { maximumFractionDigits: value < 10 && unit ? 1 : 0 });
  return `${rounded.format(value)} ${units[unit]}`;
}

function icon(path) {
  const namespace = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(namespace, "svg");
  drawing.setAttribute("viewBox", "0 0 20 20");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(namespace, "path");
  line.setAttribute("d", path);
  drawing.append(line);
  return drawing;
}

function buttonsOf(message, press) {
  const box = document.createElement("div");
  box.className = "buttons";
  for (const row of message.buttons) {
    const line = document.createElement("div");
    line.append(...row.map((button) => buttonOf(button, press)));
    box.append(line);
  }
  return box;
}

function buttonOf(button, press) {
  if (button.link) {
    const link = document.createElement("a");
    link.className = "pill";
    link.textContent = button.text;
    if (/^https?:/i.test(button.link)) link.href = button.link;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    return link;
  }
  const pill = document.createElement("button");
  pill.type = "button";
  pill.className = "pill";
  pill.textContent = button.text;
  pill.addEventListener("click", () => press(button.text));
  return pill;
}
