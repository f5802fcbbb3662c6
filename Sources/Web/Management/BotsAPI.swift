import Base
import Bitrix24
import Gateway
import Storage

/// `/api/v1/bots` and their commands.
struct BotsAPI: Sendable {
    let store: Store
    let registrar: Registrar
    let clock: WallClock

    private var bots: Collection<BotRecord> {
        Collection(
            "bots", "bot",
            fields: [
                .shown("id", .id, "The bot's id here."),
                .required("name", .text, "Its name in Bitrix24."),
                .required("installation_id", .id, "The installation that registers it."),
                .shown("portal_id", .id, "The portal that it is on."),
                .optional("connector_id", .id, "The bot platform that answers."),
                .defaulted(
                    "type", .oneOf(["openline", "bot", "supervisor", "personal"]),
                    "What it hears; openline if left out."),
                .defaulted("api", .oneOf(["v2", "v1"]), "Bitrix24's generation of chat-bots; v2 if left out."),
                .defaulted(
                    "delivery", .oneOf(["webhook", "fetch"]),
                    "How its events come; if left out, they are fetched where the installation is a webhook."),
                .optional("position", .text, "What stands below its name in Bitrix24."),
                .optional("color", .oneOf(BotProfile.colors), "The colour of its picture while it has none."),
                .optional(
                    "avatar", .checked(schema: Avatar.schema, fault: { Avatar.fault(in: $0) }),
                    "Its picture: PNG, JPEG, GIF or WebP in Base64, at most 512 KB. Write-only: reads show `••••`. With `null` it is forgotten here; Bitrix24 keeps the last one."
                ),
                .shownIfAny("bot_id", .integer, "Bitrix24's id of the bot."),
                .shown("status", .oneOf(["registering", "active", "failed", "deleted"]), "Whether Bitrix24 has it."),
                .shownIfAny("status_reason", .text, "Why it failed, or what Bitrix24 could not be told."),
                .defaulted("settings", .structure(settings), "How it behaves in the chat."),
                .shown("created_at", .time, "When it was added."),
            ],
            json: { bot in
                [
                    "id": JSON(bot.id), "name": .string(bot.name), "installation_id": JSON(bot.installationID),
                    "portal_id": JSON(try await store.installation(bot.installationID)?.portalID),
                    "connector_id": JSON(bot.connectorID), "type": .string(bot.type), "api": .string(bot.api),
                    "position": bot.position.isEmpty ? .null : .string(bot.position), "color": JSON(bot.color),
                    "avatar": bot.hasAvatar ? .string(Avatar.shown) : .null,
                    "delivery": .string(bot.delivery), "bot_id": bot.botID.map(JSON.integer) ?? .null,
                    "status": .string(bot.status.rawValue), "status_reason": JSON(bot.statusReason),
                    "settings": bot.settings, "created_at": JSON(bot.createdAt),
                ]
            })
    }

    /// `null` takes one back.
    private var settings: [Field] {
        BotSettings.table.map { setting in
            .optional(
                setting.name, .checked(schema: setting.schema, fault: { setting.fault(in: $0) }), setting.about)
        }
    }

    private var commands: Collection<CommandRecord> {
        Collection(
            "commands", "command", path: "/api/v1/bots/{bot_id}/commands",
            fields: [
                .shown("id", .id, "The command's id here."),
                .required("command", .text, "Without the slash."),
                .defaulted("common", .flag, "Works in every chat."),
                .defaulted("hidden", .flag, "Not shown in the list of commands."),
                .defaulted("extranet", .flag, "For extranet users too."),
                .defaulted(
                    "translations",
                    .list(of: [
                        .required("language", .text, "Two letters."), .required("title", .text, "What it does."),
                        .optional("params", .text, "What is written after it."),
                    ]), "The words that people see."),
                .shownIfAny("command_id", .integer, "Bitrix24's id of the command."),
            ],
            json: { command in
                [
                    "id": JSON(command.id), "command": .string(command.command), "common": .bool(command.common),
                    "hidden": .bool(command.hidden), "extranet": .bool(command.extranet),
                    "translations": .array(
                        command.translations.map {
                            ["language": .string($0.language), "title": .string($0.title), "params": JSON($0.params)]
                        }),
                    "command_id": command.commandID.map(JSON.integer) ?? .null,
                ]
            })
    }

    var operations: [Operation] {
        [
            bots.list(
                filters: [APIRequest.portalFilter, ("installation_id", "Only this installation's.")]
            ) { request, limit, cursor in
                try await store.bots(
                    limit: limit, after: cursor, portal: try request.portalFilter(),
                    installation: try Query(request).id("installation_id"))
            }.allowed(to: .portalUser),
            bots.create(
                "Adds a bot and registers it in Bitrix24; `status` and `status_reason` say how that went", create),
            bots.read(bot).allowed(to: .portalUser),
            bots.change("Changes a bot, in Bitrix24 too; registers anew one that failed or was deleted there", change),
            bots.delete("Removes a bot, from Bitrix24 too") { request in
                let bot = try await bot(request)
                try await asking { try await registrar.unregister(bot) }
                try await store.deleteBot(bot.id)
            },
            commands.list { try await store.commands(of: try await owner($0).id, limit: $1, after: $2) },
            commands.create("Adds a command and registers it in Bitrix24", createCommand),
            commands.read { try await command($0).command },
            commands.change("Changes a command, in Bitrix24 too") { request, draft in
                let (command, owner) = try await command(request)
                let changed = try await store.update(command.id) { command in
                    command = try filled(command, from: draft)
                    return command
                }
                return try await asking { try await registrar.register(changed, of: owner) }
            },
            commands.delete("Removes a command, from Bitrix24 too") { request in
                let (command, owner) = try await command(request)
                try await asking { try await registrar.unregister(command, of: owner) }
                try await store.deleteCommand(command.id)
            },
        ].map { $0.allowed(to: .portalAdmin) }
    }

    @Sendable private func create(_ request: APIRequest, _ draft: Draft) async throws -> BotRecord {
        guard let installationID: ID<InstallationRecord> = try draft.id("installation_id", else: nil),
            let installation = try await store.installation(installationID), request.sees(installation.portalID)
        else { throw APIError.invalid(["installation_id": "does not exist"]) }
        try await checkMayRegister(installation)
        var new = BotDraft(
            installationID: installationID, name: draft.text("name", else: ""),
            code: "bitbot_" + Vault.randomToken(bytes: 9).lowercased().filter { $0.isLetter || $0.isNumber })
        new.connectorID = try await connector(draft, else: nil, request)
        new.type = draft.text("type", else: new.type)
        new.api = draft.text("api", else: new.api)
        new.delivery = draft.text("delivery", else: installation.kind == .webhook ? "fetch" : "webhook")
        try checkDelivery(new.delivery, api: new.api)
        new.settings = draft.merged("settings", into: [:])
        new.position = draft.textIfAny("position", else: nil) ?? ""
        new.color = draft.textIfAny("color", else: nil)
        let bot = try await store.createBot(new, now: clock.now)
        try await setAvatar(of: bot, from: draft)
        return try await registrar.register(bot)
    }

    @Sendable private func change(_ request: APIRequest, _ draft: Draft) async throws -> BotRecord {
        let found = try await bot(request)
        let connector = try await connector(draft, else: found.connectorID, request)
        let (bot, looksTheSame) = try await store.update(found.id, now: clock.now) { bot in
            let former = bot
            try checkLasting(bot, draft)
            try checkDelivery(draft.text("delivery", else: bot.delivery), api: bot.api)
            bot.name = draft.text("name", else: bot.name)
            if draft.has("connector_id") { bot.connectorID = connector }
            bot.settings = draft.merged("settings", into: bot.settings)
            bot.position = draft.textIfAny("position", else: bot.position) ?? ""
            bot.color = draft.textIfAny("color", else: bot.color)
            return (bot, bot.name == former.name && bot.position == former.position && bot.color == former.color)
        }
        let hasNewAvatar = try await setAvatar(of: bot, from: draft)
        let delivery = draft.text("delivery", else: bot.delivery)
        if delivery != bot.delivery {
            try await store.switchDelivery(of: bot.id, to: delivery, now: clock.now)
            return try await registrar.register(try await self.bot(request))
        }
        let isUpToDate = looksTheSame && !hasNewAvatar && bot.status == .active && bot.statusReason == nil
        return isUpToDate ? try await self.bot(request) : try await registrar.register(bot)
    }

    private func checkLasting(_ bot: BotRecord, _ draft: Draft) throws {
        if let installation: ID<InstallationRecord> = try draft.id("installation_id", else: nil),
            installation != bot.installationID
        {
            throw APIError.invalid(["installation_id": "cannot change: add a new bot"])
        }
        for (name, value) in [("api", bot.api), ("type", bot.type)] where draft.text(name, else: value) != value {
            throw APIError.invalid([name: "cannot change: add a new bot"])
        }
    }

    /// - Returns: whether it is another one now.
    @discardableResult
    private func setAvatar(of bot: BotRecord, from draft: Draft) async throws -> Bool {
        guard let value = draft.value("avatar"), value.string != Avatar.shown else { return false }
        let image = value.string.flatMap { Avatar.image(in: $0) }
        if image == nil, !bot.hasAvatar { return false }
        try await store.setAvatar(image, of: bot.id)
        return true
    }

    @Sendable private func createCommand(_ request: APIRequest, _ draft: Draft) async throws -> CommandRecord {
        let owner = try await owner(request)
        let blank = CommandRecord(
            id: ID(rawValue: 0), botID: owner.id, command: "", common: false, hidden: false, extranet: false,
            translations: [],
            commandID: nil)
        let command = try await store.createCommand(try filled(blank, from: draft))
        do {
            return try await asking { try await registrar.register(command, of: owner) }
        } catch {
            try await store.deleteCommand(command.id)
            throw error
        }
    }

    private func filled(_ command: CommandRecord, from draft: Draft) throws -> CommandRecord {
        var command = command
        command.command = draft.text("command", else: command.command)
        command.common = draft.flag("common", else: command.common)
        command.hidden = draft.flag("hidden", else: command.hidden)
        command.extranet = draft.flag("extranet", else: command.extranet)
        if let translations = draft.list("translations") {
            command.translations = translations.map {
                CommandRecord.Translation(
                    language: $0["language"]?.string ?? "", title: $0["title"]?.string ?? "",
                    params: $0["params"]?.string)
            }
        }
        guard command.command.wholeMatch(of: /[A-Za-z0-9_]{1,30}/) != nil else {
            throw APIError.invalid(["command": "must be 1 to 30 letters, digits or underscores, without the slash"])
        }
        guard command.hidden || !command.translations.isEmpty else {
            throw APIError.invalid(["translations": "must have at least one title, unless the command is hidden"])
        }
        return command
    }

    // MARK: What there is

    private func checkMayRegister(_ installation: InstallationRecord) async throws {
        if installation.kind == .webhook { return }
        guard let appID = installation.appID, let app = try await store.app(appID), app.bitbot else {
            throw APIError.conflict("The application of this installation may not register bots: set its `bitbot`")
        }
    }

    private func checkDelivery(_ delivery: String, api: String) throws {
        guard delivery == "fetch", api == "v1" else { return }
        throw APIError.invalid([
            "delivery": "must be webhook for a bot of the first generation: only the second (v2) can fetch its events"
        ])
    }

    private func connector(
        _ draft: Draft, else given: ID<ConnectorRecord>?, _ request: APIRequest
    ) async throws -> ID<ConnectorRecord>? {
        let id = try draft.id("connector_id", else: given)
        guard let id, id != given else { return id }
        guard let connector = try await store.connector(id), request.mayUse(connector) else {
            throw APIError.invalid(["connector_id": "does not exist"])
        }
        return id
    }

    @Sendable private func bot(_ request: APIRequest) async throws -> BotRecord {
        try await bot(try request.id(of: "bot"), request)
    }

    @Sendable private func owner(_ request: APIRequest) async throws -> BotRecord {
        try await bot(try request.id("bot_id", of: "bot"), request)
    }

    private func bot(_ id: ID<BotRecord>, _ request: APIRequest) async throws -> BotRecord {
        guard let found = try await store.bot(id),
            let installation = try await store.installation(found.installationID), request.sees(installation.portalID)
        else { throw APIError.notFound("bot") }
        return found
    }

    private func command(_ request: APIRequest) async throws -> (command: CommandRecord, bot: BotRecord) {
        let owner = try await owner(request)
        guard let found = try await store.command(request.id(of: "command")), found.botID == owner.id else {
            throw APIError.notFound("command")
        }
        return (found, owner)
    }
}
