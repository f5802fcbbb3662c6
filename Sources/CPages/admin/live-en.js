// The live view.
export default {
  lead: "What people write, what bots answer, and what goes wrong, in this moment. Nothing is kept here; dialogs keep it all.",
  connecting: "Connecting…",
  listening: "Listening",
  lost: "The connection was lost. Trying again…",
  quiet: "Quiet just now",
  quietText: "As soon as somebody writes to a bot, it appears here. Leave the page open.",
  pause: "Pause",
  paused: "Paused",
  goesOn: "Goes on",
  continue: "Continue",
  continueWith: { one: "Continue ({count} new)", other: "Continue ({count} new)" },
  clear: "Clear",
  kinds: { event: "Event", answer: "Answer", delivery: "Delivered", failure: "Failure", handover: "Handed over" },
  deliveries: { message: "A message", file: "A file", action: "An action", withdrawal: "A message was taken back" },
  dialog: "Dialog",
  dialogOf: "Dialog with {name}",
};
