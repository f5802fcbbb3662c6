// Notices: pages that say one thing.
export default {
  installed: { title: "{app} is installed", text: "Bitrix24 opens it in a moment." },
  blocked: {
    title: "One last step did not work",
    text: "{app} is connected, but this browser did not load Bitrix24’s script from api.bitrix24.com, so that Bitrix24 does not know yet. Allow this address in your ad blocker or firewall, then load the page of Bitrix24 again.",
  },
  slow: { title: "{app} is installed", text: "If nothing happens, load the page of Bitrix24 again and open the application from its menu." },
  connected: {
    title: "{app} is connected",
    text: "Your permission has been renewed, and the bots go on working. There is nothing else to do here: the bots are set up by whoever runs the BitBot server.",
  },
  elsewhere: {
    title: "Open BitBot in Bitrix24",
    text: "This page works inside Bitrix24, which says who you are. A browser alone cannot.",
    step1: "Sign in to your Bitrix24.",
    step2: "Look for **BitBot** in the menu on the left, or under **Applications** (Market).",
    step3: "Open it there. You run the server? Its panel is under `/admin/` of this address.",
  },
  waiting_for_keys: {
    title: "{app} waits for its keys",
    text: "Bitrix24 knows this application already, but BitBot does not have its two keys yet.",
    step1: "In Bitrix24, open the local application and copy **client_id** and **client_secret**.",
    step2: "Paste both into this application in BitBot’s panel and save.",
    step3: "Back in Bitrix24, press **Reinstall**.",
  },
  not_confirmed: {
    title: "Bitrix24 did not confirm this",
    text: "BitBot shows a portal’s bots only when the portal says who asks. Close this page and open the application again from Bitrix24’s menu. If that does not help, install the application anew.",
  },
  busy: { title: "Too much at once", text: "Many people open this page just now. Wait a minute, then open the application again." },
  unreachable: {
    title: "Bitrix24 does not answer BitBot",
    text: "BitBot asked the portal who you are and got no answer. Open the application again in a few minutes. If it goes on, whoever runs the server should look whether it can reach the portal.",
  },
};
