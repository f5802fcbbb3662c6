// Рамка панели администратора.
export default {
  signOut: "Выйти",
  nav: {
    overview: "Обзор",
    connect: "Настройка",
    portals: "Порталы",
    apps: "Приложения",
    providers: "Провайдеры",
    connectors: "Коннекторы",
    bots: "Боты",
    watch: "Наблюдение",
    playground: "Проба",
    dialogs: "Диалоги",
    live: "Прямой эфир",
    work: "Сбои",
    failed: "не выполнено",
    server: "Сервер",
    changes: "Журнал",
    settings: "Настройки",
  },
};
