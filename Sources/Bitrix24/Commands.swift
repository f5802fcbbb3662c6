import Base

/// What a command is registered with.
///
/// Documentation: `…/imbot.v2/commands/command-register.md`, `…/outdated/commands/imbot-command-register.md`.
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
    /// Registers a command; one of the same name is brought up to date.
    /// - Returns: Bitrix24's id of the command.
    /// - Throws: ``PortalError``.
    public func registerCommand(
        _ command: CommandRegistration, bot: BotRegistration, botID: Int64, generation: BotGeneration,
        as account: Account
    ) async throws -> Int64 {
        switch generation {
        case .first:
            let answer = try await call(
                PortalCall("imbot.command.register", command.first(bot, botID)), as: account)
            guard let id = answer.looseInteger else { throw PortalError.unexpected("imbot.command.register") }
            return id
        case .second:
            let fields = command.second
            let answer = try await call(
                PortalCall("imbot.v2.Command.register", ["botId": .integer(botID), "fields": fields]), as: account)
            guard let id = answer["command"]?["id"]?.looseInteger else {
                throw PortalError.unexpected("imbot.v2.Command.register")
            }
            // Registering again returns the command as it was.
            let update: JSON = ["botId": .integer(botID), "commandId": .integer(id), "fields": fields]
            _ = try await call(PortalCall("imbot.v2.Command.update", update), as: account)
            return id
        }
    }

    /// A command that is not there any more counts as unregistered.
    /// - Throws: ``PortalError``.
    public func unregisterCommand(
        _ commandID: Int64, botID: Int64, generation: BotGeneration, as account: Account
    ) async throws {
        let unregister =
            switch generation {
            case .first: PortalCall("imbot.command.unregister", ["COMMAND_ID": .integer(commandID)], bot: botID)
            case .second:
                PortalCall(
                    "imbot.v2.Command.unregister", ["botId": .integer(botID), "commandId": .integer(commandID)])
            }
        try await ignoring(["COMMAND_ID_ERROR", "COMMAND_NOT_FOUND", "BOT_NOT_FOUND"]) {
            _ = try await call(unregister, as: account)
        }
    }
}

extension CommandRegistration {
    /// Both generations want a title in some language.
    private var titled: [Translation] {
        translations.isEmpty ? [Translation(language: "en", title: command, params: nil)] : translations
    }

    fileprivate func first(_ bot: BotRegistration, _ botID: Int64) -> JSON {
        let languages = titled.map { translation in
            var language: JSON = [
                "LANGUAGE_ID": .string(translation.language), "TITLE": .string(translation.title),
            ]
            if let params = translation.params { language["PARAMS"] = .string(params) }
            return language
        }
        return [
            "BOT_ID": .integer(botID), "COMMAND": .string(command),
            "EVENT_COMMAND_ADD": .string(bot.firstGenerationURL),
            "COMMON": yesNo(common), "HIDDEN": yesNo(hidden), "EXTRANET_SUPPORT": yesNo(extranet),
            "LANG": .array(languages),
        ]
    }

    fileprivate var second: JSON {
        var fields: JSON = [
            "command": .string(command), "common": .bool(common), "hidden": .bool(hidden),
            "extranetSupport": .bool(extranet),
        ]
        let titles = titled.map { ($0.language.lowercased(), JSON.string($0.title)) }
        let params = titled.compactMap { translation in
            translation.params.map { (translation.language.lowercased(), JSON.string($0)) }
        }
        fields["title"] = .object(Members(titles))
        if !params.isEmpty { fields["params"] = .object(Members(params)) }
        return fields
    }
}

private func yesNo(_ flag: Bool) -> JSON { .string(flag ? "Y" : "N") }
