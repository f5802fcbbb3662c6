import Base

private let pages = "api-reference/chat-bots/chat-bots-v2/imbot.v2/"

/// `imbot.v2.Bot.*`, `imbot.v2.Event.get`, `imbot.v2.Revision.get`.
let botMethods: [RESTMethod] = [
    RESTMethod(name: "imbot.v2.Bot.register", page: pages + "bots/bot-register.md", scopes: ["imbot"]) { state, call in
        let bot = try state.registerBot(call)
        return RESTResult(state.withUsers(bot))
    },
    RESTMethod(name: "imbot.v2.Bot.update", page: pages + "bots/bot-update.md", scopes: ["imbot"]) { state, call in
        let bot = try state.updateBot(call)
        return RESTResult(state.withUsers(bot))
    },
    RESTMethod(name: "imbot.v2.Bot.get", page: pages + "bots/bot-get.md", scopes: ["imbot"]) { state, call in
        let owner = try call.owner()
        guard call.parameters.has("botId") || call.parameters.has("code") else {
            throw RESTError(400, "PARAMS_REQUIRED", "Required parameters are missing")
        }
        let id = call.parameters.id("botId")
        let code = call.parameters.text("code")
        let found = state.bots.values.first { bot in
            id.map { $0 == bot.id } ?? (bot.code == code && bot.owner == owner)
        }
        guard let found else { throw RESTError.botNotFound }
        return RESTResult([
            "bot": state.botObject(found, isOwner: found.owner == owner), "users": [state.userObject(found.id)],
        ])
    },
    RESTMethod(name: "imbot.v2.Bot.list", page: pages + "bots/bot-list.md", scopes: ["imbot"]) { state, call in
        let owner = try call.owner()
        let type = call.parameters.group("filter").filled("type")
        let all = state.bots.values.filter { $0.owner == owner && (type ?? $0.type) == $0.type }
        return state.page(of: all.sorted { $0.id < $1.id }, call)
    },
    RESTMethod(name: "imbot.v2.Bot.unregister", page: pages + "bots/bot-unregister.md", scopes: ["imbot"]) {
        state, call in
        let bot = try state.ownBot(call)
        state.remove(bot: bot.id, by: call.caller.userID, now: call.now)
        return .done
    },
    RESTMethod(name: "imbot.v2.Event.get", page: pages + "events/event-get.md", scopes: ["imbot"]) { state, call in
        try state.fetchEvents(call)
    },
    RESTMethod(name: "imbot.v2.Revision.get", page: pages + "revision-get.md", scopes: ["imbot"]) { _, _ in
        RESTResult(["rest": 36, "web": 130, "mobile": 23, "desktop": 6])
    },
]

extension RESTResult {
    /// `{"result": true}`, as many methods of the second generation answer.
    static var done: RESTResult { RESTResult(["result": true]) }
}

extension RESTError {
    static let botTokenMissing = RESTError(400, "BOT_TOKEN_NOT_SPECIFIED", "Bot token is not specified")
    static let botIDRequired = RESTError(400, "BOT_ID_REQUIRED", "Bot ID is required")
    static let botNotFound = RESTError(400, "BOT_NOT_FOUND", "Bot not found")
    static let botOwnership = RESTError(403, "BOT_OWNERSHIP_ERROR", "Bot is registered by another application")
}

extension RESTCall {
    /// For whom a call of the second generation acts: the application, or the webhook caller's `botToken`.
    func owner() throws -> Owner {
        if let clientID = caller.clientID { return .application(clientID) }
        guard let token = parameters.filled("botToken") else { throw RESTError.botTokenMissing }
        return .named(token)
    }
}

extension PortalState {
    /// The bot that `botId` names, if it is the caller's.
    func ownBot(_ call: RESTCall) throws -> BotRecord {
        let owner = try call.owner()
        guard let id = call.parameters.id("botId") else { throw RESTError.botIDRequired }
        guard let bot = bots[id] else { throw RESTError.botNotFound }
        guard bot.owner == owner else { throw RESTError.botOwnership }
        return bot
    }

    fileprivate func withUsers(_ bot: BotRecord) -> JSON {
        ["bot": botObject(bot), "users": [userObject(bot.id)]]
    }

    fileprivate func page(of all: [BotRecord], _ call: RESTCall) -> RESTResult {
        let limit = max(1, call.parameters.number("limit") ?? 50)
        let offset = min(max(0, call.parameters.number("offset") ?? 0), all.count)
        let page = all.dropFirst(offset).prefix(limit)
        return RESTResult([
            "bots": .array(page.map { botObject($0) }), "users": .array(page.map { userObject($0.id) }),
            "hasNextPage": .bool(offset + page.count < all.count),
        ])
    }

    /// Registers a bot, or returns the one that the same caller has under this code, unchanged.
    fileprivate mutating func registerBot(_ call: RESTCall) throws -> BotRecord {
        let fields = call.parameters.group("fields")
        let owner = try registrant(call, fields)
        guard let code = fields.filled("code") else {
            throw RESTError(400, "BOT_CODE_REQUIRED", "Bot code is required")
        }
        let properties = fields.group("properties")
        guard let name = properties.filled("name") else {
            throw RESTError(400, "BOT_PROPERTIES_REQUIRED", "Bot properties are required")
        }
        let type = fields.filled("type") ?? "bot"
        guard ["bot", "network", "openline", "supervisor", "personal"].contains(type) else {
            throw RESTError(400, "BOT_INVALID_TYPE", "Invalid bot type")
        }
        let (isFetching, url) = try eventMode(fields, current: nil)
        if let known = bots.values.first(where: { $0.code == code && $0.owner == owner }) { return known }
        if bots.values.contains(where: { $0.code == code }) {
            throw RESTError(400, "BOT_CODE_ALREADY_TAKEN", "Bot code is already taken")
        }
        guard bots.values.count(where: { $0.owner == owner }) < 100 else {
            throw RESTError(400, "BOT_LIMIT_EXCEEDED", "Bot limit exceeded")
        }
        var bot = BotRecord(
            id: addUser(name, properties.text("lastName") ?? "", kind: .bot), code: code, owner: owner,
            generation: .second, type: type, isOpenLine: type == "openline")
        bot.isFetching = isFetching
        bot.webhookURL = url
        bot.isOpenLine = fields.flag("isSupportOpenline") ?? bot.isOpenLine
        try apply(fields, to: &bot)
        bots[bot.id] = bot
        tell(.botChanged(shown(bot)))
        return bot
    }

    private func registrant(_ call: RESTCall, _ fields: RESTParameters) throws -> Owner {
        if let clientID = call.caller.clientID { return .application(clientID) }
        guard let token = fields.filled("botToken") else { throw RESTError.botTokenMissing }
        guard token.utf8.count <= 40 else {
            throw RESTError(400, "BOT_TOKEN_INVALID_LENGTH", "Bot token is longer than 40 characters")
        }
        return .named(token)
    }

    /// Whether the bot fetches its events, and else where they go.
    private func eventMode(_ fields: RESTParameters, current: BotRecord?) throws -> (isFetching: Bool, url: String) {
        let old = current.map { $0.isFetching ? "fetch" : "webhook" } ?? "fetch"
        let mode = fields.filled("eventMode") ?? old
        guard ["fetch", "webhook"].contains(mode) else {
            throw RESTError(400, "BOT_INVALID_EVENT_MODE", "Invalid event mode")
        }
        if mode == "fetch" { return (true, "") }
        guard let url = fields.filled("webhookUrl") ?? current?.webhookURL, !url.isEmpty else {
            throw RESTError(400, "BOT_WEBHOOK_URL_REQUIRED", "Webhook URL is required")
        }
        guard isHandlerAddress(url) else {
            throw RESTError(400, "BOT_INVALID_CALLBACK", "Invalid callback URL")
        }
        return (false, url)
    }

    /// Takes over the fields that registering and updating share.
    private func apply(_ fields: RESTParameters, to bot: inout BotRecord) throws {
        let properties = fields.group("properties")
        bot.isHidden = fields.flag("isHidden") ?? bot.isHidden
        bot.isReactionsEnabled = fields.flag("isReactionsEnabled") ?? bot.isReactionsEnabled
        if fields["backgroundId"] != nil {
            bot.backgroundID = fields.filled("backgroundId").flatMap { backgrounds.contains($0) ? $0 : nil }
        }
        bot.workPosition = properties.text("workPosition") ?? bot.workPosition
        bot.gender = properties.filled("gender") ?? bot.gender
        bot.color = properties.filled("color").flatMap { chatColors[$0] } ?? bot.color
        if let avatar = properties.filled("avatar") { bot.avatar = try image(avatar) }
    }

    fileprivate mutating func updateBot(_ call: RESTCall) throws -> BotRecord {
        var bot = try ownBot(call)
        let fields = call.parameters.group("fields")
        let formerURL = bot.webhookURL
        (bot.isFetching, bot.webhookURL) = try eventMode(fields, current: bot)
        if bot.webhookURL != formerURL {
            bot.formerURLs.removeAll { $0 == bot.webhookURL }
            if !formerURL.isEmpty, hasNeighbours(bot) { bot.formerURLs.append(formerURL) }
        }
        if let token = fields.filled("botToken"), call.caller.isWebhook, token.contains(where: { $0 != " " }) {
            guard token.utf8.count <= 40, !bots.values.contains(where: { $0.owner == .named(token) }) else {
                throw RESTError(400, "BOT_TOKEN_ROTATION_FAILED", "Bot token rotation failed")
            }
            bot.owner = .named(token)
            bot.ownToken = randomHexadecimal(digits: 32)
        }
        bot.isOpenLine = fields.flag("isSupportOpenline") ?? bot.isOpenLine
        try apply(fields, to: &bot)
        let properties = fields.group("properties")
        if let name = properties.filled("name") { users[bot.id]?.firstName = name }
        if let lastName = properties.text("lastName") { users[bot.id]?.lastName = lastName }
        bots[bot.id] = bot
        tell(.botChanged(shown(bot)))
        return bot
    }

    /// The image of a Base64 text. Documentation: `…/imbot.v2/bots/bot-update.md`, errors.
    func image(_ text: String) throws -> [UInt8] {
        guard let bytes = decodedBase64(text), imageStarts.contains(where: bytes.starts(with:)) else {
            throw RESTError(400, "BOT_AVATAR_INCORRECT_TYPE", "Avatar must be an image")
        }
        return bytes
    }

    /// Whether other bots of the same application keep its subscriptions from being cleaned up.
    private func hasNeighbours(_ bot: BotRecord) -> Bool {
        guard case .application = bot.owner else { return false }
        return bots.values.contains { $0.owner == bot.owner && $0.id != bot.id && $0.generation == .second }
    }

    /// Deletes a bot with its private chats and commands; its last event says so.
    mutating func remove(bot id: Int, by user: Int, now: Timestamp) {
        guard bots[id] != nil else { return }
        emit(.delete, to: [id], chat: nil, user: user, now: now)
        bots[id] = nil
        users[id] = nil
        for command in commands.values where command.botID == id { commands[command.id] = nil }
        for (lineID, line) in lines where line.botID == id { lines[lineID]?.botID = nil }
        for (chatID, chat) in chats where chat.members.contains(id) {
            if chat.isPrivate {
                chats[chatID] = nil
                for message in chat.messageIDs { messages[message] = nil }
            } else {
                leave(id, chat: chatID)
            }
        }
        privateChats = privateChats.filter { $0.key.first != id && $0.key.second != id }
        tell(.botRemoved(id: id))
    }

    fileprivate mutating func fetchEvents(_ call: RESTCall) throws -> RESTResult {
        let bot = try ownBot(call)
        if call.parameters.flag("withUserEvents") == true {
            guard call.caller.scope.contains("im") else { throw RESTError(403, "SCOPE_ERROR", "Scope error") }
            // This portal has no `im.v2.Event.subscribe`, so nobody is subscribed.
            throw RESTError(400, "USER_NOT_SUBSCRIBED", "User not subscribed")
        }
        let offset = call.parameters.number("offset")
        if let offset { bots[bot.id]?.fetched.confirm(before: offset) }
        let waiting = bots[bot.id]?.fetched.entries ?? []
        let limit = min(max(call.parameters.number("limit") ?? 100, 1), 1000)
        let page = waiting.prefix(limit)
        return RESTResult([
            "events": .array(
                page.map { entry in
                    [
                        "eventId": JSON(entry.id), "type": .string(entry.type),
                        "date": .string(entry.date.bitrixDate), "data": entry.data,
                    ]
                }),
            "nextOffset": JSON(page.last.map { $0.id + 1 } ?? offset ?? 0),
            "hasMore": .bool(waiting.count > page.count),
        ])
    }

    func shown(_ bot: BotRecord) -> SimulatedPortal.Bot {
        let clientID: String
        switch bot.owner {
        case .application(let id): clientID = id
        case .named: clientID = ""
        }
        return SimulatedPortal.Bot(
            id: bot.id, code: bot.code, name: users[bot.id]?.name ?? "", type: bot.type, generation: bot.generation,
            clientID: clientID,
            handlerURL: bot.generation == .second ? bot.webhookURL : bot.handlers["ONIMBOTMESSAGEADD"] ?? "",
            workPosition: bot.workPosition, color: bot.color, avatar: bot.avatar)
    }
}

/// Of PNG, JPEG, GIF and WebP files.
private let imageStarts: [[UInt8]] = [
    [0x89, 0x50, 0x4E, 0x47], [0xFF, 0xD8, 0xFF], Array("GIF8".utf8), Array("RIFF".utf8),
]

private let backgrounds: Set = [
    "azure", "mint", "steel", "slate", "teal", "cornflower", "sky", "peach", "frost",
]

/// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-add.md`.
let chatColors = [
    "red": "#df532d", "green": "#64a513", "mint": "#4ba984", "lightBlue": "#4ba5c3", "darkBlue": "#3e99ce",
    "purple": "#8474c8", "aqua": "#1eb4aa", "pink": "#f76187", "lime": "#58cc47", "brown": "#ab7761",
    "azure": "#29619b", "khaki": "#728f7a", "sand": "#ba9c7b", "marengo": "#556574", "gray": "#909090",
    "graphite": "#5e5f5e",
]
