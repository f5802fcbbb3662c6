// The frame of the admin panel.
export default {
  signOut: "Sign out",
  nav: {
    overview: "Overview",
    connect: "Set up",
    portals: "Portals",
    apps: "Applications",
    providers: "Providers",
    connectors: "Connectors",
    bots: "Bots",
    watch: "Watch",
    playground: "Playground",
    dialogs: "Dialogs",
    live: "Live view",
    work: "Failed work",
    failed: "failed",
    server: "Server",
    changes: "Changes",
    settings: "Settings",
  },
};
