import Base
import Storage

/// How everything is at a glance, from what the store and this process know: nobody outside is asked.
public struct Overview: Sendable {
    /// One thing that can be well or not.
    public struct Light: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable { case store, sessions, portal, connector, bot, app }
        public enum State: String, Sendable, CaseIterable { case well, warning, trouble }
        public var kind: Kind
        /// `nil` for what there is one of.
        public var id: String?
        public var name: String
        public var state = State.well
        public var reason: String?
        public var remedy: String?

        init(_ kind: Kind, _ id: String?, _ name: String) {
            self.kind = kind
            self.id = id
            self.name = name
        }

        /// The worst that was found counts, the first of several.
        mutating func turn(_ state: State, _ reason: String, _ remedy: String?) {
            guard self.state == .well || (self.state == .warning && state == .trouble) else { return }
            self.state = state
            self.reason = reason.prefix(1).uppercased() + reason.dropFirst()
            self.remedy = remedy
        }
    }
    public var lights: [Light]
    public var census: Census

    /// - Throws: `StoreError`.
    public init(store: Store, sessions: any SessionStore, portals: Portals, platforms: Platforms) async throws {
        guard await store.answers else {
            var light = Light(.store, nil, "Store")
            light.turn(.trouble, "It cannot be read", "Look at the disk of the data folder, and at the log")
            (lights, census) = ([light], Census())
            return
        }
        census = try await store.census()
        lights = [Light(.store, nil, "Store"), Self.light(sessions)]
        let apps = try await Page.all { try await store.apps(limit: 1000, after: $0) }
        lights += apps.map(Self.light)
        let installations = try await Page.all { try await store.installations(limit: 1000, after: $0) }
        let byPortal = Dictionary(grouping: installations, by: \.portalID)
        for portal in try await Page.all({ try await store.portals(limit: 1000, after: $0) }) {
            lights.append(Self.light(portal, byPortal[portal.id] ?? [], Finding(limitOf: portals.portal(portal))))
        }
        for connector in try await Page.all({ try await store.connectors(limit: 1000, after: $0) }) {
            let provider = try await store.provider(connector.providerID)
            lights.append(Self.light(connector, Finding(connector, provider, platforms)))
        }
        for bot in try await Page.all({ try await store.bots(limit: 1000, after: $0) }) {
            lights.append(Self.light(bot, failed: census.failedOfBots[bot.id] ?? 0))
        }
    }

    private static func light(_ sessions: any SessionStore) -> Light {
        var light = Light(.sessions, nil, "Sessions")
        if let trouble = sessions.trouble {
            light.turn(
                .warning, trouble,
                "See that Redis runs and BITBOT_REDIS_URL is right; the store's copy serves meanwhile")
        }
        return light
    }

    private static func light(_ app: AppRecord) -> Light {
        var light = Light(.app, "\(app.id)", app.name)
        if app.clientID == nil || app.clientSecret == nil {
            light.turn(.warning, "It waits for its keys", AppRecord.remedy)
        }
        return light
    }

    private static func light(_ portal: PortalRecord, _ installations: [InstallationRecord], _ limit: Finding) -> Light
    {
        var light = Light(.portal, "\(portal.id)", portal.domain)
        let present = installations.filter { $0.status != .uninstalled }
        if present.isEmpty { light.turn(.warning, "Nothing is installed there", InstallationRecord.missing) }
        for installation in present {
            if installation.status != .active {
                light.turn(.trouble, installation.notice ?? "An installation is not let in", installation.remedy)
            } else if let notice = installation.notice {
                light.turn(.warning, notice, "Read it, and put it away at the installation")
            }
        }
        if let trouble = limit.trouble { light.turn(.warning, trouble, limit.remedy) }
        return light
    }

    private static func light(_ connector: ConnectorRecord, _ finding: Finding) -> Light {
        var light = Light(.connector, "\(connector.id)", connector.name)
        if let trouble = finding.trouble { light.turn(.trouble, trouble, finding.remedy) }
        return light
    }

    private static func light(_ bot: BotRecord, failed: Int) -> Light {
        var light = Light(.bot, "\(bot.id)", bot.name)
        if let finding = Finding(troubleWith: bot), let trouble = finding.trouble {
            light.turn(bot.status == .registering ? .warning : .trouble, trouble, finding.remedy)
        }
        if let reason = bot.statusReason {
            light.turn(.warning, reason, "Repair the portal, or save the bot again")
        }
        if failed > 0 {
            let reason = failed == 1 ? "A message has failed" : "\(failed) messages have failed"
            light.turn(.warning, reason, "Look at the failed work: ask again, or give it up")
        }
        return light
    }
}
