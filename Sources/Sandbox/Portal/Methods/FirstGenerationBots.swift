import Base

private let pages = "api-reference/chat-bots/outdated/bots/"

/// `imbot.register`, `imbot.update`, `imbot.unregister`, `imbot.bot.list`.
let firstGenerationBotMethods: [RESTMethod] = [
    RESTMethod(name: "imbot.register", page: pages + "imbot-register.md", scopes: ["imbot"]) { state, call in
        RESTResult(JSON(try state.registerFirst(call)))
    },
    RESTMethod(name: "imbot.update", page: pages + "imbot-update.md", scopes: ["imbot"]) { state, call in
        try state.updateFirst(call)
        return RESTResult(true)
    },
    RESTMethod(name: "imbot.unregister", page: pages + "imbot-unregister.md", scopes: ["imbot"]) { state, call in
        let bot = try state.firstBot(call, isRequired: true)
        state.remove(bot: bot.id, by: call.caller.userID, now: call.now)
        return RESTResult(true)
    },
    RESTMethod(name: "imbot.bot.list", page: pages + "imbot-bot-list.md", scopes: ["imbot"]) { state, _ in
        let entries = state.bots.values.sorted { $0.id < $1.id }.map { bot -> (key: String, value: JSON) in
            let object: JSON = [
                "ID": JSON(bot.id), "NAME": .string(state.users[bot.id]?.name ?? ""), "CODE": .string(bot.code),
                "OPENLINE": .yesNo(bot.isOpenLine),
            ]
            return (String(bot.id), object)
        }
        return RESTResult(.phpMap(entries))
    },
]

extension RESTCall {
    /// For whom a call of the first generation acts: the application, or the webhook caller's `CLIENT_ID`.
    func firstOwner() throws -> Owner {
        if let clientID = caller.clientID { return .application(clientID) }
        guard let name = parameters.uppercased.filled("CLIENT_ID") else {
            throw RESTError(403, "ACCESS_DENIED", "Access denied! Client ID not specified")
        }
        return .named(name)
    }
}

extension RESTError {
    static let firstBotNotFound = RESTError(400, "BOT_ID_ERROR", "Bot not found")
    static let foreignBot = RESTError(400, "APP_ID_ERROR", "Bot was installed by another REST application")
}

/// The addresses of a first generation bot by the parameter that sets them.
private let handlerNames = [
    "EVENT_MESSAGE_ADD": "ONIMBOTMESSAGEADD", "EVENT_MESSAGE_UPDATE": "ONIMBOTMESSAGEUPDATE",
    "EVENT_MESSAGE_DELETE": "ONIMBOTMESSAGEDELETE", "EVENT_WELCOME_MESSAGE": "ONIMBOTJOINCHAT",
    "EVENT_BOT_DELETE": "ONIMBOTDELETE",
]

/// Those that registering needs, with how the documentation calls them.
private let requiredHandlers = [
    ("EVENT_MESSAGE_ADD", "Message add"), ("EVENT_WELCOME_MESSAGE", "Welcome message"),
    ("EVENT_BOT_DELETE", "Bot delete"),
]

extension PortalState {
    /// The bot that `BOT_ID` names; without it the first bot of the caller, unless it `isRequired`.
    func firstBot(_ call: RESTCall, isRequired: Bool = false) throws -> BotRecord {
        let owner = try call.firstOwner()
        let parameters = call.parameters.uppercased
        if parameters.has("BOT_ID") || isRequired {
            guard let bot = parameters.id("BOT_ID").flatMap({ bots[$0] }) else { throw RESTError.firstBotNotFound }
            guard bot.owner == owner else { throw RESTError.foreignBot }
            return bot
        }
        guard let bot = bots.values.filter({ $0.owner == owner }).min(by: { $0.id < $1.id }) else {
            throw RESTError.firstBotNotFound
        }
        return bot
    }

    /// The addresses that a call sets, by event.
    private func handlers(_ fields: RESTParameters) throws -> [String: String] {
        var found: [String: String] = [:]
        for (name, event) in handlerNames {
            guard let url = fields.filled("EVENT_HANDLER") ?? fields.filled(name) else { continue }
            guard isHandlerAddress(url) else { throw RESTError(400, name + "_ERROR", "Wrong handler URL") }
            found[event] = url
        }
        return found
    }

    fileprivate mutating func registerFirst(_ call: RESTCall) throws -> Int {
        let owner = try call.firstOwner()
        let fields = call.parameters.uppercased
        var handlers = try handlers(fields)
        for (name, words) in requiredHandlers where handlers[handlerNames[name] ?? ""] == nil {
            throw RESTError(400, name + "_ERROR", "Handler for \"\(words)\" event isn't specified")
        }
        guard let code = fields.filled("CODE") else { throw RESTError(400, "CODE_ERROR", "Bot code isn't specified") }
        let properties = fields.group("PROPERTIES").uppercased
        let name = properties.text("NAME") ?? ""
        let lastName = properties.text("LAST_NAME") ?? ""
        guard !name.isEmpty || !lastName.isEmpty else {
            throw RESTError(400, "NAME_ERROR", "Bot name isn't specified")
        }
        if let known = bots.values.first(where: { $0.code == code }) {
            guard known.owner == owner else { throw RESTError(400, "WRONG_REQUEST", "Bot can't be created") }
            return known.id
        }
        guard bots.values.count(where: { $0.owner == owner && $0.generation == .first }) < 5 else {
            throw RESTError(
                400, "MAX_COUNT_ERROR", "Has reached the maximum number of bots for application (max: 5)")
        }
        let letter = fields.filled("TYPE") ?? "B"
        let type = ["B": "bot", "O": "openline", "H": "bot", "S": "supervisor"][letter] ?? "bot"
        let isOpenLine = letter == "O" || fields.flag("OPENLINE") == true
        if !isOpenLine, letter != "S" {
            handlers["ONIMBOTMESSAGEUPDATE"] = nil
            handlers["ONIMBOTMESSAGEDELETE"] = nil
        }
        var bot = BotRecord(
            id: addUser(name, lastName, kind: .bot), code: code, owner: owner, generation: .first, type: type,
            isOpenLine: isOpenLine)
        bot.handlers = handlers
        bot.workPosition = properties.text("WORK_POSITION") ?? ""
        bot.gender = properties.filled("PERSONAL_GENDER") ?? "M"
        try setLook(of: &bot, properties)
        bots[bot.id] = bot
        tell(.botChanged(shown(bot)))
        return bot.id
    }

    private func setLook(of bot: inout BotRecord, _ properties: RESTParameters) throws {
        if let color = properties.filled("COLOR") {
            let known = chatColors.first { $0.key.uppercased() == color.filter { $0 != "_" } }
            bot.color = known?.value ?? bot.color
        }
        if let photo = properties.filled("PERSONAL_PHOTO") { bot.avatar = try image(photo) }
    }

    fileprivate mutating func updateFirst(_ call: RESTCall) throws {
        var bot = try firstBot(call, isRequired: true)
        let fields = call.parameters.uppercased.group("FIELDS").uppercased
        let handlers = try handlers(fields)
        let properties = fields.group("PROPERTIES").uppercased
        guard fields.has("CODE") || !handlers.isEmpty || !properties.members.isEmpty else {
            throw RESTError(400, "WRONG_REQUEST", "Update fields can't be empty")
        }
        if let name = properties.text("NAME"), let lastName = properties.text("LAST_NAME"), name + lastName == "" {
            throw RESTError(400, "NAME_ERROR", "Bot name isn't specified")
        }
        if let code = fields.filled("CODE"), code != bot.code {
            guard !bots.values.contains(where: { $0.code == code }) else {
                throw RESTError(400, "WRONG_REQUEST", "Bot can't be updated")
            }
            bot.code = code
        }
        bot.handlers.merge(handlers, uniquingKeysWith: { $1 })
        if let name = properties.text("NAME") { users[bot.id]?.firstName = name }
        if let lastName = properties.text("LAST_NAME") { users[bot.id]?.lastName = lastName }
        bot.workPosition = properties.text("WORK_POSITION") ?? bot.workPosition
        try setLook(of: &bot, properties)
        bots[bot.id] = bot
        tell(.botChanged(shown(bot)))
    }
}
