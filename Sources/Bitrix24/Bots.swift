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
    /// Where they go if it must be a first generation bot: the bots of an application share one address there.
    public var firstGenerationURL: String
    /// It fetches its events instead (second generation only).
    public var fetches = false
    /// By what Bitrix24 knows it where the installation is a webhook; at most 40 characters.
    public var token: Secret?
    public var profile = BotProfile()
    /// - Parameter firstGenerationURL: `webhookURL` if `nil`.
    public init(code: String, name: String, kind: Kind, webhookURL: String, firstGenerationURL: String? = nil) {
        self.code = code
        self.name = name
        self.kind = kind
        self.webhookURL = webhookURL
        self.firstGenerationURL = firstGenerationURL ?? webhookURL
    }
}

extension Portal {
    /// Registers a bot, with the second generation unless `generation` says otherwise or the portal is too old for it (one
    /// that fetches its events is refused there).
    /// A bot of the same code that is there already is taken over and brought up to date.
    /// - Returns: Bitrix24's id of the bot and the generation that it speaks.
    /// - Throws: ``PortalError``.
    public func registerBot(
        _ bot: BotRegistration, generation: BotGeneration, as account: Account
    ) async throws -> (botID: Int64, generation: BotGeneration) {
        if generation == .second {
            do {
                return (try await registerSecond(bot, as: account), .second)
            } catch let error as PortalError where error.code == "ERROR_METHOD_NOT_FOUND" && !bot.fetches {
                log.info("portal has no second generation bots", ["bot": .text(bot.code)])
            }
        }
        return (try await registerFirst(bot, as: account), .first)
    }

    /// Brings a bot's profile and address up to date; its kind cannot be changed.
    /// - Throws: ``PortalError``.
    public func updateBot(
        _ botID: Int64, _ bot: BotRegistration, generation: BotGeneration, as account: Account
    ) async throws {
        switch generation {
        case .first:
            let fields: JSON = [
                "CODE": .string(bot.code), "EVENT_HANDLER": .string(bot.firstGenerationURL),
                "PROPERTIES": bot.firstGenerationProperties,
            ]
            _ = try await call(PortalCall("imbot.update", ["BOT_ID": .integer(botID), "FIELDS": fields]), as: account)
        case .second:
            var fields: JSON = ["properties": bot.properties]
            bot.addEventMode(to: &fields)
            _ = try await call(
                PortalCall("imbot.v2.Bot.update", ["botId": .integer(botID), "fields": fields]), as: account)
        }
    }

    /// A bot that is not there any more counts as unregistered.
    /// - Throws: ``PortalError``.
    public func unregisterBot(_ botID: Int64, generation: BotGeneration, as account: Account) async throws {
        let unregister =
            switch generation {
            case .first: PortalCall("imbot.unregister", ["BOT_ID": .integer(botID)])
            case .second: PortalCall("imbot.v2.Bot.unregister", ["botId": .integer(botID)])
            }
        try await ignoring(["BOT_ID_ERROR", "BOT_NOT_FOUND"]) { _ = try await call(unregister, as: account) }
    }

    /// Registering again returns the bot as it was, so an update follows.
    private func registerSecond(_ bot: BotRegistration, as account: Account) async throws -> Int64 {
        var fields: JSON = [
            "code": .string(bot.code), "properties": bot.properties, "type": .string(bot.kind.rawValue),
        ]
        bot.addEventMode(to: &fields)
        if let token = bot.token { fields["botToken"] = .string(token.reveal()) }
        if bot.kind == .openline { fields["isSupportOpenline"] = true }
        let answer = try await call(PortalCall("imbot.v2.Bot.register", ["fields": fields]), as: account)
        guard let id = answer["bot"]?["id"]?.looseInteger else { throw PortalError.unexpected("imbot.v2.Bot.register") }
        if let token = bot.token { account.remember(token, of: id) }
        try await updateBot(id, bot, generation: .second, as: account)
        return id
    }

    /// `imbot.register` does not say what it does with a known code, so the list is asked first.
    private func registerFirst(_ bot: BotRegistration, as account: Account) async throws -> Int64 {
        var client: JSON = [:]
        if let token = bot.token { client["CLIENT_ID"] = .string(token.reveal()) }
        let bots = try await call(PortalCall("imbot.bot.list", client), as: account).looseEntries
        if let known = bots.first(where: { $0.value["CODE"]?.looseText == bot.code }),
            let id = known.value["ID"]?.looseInteger ?? Int64(known.key)
        {
            if let token = bot.token { account.remember(token, of: id) }
            try await updateBot(id, bot, generation: .first, as: account)
            return id
        }
        let type =
            switch bot.kind {
            case .openline: "O"
            case .supervisor, .personal: "S"
            case .bot: "B"
            }
        var registration: JSON = [
            "CODE": .string(bot.code), "TYPE": .string(type), "EVENT_HANDLER": .string(bot.firstGenerationURL),
            "PROPERTIES": bot.firstGenerationProperties,
        ]
        registration["CLIENT_ID"] = client["CLIENT_ID"]
        let answer = try await call(PortalCall("imbot.register", registration), as: account)
        guard let id = answer.looseInteger else { throw PortalError.unexpected("imbot.register") }
        if let token = bot.token { account.remember(token, of: id) }
        // A plain bot's handlers for changed and deleted messages can be set by an update only.
        if bot.kind == .bot { try await updateBot(id, bot, generation: .first, as: account) }
        return id
    }

    /// Binds `ONAPPUPDATE` and `ONAPPUNINSTALL` to an address; bindings that are there count as made.
    /// Documentation: `api-reference/events/event-bind.md`, `api-reference/events/event-get.md`.
    /// - Returns: those that were not bound before.
    /// - Throws: ``PortalError``.
    @discardableResult
    public func bindApplicationEvents(to url: String, as account: Account) async throws -> [String] {
        try await bind(["ONAPPUPDATE", "ONAPPUNINSTALL"], to: url, as: account)
    }

    @discardableResult
    func bind(_ events: [String], to url: String, as account: Account) async throws -> [String] {
        var missing: [String] = []
        let bound = try await call(PortalCall("event.get"), as: account).looseList
        for event in events {
            let isBound = bound.contains {
                $0["event"]?.looseText?.uppercased() == event && $0["handler"]?.looseText == url
            }
            if isBound { continue }
            missing.append(event)
            do {
                _ = try await call(
                    PortalCall("event.bind", ["event": .string(event), "handler": .string(url)]), as: account)
            } catch let error as PortalError where error.message.lowercased().contains("already b") {
                // "Handler already binded": somebody was faster; there is no code of its own for it.
                continue
            }
        }
        return missing
    }

    /// Runs `work`; refusals with these codes count as done.
    func ignoring(_ codes: Set<String>, _ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch let error as PortalError where codes.contains(error.code ?? "") {
            return
        }
    }
}

extension BotRegistration {
    fileprivate func addEventMode(to fields: inout JSON) {
        fields["eventMode"] = fetches ? "fetch" : "webhook"
        if !fetches { fields["webhookUrl"] = .string(webhookURL) }
    }
}

extension PortalError {
    /// A success whose result is not what the documentation promises.
    static func unexpected(_ method: String, without what: String = "the id") -> PortalError {
        PortalError(
            .notBitrix24(status: 200), message: "\(method) answered without \(what) that it should give",
            isPassing: false, mayHaveHappened: true)
    }
}
