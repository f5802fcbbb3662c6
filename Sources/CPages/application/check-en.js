// Checking and repairing the portal.
export default {
  title: "Check",
  lead: "Looks whether {domain} and BitBot understand each other: permissions, events, bots.",
  again: "Check again",
  running: "Looking… This takes up to 15 seconds.",
  well: "All is well.",
  trouble: "Something needs your attention. What to do stands beside it.",
  names: {
    Token: "Permission to speak with Bitrix24", Scope: "Right “{name}”", Scopes: "Rights of the application", Clock: "Clock",
    Events: "Bitrix24’s events reach BitBot", Bot: "Bot {name}", Limit: "Bitrix24’s limit of calls", Installation: "Installation {name}",
  },
  repairTitle: "Repair",
  repairText: "Brings bots, commands and events in Bitrix24 back to what is set up here, for example after somebody removed a bot there. Nothing that works is touched.",
  repair: "Repair now",
  repaired: "Repaired",
  nothing: "There was nothing to repair",
};
