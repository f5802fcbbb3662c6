// What the page says, in both languages.

const texts = {
  en: {
    skip: "Skip to the chat",
    sandbox: "Sandbox",
    links: "BitBot",
    language: "Language",
    views: "View",
    admin: "Sign in",
    api: "API",
    waiting: "Connecting to BitBot…",
    ready: "Connected: simulated Bitrix24 and Dify",
    offline: "The sandbox does not answer. Trying again…",
    failed: "BitBot could not be connected: {reason}",
    customerTab: "Customer",
    employeeTab: "Employee",
    wireTab: "Wire",
    customerSub: "Customer · open channel",
    employeeSub: "Employee · chat with {bot}",
    customerName: "You as a customer",
    employeeName: "You as an employee",
    you: "You",
    newConversation: "New conversation",
    new: "New",
    customerEmpty: "Write as a customer would on a website or in a messenger. A Dify Chatflow answers through an open channel of Bitrix24.",
    employeeEmpty: "Write as a colleague would inside Bitrix24. The bot answers in its private chat.",
    prompts: "Examples",
    customerPrompts: ["Hello!", "Where is my order?", "Show markdown", "A slow answer, please", "Make an error"],
    employeePrompts: ["Hello!", "Show markdown", "What can you do?"],
    placeholder: "Write a message",
    send: "Send",
    messages: "Messages",
    typing: "{name} is typing",
    deleted: "Message deleted",
    edited: "edited",
    wireTitle: "On the wire",
    wireSub: "Every call between Bitrix24, BitBot and Dify",
    wireEmpty: "Calls appear here as soon as somebody writes.",
    clear: "Clear",
    event: "Bitrix24 → BitBot",
    rest: "BitBot → Bitrix24",
    platform: "BitBot → Dify",
    noAnswer: "no answer",
    took: "{ms} ms",
    notSent: "The message could not be sent. {reason}",
  },
  ru: {
    skip: "Перейти к чату",
    sandbox: "Песочница",
    links: "BitBot",
    language: "Язык",
    views: "Вид",
    admin: "Вход",
    api: "API",
    waiting: "Подключаемся к BitBot…",
    ready: "Подключено: учебные Битрикс24 и Dify",
    offline: "Песочница не отвечает. Пробуем ещё раз…",
    failed: "Не удалось подключить BitBot: {reason}",
    customerTab: "Клиент",
    employeeTab: "Сотрудник",
    wireTab: "Вызовы",
    customerSub: "Клиент · открытая линия",
    employeeSub: "Сотрудник · чат с ботом «{bot}»",
    customerName: "Вы — клиент",
    employeeName: "Вы — сотрудник",
    you: "Вы",
    newConversation: "Новый диалог",
    new: "Новый",
    customerEmpty: "Напишите как клиент на сайте или в мессенджере. Ответит чат-флоу Dify через открытую линию Битрикс24.",
    employeeEmpty: "Напишите как коллега внутри Битрикс24. Бот ответит в личном чате.",
    prompts: "Примеры",
    customerPrompts: ["Здравствуйте!", "Где мой заказ?", "Покажи разметку", "Ответь медленно", "Сделай ошибку"],
    employeePrompts: ["Привет!", "Покажи разметку", "Что ты умеешь?"],
    placeholder: "Напишите сообщение",
    send: "Отправить",
    messages: "Сообщения",
    typing: "{name} печатает",
    deleted: "Сообщение удалено",
    edited: "изменено",
    wireTitle: "Обмен данными",
    wireSub: "Все вызовы Битрикс24, BitBot и Dify",
    wireEmpty: "Вызовы появятся, как только кто-нибудь напишет.",
    clear: "Очистить",
    event: "Битрикс24 → BitBot",
    rest: "BitBot → Битрикс24",
    platform: "BitBot → Dify",
    noAnswer: "нет ответа",
    took: "{ms} мс",
    notSent: "Сообщение не отправлено. {reason}",
  },
};

const key = "bitbot-sandbox-language";
let language = initialLanguage();

function initialLanguage() {
  try {
    const kept = localStorage.getItem(key);
    if (kept in texts) return kept;
  } catch { /* storage may be switched off */ }
  return navigator.languages.some((name) => name.toLowerCase().startsWith("ru")) ? "ru" : "en";
}

export function currentLanguage() {
  return language;
}

export function setLanguage(name) {
  language = name;
  try {
    localStorage.setItem(key, name);
  } catch { /* storage may be switched off */ }
}

/** The text of a name, with `{values}` filled in. */
export function text(name, values = {}) {
  const found = texts[language][name];
  return typeof found === "string" ? found.replace(/\{(\w+)\}/g, (_, value) => values[value] ?? "") : found;
}

/** Puts the texts into what is marked with `data-text` and `data-label`. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
}
