import Base

private let pages = "api-reference/chat-bots/chat-bots-v2/imbot.v2/commands/"

/// `imbot.v2.Command.*`.
let commandMethods: [RESTMethod] = [
    RESTMethod(name: "imbot.v2.Command.register", page: pages + "command-register.md", scopes: ["imbot"]) {
        state, call in
        RESTResult(["command": try state.registerCommand(call).object])
    },
    RESTMethod(name: "imbot.v2.Command.update", page: pages + "command-update.md", scopes: ["imbot"]) { state, call in
        RESTResult(["command": try state.updateCommand(call).object])
    },
    RESTMethod(name: "imbot.v2.Command.unregister", page: pages + "command-unregister.md", scopes: ["imbot"]) {
        state, call in
        let bot = try state.ownBot(call)
        let command = try state.ownCommand(call, of: bot)
        state.commands[command.id] = nil
        return .done
    },
    RESTMethod(name: "imbot.v2.Command.list", page: pages + "command-list.md", scopes: ["imbot"]) { state, call in
        let bot = try state.ownBot(call)
        let own = state.commands.values.filter { $0.botID == bot.id }.sorted { $0.id < $1.id }
        let name = state.users[bot.id]?.name ?? ""
        let language = state.settings.language
        return RESTResult([
            "commands": .array(
                own.map { command in
                    var object = command.object
                    object["title"] = .string(command.titles.text(in: language))
                    object["params"] = .string(command.params.text(in: language))
                    object["category"] = .string(name)
                    object["context"] = ""
                    return object
                })
        ])
    },
    RESTMethod(
        name: "imbot.v2.Command.answer", page: pages + "command-answer.md", scopes: ["imbot"], takesTime: true
    ) { state, call in
        try state.answerCommand(call)
    },
]

extension CommandRecord {
    fileprivate var object: JSON {
        [
            "id": JSON(id), "botId": JSON(botID), "command": .string("/" + command), "common": .bool(isCommon),
            "hidden": .bool(isHidden), "extranetSupport": .bool(isForExtranet),
        ]
    }
}

extension Members<String> {
    /// The text in a language, else in English, else in any.
    func text(in language: String) -> String {
        self[language] ?? self["en"] ?? self.min { $0.key < $1.key }?.value ?? ""
    }
}

extension RESTError {
    fileprivate static let commandNotFound = RESTError(400, "COMMAND_NOT_FOUND", "Command not found")
    fileprivate static let commandNameInvalid = RESTError(400, "COMMAND_NAME_INVALID", "Command name is invalid")
    fileprivate static let commandAnswerFailed = RESTError(400, "COMMAND_ANSWER_FAILED", "Command answer failed")
}

extension PortalState {
    fileprivate func ownCommand(_ call: RESTCall, of bot: BotRecord) throws -> CommandRecord {
        guard let command = call.parameters.id("commandId").flatMap({ commands[$0] }), command.botID == bot.id else {
            throw RESTError.commandNotFound
        }
        return command
    }

    fileprivate mutating func registerCommand(_ call: RESTCall) throws -> CommandRecord {
        let bot = try ownBot(call)
        let fields = call.parameters.group("fields")
        if fields["command"]?.object != nil || fields["command"]?.array != nil { throw RESTError.commandNameInvalid }
        guard let name = fields.filled("command") else {
            throw RESTError(400, "COMMAND_REQUIRED", "Command is required")
        }
        let isHidden = fields.flag("hidden") ?? false
        let titles = fields.group("title").texts
        if !isHidden, titles.isEmpty {
            throw RESTError(400, "COMMAND_TITLE_REQUIRED", "Command title is required")
        }
        let plain = name.hasPrefix("/") ? String(name.dropFirst()) : name
        if let known = commands.values.first(where: { $0.botID == bot.id && $0.command == plain }) { return known }
        let command = CommandRecord(
            id: next(.command), botID: bot.id, command: plain, isCommon: fields.flag("common") ?? false,
            isHidden: isHidden, isForExtranet: fields.flag("extranetSupport") ?? false, titles: titles,
            params: fields.group("params").texts)
        commands[command.id] = command
        return command
    }

    fileprivate mutating func updateCommand(_ call: RESTCall) throws -> CommandRecord {
        let bot = try ownBot(call)
        var command = try ownCommand(call, of: bot)
        let fields = call.parameters.group("fields")
        if let value = fields["command"] {
            guard case .string(let name) = value else { throw RESTError.commandNameInvalid }
            guard !name.isEmpty else { throw RESTError(400, "COMMAND_NAME_EMPTY", "Command name is empty") }
            if commands.values.contains(where: { $0.botID == bot.id && $0.command == name && $0.id != command.id }) {
                throw RESTError(400, "COMMAND_ALREADY_EXISTS", "Command already exists")
            }
            command.command = name
        }
        for (language, title) in fields.group("title").members {
            command.titles[language] = title.string
            if title.isNull {
                command.params[language] = nil
            } else if let params = fields.group("params").text(language) {
                command.params[language] = params
            }
        }
        command.isCommon = fields.flag("common") ?? command.isCommon
        command.isHidden = fields.flag("hidden") ?? command.isHidden
        command.isForExtranet = fields.flag("extranetSupport") ?? command.isForExtranet
        commands[command.id] = command
        return command
    }

    /// Writes into the chat where the command was called, also if the bot is not in it.
    fileprivate mutating func answerCommand(_ call: RESTCall) throws -> RESTResult {
        let bot = try ownBot(call)
        guard let command = call.parameters.id("commandId").flatMap({ commands[$0] }), command.botID == bot.id,
            let asked = call.parameters.id("messageId").flatMap({ messages[$0] }), let chat = chats[asked.chatID],
            call.parameters.filled("dialogId") != nil
        else { throw RESTError.commandAnswerFailed }
        let fields = call.parameters.group("fields")
        let text = fields.text("message") ?? ""
        let attach = fields["attach"].flatMap { $0.isRemoval ? nil : $0 }
        guard !text.isEmpty || attach != nil else { throw RESTError.commandAnswerFailed }
        answer(
            bot, in: chat, text: text, keyboard: fields["keyboard"], attach: attach,
            isSystem: fields.flag("system") ?? false, now: call.now)
        return .done
    }

    /// A bot that is not in the chat answers as a system message with its name.
    @discardableResult
    mutating func answer(
        _ bot: BotRecord, in chat: Chat, text: String, keyboard: JSON?, attach: JSON?, isSystem: Bool, now: Timestamp
    ) -> SimulatedPortal.Message? {
        let isMember = chat.members.contains(bot.id)
        let shown = isMember ? text : "[b]\(users[bot.id]?.name ?? ""):[/b]\n\(text)"
        let draft = Draft(
            authorID: bot.id, text: shortened(shown), keyboard: keyboard.flatMap { $0.isRemoval ? nil : $0 },
            attach: attach, isSystem: isSystem || !isMember)
        return post(draft, in: chat.id, now: now)
    }
}

extension RESTParameters {
    /// The members that are texts.
    var texts: Members<String> { members.compactMapValues(\.string) }
}
