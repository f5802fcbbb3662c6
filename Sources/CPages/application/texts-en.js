// The frame of the application inside Bitrix24.
export default {
  ended: "Please open the application again",
  endedText: "This page was open for a long time, and its permission has ended. Close it and open BitBot again from Bitrix24’s menu. Nothing is lost.",
  nav: {
    overview: "Overview",
    connect: "Set up",
    connectors: "Connectors",
    bots: "Bots",
    watch: "Watch",
    playground: "Playground",
    dialogs: "Dialogs",
    work: "Failed work",
    failed: "failed",
    check: "Check",
  },
  botTypes: { openline: "Open Channel", bot: "Chat", supervisor: "Supervisor", personal: "Personal" },
  botStates: { registering: "Being set up", active: "Works", failed: "Does not work", deleted: "Removed in Bitrix24" },
};
