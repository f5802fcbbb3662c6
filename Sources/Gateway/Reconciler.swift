import Base
import Bitrix24
import Storage

/// Compares what we believe of our bots, and of our applications' events, with what the portals have, and repairs it there.
public struct Reconciler: Sendable {
    private let store: Store
    private let portals: Portals
    private let registrar: Registrar
    private let addresses: Addresses
    private let log: Log

    public init(store: Store, portals: Portals, registrar: Registrar, addresses: Addresses, log: Log) {
        self.store = store
        self.portals = portals
        self.registrar = registrar
        self.addresses = addresses
        self.log = log
    }

    /// Goes through all portals once, one after another; for the start, beside everything else.
    public func repairAll() async {
        do {
            var cursor: String?
            repeat {
                let page = try await store.portals(limit: 100, after: cursor)
                for portal in page.items where !Task.isCancelled { await repairQuietly(portal) }
                cursor = page.next
            } while cursor != nil && !Task.isCancelled
        } catch {
            log.warning("portals could not be compared with the store", ["error": "\(error)"])
        }
    }

    private func repairQuietly(_ portal: PortalRecord) async {
        do {
            for repair in try await repair(portal) {
                log.info("repaired in Bitrix24", ["portal": .text(portal.domain), "what": .text(repair)])
            }
        } catch {
            log.warning(
                "a portal could not be compared with the store",
                ["portal": .text(portal.domain), "error": "\(error)"])
        }
    }

    /// - Returns: what was repaired, one sentence each.
    /// - Throws: `PortalError`, `CannotReach`, `StoreError`.
    public func repair(_ record: PortalRecord) async throws -> [String] {
        var repairs: [String] = []
        for installation in try await store.installations(of: record.id) where installation.status == .active {
            guard let account = try await portals.account(installation) else { continue }
            for bot in try await store.bots(of: installation.id) {
                repairs += try await repair(bot, portals.portal(record), account)
            }
            repairs += try await bindEvents(of: installation, portals.portal(record), account)
        }
        return repairs
    }

    /// An installation's binding may have been cut off, and Bitrix24 drops bindings with each update of an application.
    private func bindEvents(
        of installation: InstallationRecord, _ portal: Portal, _ account: Account
    ) async throws -> [String] {
        guard let id = installation.appID, let app = try await store.app(id) else { return [] }
        return try await portal.bindApplicationEvents(to: addresses.events(app), as: account).map {
            "The event \($0) of the application \(app.name) is bound again"
        }
    }

    private func repair(_ bot: BotRecord, _ portal: Portal, _ account: Account) async throws -> [String] {
        switch bot.status {
        case .deleted where bot.statusReason == Aftercare.uninstalled:
            // It comes back with its application, unless that was cut off.
            return [try await register(bot, "The bot \(bot.name) is registered again")]
        case .deleted, .failed: return []
        case .registering:
            // A start that was cut off.
            return [try await register(bot, "The bot \(bot.name) was registered")]
        case .active: break
        }
        guard let botID = bot.botID else { return [] }
        let generation = BotGeneration(rawValue: bot.api) ?? .second
        guard let known = try await portal.knownBot(botID, generation: generation, as: account) else {
            return [try await register(bot, "The bot \(bot.name) was missing and is registered again")]
        }
        var repairs: [String] = []
        if let delivery = known.delivery, delivery != bot.delivery {
            repairs.append(try await register(bot, "The bot \(bot.name) gets its events by \(bot.delivery) again"))
        }
        guard generation == .second else { return repairs }
        return repairs + (try await repairCommands(of: bot, botID, portal, account))
    }

    private func register(_ bot: BotRecord, _ success: String) async throws -> String {
        let registered = try await registrar.register(bot)
        if let reason = registered.statusReason, registered.status != .active { throw CannotReach(reason: reason) }
        return success
    }

    private func repairCommands(
        of bot: BotRecord, _ botID: Int64, _ portal: Portal, _ account: Account
    ) async throws -> [String] {
        // Theirs first: one that is being added meanwhile must not look unknown.
        let theirs = try await portal.commands(of: botID, as: account)
        let ours = try await store.commands(of: bot.id)
        var repairs: [String] = []
        for var command in ours where theirs[command.command] == nil || command.commandID == nil {
            command.commandID = nil
            _ = try await registrar.register(command, of: bot)
            repairs.append("The command /\(command.command) of \(bot.name) is registered again")
        }
        for (name, id) in theirs where !ours.contains(where: { $0.command == name }) {
            try await portal.unregisterCommand(id, botID: botID, generation: .second, as: account)
            repairs.append("The command /\(name) of \(bot.name), which is not known here, is removed")
        }
        return repairs
    }
}
