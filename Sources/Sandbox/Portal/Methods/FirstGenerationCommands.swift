import Base

private let pages = "api-reference/chat-bots/outdated/commands/"

/// `imbot.command.*`.
let firstGenerationCommandMethods: [RESTMethod] = [
    RESTMethod(name: "imbot.command.register", page: pages + "imbot-command-register.md", scopes: ["imbot"]) {
        state, call in
        RESTResult(JSON(try state.registerFirstCommand(call)))
    },
    RESTMethod(name: "imbot.command.update", page: pages + "imbot-command-update.md", scopes: ["imbot"]) {
        state, call in
        try state.updateFirstCommand(call)
        return RESTResult(true)
    },
    RESTMethod(name: "imbot.command.unregister", page: pages + "imbot-command-unregister.md", scopes: ["imbot"]) {
        state, call in
        let command = try state.firstCommand(call)
        state.commands[command.id] = nil
        return RESTResult(true)
    },
    RESTMethod(
        name: "imbot.command.answer", page: pages + "imbot-command-answer.md", scopes: ["imbot"], takesTime: true
    ) { state, call in
        RESTResult(JSON(try state.answerFirstCommand(call)))
    },
]

extension RESTError {
    fileprivate static let commandMissing = RESTError(400, "COMMAND_ID_ERROR", "Command not found")
}

extension PortalState {
    private func commandHandler(_ fields: RESTParameters) throws -> String? {
        guard let url = fields.filled("EVENT_COMMAND_ADD") else { return nil }
        guard isHandlerAddress(url) else { throw RESTError(400, "EVENT_COMMAND_ADD_ERROR", "Wrong handler URL") }
        return url
    }

    fileprivate mutating func registerFirstCommand(_ call: RESTCall) throws -> Int {
        let parameters = call.parameters.uppercased
        guard let handler = try commandHandler(parameters) else {
            throw RESTError(
                400, "EVENT_COMMAND_ADD_ERROR", "Handler for \"Command add\" event isn't specified")
        }
        guard let name = parameters.filled("COMMAND") else {
            throw RESTError(400, "COMMAND_ERROR", "Command isn't specified")
        }
        let bot = try firstBot(call, isRequired: true)
        let languages = translations(parameters)
        guard !languages.titles.isEmpty else { throw RESTError(400, "LANG_ERROR", "Lang set can't be empty") }
        let plain = name.hasPrefix("/") ? String(name.dropFirst()) : name
        if let known = commands.values.first(where: { $0.botID == bot.id && $0.command == plain }) { return known.id }
        let command = CommandRecord(
            id: next(.command), botID: bot.id, command: plain, isCommon: parameters.flag("COMMON") ?? false,
            isHidden: parameters.flag("HIDDEN") ?? false, isForExtranet: parameters.flag("EXTRANET_SUPPORT") ?? false,
            titles: languages.titles, params: languages.params, handlerURL: handler)
        commands[command.id] = command
        return command.id
    }

    private func translations(_ fields: RESTParameters) -> (titles: Members<String>, params: Members<String>) {
        var titles: Members<String> = [:]
        var params: Members<String> = [:]
        for entry in fields.list("LANG").map({ RESTParameters($0) }) {
            guard let language = entry.filled("LANGUAGE_ID"), let title = entry.filled("TITLE") else { continue }
            titles[language] = title
            params[language] = entry.text("PARAMS") ?? ""
        }
        return (titles, params)
    }

    /// The caller's command that `COMMAND_ID`, or where allowed `COMMAND`, names.
    fileprivate func firstCommand(_ call: RESTCall, alsoByName: Bool = false) throws -> CommandRecord {
        let owner = try call.firstOwner()
        let parameters = call.parameters.uppercased
        var found = parameters.id("COMMAND_ID").flatMap { commands[$0] }
        if found == nil, alsoByName, let name = parameters.filled("COMMAND") {
            found = commands.values.first { $0.command == name && bots[$0.botID]?.owner == owner }
        }
        guard let found else { throw RESTError.commandMissing }
        guard bots[found.botID]?.owner == owner else {
            throw RESTError(400, "APP_ID_ERROR", "Command was installed by another REST application")
        }
        return found
    }

    fileprivate mutating func updateFirstCommand(_ call: RESTCall) throws {
        var command = try firstCommand(call)
        let fields = call.parameters.uppercased.group("FIELDS").uppercased
        guard !fields.members.isEmpty else {
            throw RESTError(400, "WRONG_REQUEST", "Update fields can't be empty")
        }
        if let handler = try commandHandler(fields) { command.handlerURL = handler }
        command.command = fields.filled("COMMAND") ?? command.command
        command.isHidden = fields.flag("HIDDEN") ?? command.isHidden
        command.isForExtranet = fields.flag("EXTRANET_SUPPORT") ?? command.isForExtranet
        let languages = translations(fields)
        if !languages.titles.isEmpty {
            command.titles = languages.titles
            command.params = languages.params
        }
        commands[command.id] = command
    }

    fileprivate mutating func answerFirstCommand(_ call: RESTCall) throws -> Int {
        let command = try firstCommand(call, alsoByName: true)
        let parameters = call.parameters.uppercased
        guard let asked = parameters.id("MESSAGE_ID") else {
            throw RESTError(400, "MESSAGE_ID_EMPTY", "Message ID can't be empty")
        }
        let parts = try MessageParts(parameters)
        let text = (parameters.text("MESSAGE") ?? "").trimmed
        let attach = parts.attach ?? nil
        guard !text.isEmpty || attach != nil else { throw RESTError.messageEmpty }
        guard let bot = bots[command.botID], let chat = messages[asked].flatMap({ chats[$0.chatID] }),
            let message = answer(
                bot, in: chat, text: text, keyboard: parts.keyboard ?? nil, attach: attach,
                isSystem: parameters.flag("SYSTEM") ?? false, now: call.now)
        else { throw RESTError(400, "WRONG_REQUEST", "Message isn't added") }
        return message.id
    }
}
