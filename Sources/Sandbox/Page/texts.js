// What the page says, in both languages.

const texts = {
  en: {
    skip: "Skip to the chat",
    sandbox: "Sandbox",
    links: "BitBot",
    language: "Language",
    views: "View",
    admin: "Admin panel",
    application: "In Bitrix24",
    api: "API",
    waiting: "Connecting to BitBot…",
    ready: "Connected: simulated Bitrix24 and bots",
    offline: "The sandbox does not answer. Trying again…",
    failed: "BitBot could not be connected: {reason}",
    customerTab: "Customer",
    employeeTab: "Employee",
    wireTab: "Wire",
    customerSub: "Customer · open channel",
    employeeSub: "Employee · private chat",
    operatorSub: {
      none: "Operator · the customer has not written",
      bot: "Operator · the bot answers",
      operator: "Operator · the bot is silent",
    },
    customerChoice: "Bot",
    employeeChoice: "Chat",
    choices: {
      chatflow: "Dify Chatflow",
      typebot: "Typebot: buttons, image, date",
      files: "Dify Chatflow with files",
      workflow: "Dify Workflow",
    },
    bots: {
      chatflow: "A Dify Chatflow",
      typebot: "A Typebot",
      files: "A Dify Chatflow",
      workflow: "A Dify Workflow",
    },
    operatorChoice: "Operator: {name}",
    take: "Take over",
    giveBack: "Give back",
    finish: "Finish",
    customerName: "You as a customer",
    employeeName: "You as an employee",
    you: "You",
    newConversation: "New conversation",
    new: "New",
    customerEmpty: "Write as a customer would on a website or in a messenger. {bot} answers through an open channel of Bitrix24.",
    employeeEmpty: "Write as a colleague would inside Bitrix24. {bot} answers in its private chat.",
    operatorEmpty: "An operator sees the customer’s dialog here, from the first message on.",
    prompts: "Examples",
    customerPrompts: {
      chatflow: ["Hello!", "Where is my order?", "Show markdown", "Answer slowly", "Make an error", "Operator"],
      typebot: ["Hello!", "1", "25/12/2026"],
      files: ["What are your prices?", "Hello!"],
      workflow: ["Count the words of this sentence"],
    },
    employeePrompts: {
      chatflow: ["Hello!", "Show markdown", "What can you do?"],
      typebot: ["25/12/2026"],
      files: ["What are your prices?", "Hello!"],
      workflow: ["Count the words of this sentence"],
      operator: ["Hello, this is Emma!"],
      other: ["Hello!"],
    },
    placeholder: "Write a message",
    send: "Send",
    attach: "Send a file",
    units: ["B", "KB", "MB"],
    messages: "Messages",
    typing: "{name} is typing",
    deleted: "Message deleted",
    edited: "edited",
    wireTitle: "On the wire",
    wireSub: "Every call between Bitrix24, BitBot and the bots",
    wireEmpty: "Calls appear here as soon as somebody writes.",
    clear: "Clear",
    event: "Bitrix24 → BitBot",
    rest: "BitBot → Bitrix24",
    platform: "BitBot → {platform}",
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
    admin: "Панель управления",
    application: "В Bitrix24",
    api: "API",
    waiting: "Подключаемся к BitBot…",
    ready: "Подключено: учебные Битрикс24 и боты",
    offline: "Песочница не отвечает. Пробуем ещё раз…",
    failed: "Не удалось подключить BitBot: {reason}",
    customerTab: "Клиент",
    employeeTab: "Сотрудник",
    wireTab: "Вызовы",
    customerSub: "Клиент · открытая линия",
    employeeSub: "Сотрудник · личный чат",
    operatorSub: {
      none: "Оператор · клиент ещё не писал",
      bot: "Оператор · отвечает бот",
      operator: "Оператор · бот молчит",
    },
    customerChoice: "Бот",
    employeeChoice: "Чат",
    choices: {
      chatflow: "Dify: чат-флоу",
      typebot: "Typebot: кнопки, картинка, дата",
      files: "Dify: чат-флоу с файлами",
      workflow: "Dify: рабочий процесс",
    },
    bots: {
      chatflow: "чат-флоу Dify",
      typebot: "Typebot",
      files: "чат-флоу Dify",
      workflow: "рабочий процесс Dify",
    },
    operatorChoice: "Оператор: {name}",
    take: "Взять диалог",
    giveBack: "Вернуть",
    finish: "Завершить",
    customerName: "Вы — клиент",
    employeeName: "Вы — сотрудник",
    you: "Вы",
    newConversation: "Новый диалог",
    new: "Новый",
    customerEmpty: "Напишите как клиент на сайте или в мессенджере. Через открытую линию Битрикс24 ответит {bot}.",
    employeeEmpty: "Напишите как коллега внутри Битрикс24. В личном чате ответит {bot}.",
    operatorEmpty: "Здесь оператор видит диалог клиента, начиная с первого сообщения.",
    prompts: "Примеры",
    customerPrompts: {
      chatflow: ["Здравствуйте!", "Где мой заказ?", "Покажи разметку", "Ответь медленно", "Сделай ошибку", "Оператор"],
      typebot: ["Здравствуйте!", "1", "25/12/2026"],
      files: ["Какие у вас цены?", "Здравствуйте!"],
      workflow: ["Сосчитай слова в этом предложении"],
    },
    employeePrompts: {
      chatflow: ["Привет!", "Покажи разметку", "Что ты умеешь?"],
      typebot: ["25/12/2026"],
      files: ["Какие у вас цены?", "Привет!"],
      workflow: ["Сосчитай слова в этом предложении"],
      operator: ["Здравствуйте, это Эмма!"],
      other: ["Привет!"],
    },
    placeholder: "Напишите сообщение",
    send: "Отправить",
    attach: "Отправить файл",
    units: ["Б", "КБ", "МБ"],
    messages: "Сообщения",
    typing: "{name} печатает",
    deleted: "Сообщение удалено",
    edited: "изменено",
    wireTitle: "Обмен данными",
    wireSub: "Все вызовы Битрикс24, BitBot и ботов",
    wireEmpty: "Вызовы появятся, как только кто-нибудь напишет.",
    clear: "Очистить",
    event: "Битрикс24 → BitBot",
    rest: "BitBot → Битрикс24",
    platform: "BitBot → {platform}",
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
