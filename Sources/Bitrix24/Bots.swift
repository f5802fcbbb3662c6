import Base

/// What a bot is registered with.
///
/// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/bots/bot-register.md`, `…/outdated/bots/imbot-register.md`.
public struct BotRegistration: Sendable, Hashable {
    public enum Kind: String, Sendable { case openline, bot, supervisor, personal }
    /// Unique within the application.
    public var code: String
    public var name: String
    public var kind: Kind
    /// Where its events go.
    public var webhookURL: String
    public init(code: String, name: String, kind: Kind, webhookURL: String) {
        self.code = code
        self.name = name
        self.kind = kind
        self.webhookURL = webhookURL
    }
}

/// What a command is registered with.
public struct CommandRegistration: Sendable, Hashable {
    public struct Translation: Sendable, Hashable {
        public var language: String
        public var title: String
        public var params: String?
        public init(language: String, title: String, params: String?) {
            self.language = language
            self.title = title
            self.params = params
        }
    }
    /// Without the slash.
    public var command: String
    public var common: Bool
    public var hidden: Bool
    public var extranet: Bool
    public var translations: [Translation]
    public init(command: String, common: Bool, hidden: Bool, extranet: Bool, translations: [Translation]) {
        self.command = command
        self.common = common
        self.hidden = hidden
        self.extranet = extranet
        self.translations = translations
    }
}

extension Portal {
    /// Registers a bot, with the second generation unless `generation` says otherwise or the portal is too old for it.
    /// A bot of the same code that is there already is taken over and brought up to date.
    /// - Returns: Bitrix24's id of the bot and the generation that it speaks.
    /// - Throws: ``PortalError``.
    public func registerBot(
        _ bot: BotRegistration, generation: BotGeneration, as account: Account
    ) async throws -> (botID: Int64, generation: BotGeneration) { fatalError("skeleton") }

    public func updateBot(
        _ botID: Int64, _ bot: BotRegistration, generation: BotGeneration, as account: Account
    ) async throws { fatalError("skeleton") }

    /// A bot that is not there any more counts as unregistered.
    public func unregisterBot(_ botID: Int64, generation: BotGeneration, as account: Account) async throws {
        fatalError("skeleton")
    }

    /// - Returns: Bitrix24's id of the command.
    public func registerCommand(
        _ command: CommandRegistration, bot: BotRegistration, botID: Int64, generation: BotGeneration,
        as account: Account
    ) async throws -> Int64 { fatalError("skeleton") }

    public func unregisterCommand(_ commandID: Int64, botID: Int64, generation: BotGeneration, as account: Account)
        async throws
    {
        fatalError("skeleton")
    }

    /// Binds `ONAPPUPDATE` and `ONAPPUNINSTALL` to an address; bindings that are there count as made.
    public func bindApplicationEvents(to url: String, as account: Account) async throws { fatalError("skeleton") }
}
