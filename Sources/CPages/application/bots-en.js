// The bots, for people who do not set them up.
export default {
  title: "Bots",
  lead: "They answer customers and colleagues in this Bitrix24.",
  empty: "No bots yet",
  emptyText: "As soon as one is set up, you see it here.",
  who: "Bots are set up by the administrators of your Bitrix24. Ask one of them if a bot should be added, changed or mended.",
};
