import Base
import Bitrix24
import Foundation
import Storage

/// Makes bots and their commands known to Bitrix24, and keeps in the store what it answered.
public struct Registrar: Sendable {
    private let store: Store
    private let portals: Portals
    private let addresses: Addresses
    private let clock: WallClock

    public init(store: Store, portals: Portals, addresses: Addresses, clock: WallClock = .system) {
        self.store = store
        self.portals = portals
        self.addresses = addresses
        self.clock = clock
    }

    /// Registers a bot, or brings a registered one up to date. What Bitrix24 refused is in the bot's `statusReason`; a bot
    /// that Bitrix24 has stays `active` then.
    /// - Throws: `StoreError`.
    public func register(_ bot: BotRecord) async throws -> BotRecord {
        var bot = bot
        do {
            let line = try await line(to: bot)
            if bot.status != .deleted, let botID = bot.botID, try await update(bot, botID, line) {
                bot.status = .active
                bot.statusReason = nil
            } else {
                bot = try await registerAnew(bot, line)
            }
        } catch let error as PortalError {
            bot.statusReason = error.message
            if bot.status != .active { bot.status = .failed }
        } catch let error as CannotReach {
            bot.statusReason = error.reason
            if bot.status != .active { bot.status = .failed }
        }
        return try await store.setRegistration(of: bot, now: clock.now)
    }

    /// - Returns: false when Bitrix24 does not have the bot any more.
    private func update(_ bot: BotRecord, _ botID: Int64, _ line: Line) async throws -> Bool {
        do {
            try await line.portal.updateBot(
                botID, try await registration(bot, line), generation: generation(of: bot), as: line.account)
            return true
        } catch let error as PortalError where ["BOT_ID_ERROR", "BOT_NOT_FOUND"].contains(error.code) {
            return false
        }
    }

    private func registerAnew(_ bot: BotRecord, _ line: Line) async throws -> BotRecord {
        var bot = bot
        let (botID, generation) = try await line.portal.registerBot(
            try await registration(bot, line), generation: generation(of: bot), as: line.account)
        try await store.forgetEventToken(of: bot.id)
        bot.botID = botID
        bot.api = generation.rawValue
        bot.status = .active
        bot.statusReason = nil
        // Known before its commands' events can come.
        bot = try await store.setRegistration(of: bot, now: clock.now)
        for var command in try await store.commands(of: bot.id) {
            command.commandID = nil
            do {
                _ = try await register(command, of: bot)
            } catch let error as PortalError {
                bot.statusReason = "The command \(command.command) could not be registered: \(error.message)"
            }
        }
        return bot
    }

    /// Takes a bot out of Bitrix24. A portal that cannot be asked any more does not keep it here.
    /// - Throws: ``PortalError`` when the portal may still have it; try again later.
    public func unregister(_ bot: BotRecord) async throws {
        guard let botID = bot.botID, bot.status != .deleted else { return }
        do {
            let line = try await line(to: bot)
            try await line.portal.unregisterBot(
                botID, generation: generation(of: bot), as: line.account)
        } catch let error as PortalError where error.isPassing {
            throw error
        } catch is PortalError {
        } catch is CannotReach {}
    }

    /// Registers a command, anew if it was registered before: an update would leave the translations that are gone.
    /// - Throws: ``PortalError``, ``CannotReach``, or `StoreError`.
    public func register(_ command: CommandRecord, of bot: BotRecord) async throws -> CommandRecord {
        let line = try await line(to: bot)
        guard let botID = bot.botID else { throw CannotReach(reason: "The bot is not registered in Bitrix24 yet") }
        let generation = generation(of: bot)
        if let old = command.commandID {
            try await line.portal.unregisterCommand(old, botID: botID, generation: generation, as: line.account)
            try await store.update(command.id) { $0.commandID = nil }
        }
        let translations = command.translations.map {
            CommandRegistration.Translation(language: $0.language, title: $0.title, params: $0.params)
        }
        let commandID = try await line.portal.registerCommand(
            CommandRegistration(
                command: command.command, common: command.common, hidden: command.hidden, extranet: command.extranet,
                translations: translations),
            bot: try await registration(bot, line), botID: botID, generation: generation, as: line.account)
        return try await store.update(command.id) { stored in
            stored.commandID = commandID
            return stored
        }
    }

    /// - Throws: as ``unregister(_:)``.
    public func unregister(_ command: CommandRecord, of bot: BotRecord) async throws {
        guard let botID = bot.botID, let commandID = command.commandID else { return }
        do {
            let line = try await line(to: bot)
            try await line.portal.unregisterCommand(
                commandID, botID: botID, generation: generation(of: bot), as: line.account)
        } catch let error as PortalError where error.isPassing {
            throw error
        } catch is PortalError {
        } catch is CannotReach {}
    }

    private struct Line {
        var portal: Portal
        var account: Account
        /// `nil` for a webhook.
        var app: AppRecord?
    }

    private func line(to bot: BotRecord) async throws -> Line {
        guard let installation = try await store.installation(bot.installationID),
            let portal = try await store.portal(installation.portalID),
            let account = try await portals.account(installation)
        else { throw CannotReach(reason: "The bot's installation has no application with keys") }
        var app: AppRecord?
        if let appID = installation.appID { app = try await store.app(appID) }
        return Line(portal: portals.portal(portal), account: account, app: app)
    }

    private func registration(_ bot: BotRecord, _ line: Line) async throws -> BotRegistration {
        var registration = BotRegistration(
            code: bot.code, name: bot.name, kind: .init(rawValue: bot.type) ?? .bot,
            webhookURL: addresses.events(bot), firstGenerationURL: line.app.map(addresses.events))
        registration.fetches = bot.delivery == "fetch"
        registration.profile = BotProfile(
            position: bot.position, color: bot.color,
            avatar: try await store.avatar(of: bot.id).map { Data($0).base64EncodedString() })
        if line.app == nil { registration.token = try await store.makeBotToken(of: bot.id) }
        return registration
    }

    private func generation(of bot: BotRecord) -> BotGeneration { BotGeneration(rawValue: bot.api) ?? .second }
}

/// There is nobody to ask in Bitrix24; says why.
public struct CannotReach: Error, Sendable, Equatable {
    public var reason: String
}
