// Checking and repairing the portal.
export default {
  title: "Check",
  lead: "Looks whether {domain} and BitBot understand each other: permissions, events, bots.",
  again: "Check again",
  repairTitle: "Repair",
  repairText: "Brings bots, commands and events in Bitrix24 back to what is set up here, for example after somebody removed a bot there. Nothing that works is touched.",
  repair: "Repair now",
};
