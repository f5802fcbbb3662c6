import Base

/// Something that a bot is told.
enum BotEvent {
    case messageAdd(SimulatedPortal.Message)
    case messageUpdate(SimulatedPortal.Message)
    case messageDelete(SimulatedPortal.Message)
    case join
    case delete
    case command(CommandRecord, parameters: String, context: CommandContext, SimulatedPortal.Message)
    case reaction(String, isAdded: Bool, SimulatedPortal.Message)
    /// Somebody opened the dialog with data for the bot.
    case contextGet(JSON)

    enum CommandContext: String { case textarea, keyboard, menu }

    /// The second generation's name. Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/events/events.md`.
    var secondName: String {
        switch self {
        case .messageAdd: "ONIMBOTV2MESSAGEADD"
        case .messageUpdate: "ONIMBOTV2MESSAGEUPDATE"
        case .messageDelete: "ONIMBOTV2MESSAGEDELETE"
        case .join: "ONIMBOTV2JOINCHAT"
        case .delete: "ONIMBOTV2DELETE"
        case .command: "ONIMBOTV2COMMANDADD"
        case .reaction: "ONIMBOTV2REACTIONCHANGE"
        case .contextGet: "ONIMBOTV2CONTEXTGET"
        }
    }

    /// The first generation's name; it has none for reactions and contexts.
    var firstName: String? {
        switch self {
        case .messageAdd: "ONIMBOTMESSAGEADD"
        case .messageUpdate: "ONIMBOTMESSAGEUPDATE"
        case .messageDelete: "ONIMBOTMESSAGEDELETE"
        case .join: "ONIMBOTJOINCHAT"
        case .delete: "ONIMBOTDELETE"
        case .command: "ONIMCOMMANDADD"
        case .reaction, .contextGet: nil
        }
    }

    var message: SimulatedPortal.Message? {
        switch self {
        case .messageAdd(let message), .messageUpdate(let message), .messageDelete(let message),
            .command(_, _, _, let message), .reaction(_, _, let message):
            message
        case .join, .delete, .contextGet: nil
        }
    }
}

extension PortalState {
    /// Tells bots of something, each in the form of its generation.
    mutating func emit(_ event: BotEvent, to ids: [Int], chat chatID: Int?, user: Int, now: Timestamp) {
        var first: [BotRecord] = []
        for id in ids {
            guard let bot = bots[id], isListening(bot.owner) else { continue }
            switch bot.generation {
            case .first: first.append(bot)
            case .second: emitSecond(event, to: bot, chat: chatID.flatMap { chats[$0] }, user: user, now: now)
            }
        }
        if !first.isEmpty { emitFirst(event, to: first, chat: chatID.flatMap { chats[$0] }, user: user, now: now) }
    }

    /// Events go to finished installations only. Documentation: `settings/app-installation/installation-finish.md`.
    private func isListening(_ owner: Owner) -> Bool {
        switch owner {
        case .application(let clientID): installations[clientID]?.isFinished ?? false
        case .named: true
        }
    }

    private mutating func emitSecond(_ event: BotEvent, to bot: BotRecord, chat: Chat?, user: Int, now: Timestamp) {
        var data = secondData(event, for: bot, chat: chat, user: user, missing: bot.isFetching ? .null : .empty)
        if bot.isFetching {
            data["bot"] = botObject(bot)
            let entry = FetchQueue.Entry(id: next(.event), type: event.secondName, date: now, data: .object(data))
            bots[bot.id]?.fetched.append(entry)
            // Subscriptions that were not cleaned up, because of the bot's neighbours, go on.
            guard !bot.formerURLs.isEmpty else { return }
            data = secondData(event, for: bot, chat: chat, user: user, missing: .empty)
        }
        data["bot"] = [
            "id": JSON(bot.id), "code": .string(bot.code),
            "auth": eventAuth(bot.owner, bot: bot, user: bot.id, now: now),
        ]
        let auth = eventAuth(bot.owner, bot: bot, user: user, now: now)
        for url in [bot.webhookURL] + bot.formerURLs where !url.isEmpty {
            deliveryQueue.made.append(
                OutgoingEvent(
                    name: event.secondName, url: url, handlerID: nil, data: .object(data), auth: auth, date: now,
                    chatID: chat?.id, messageID: event.message?.id, isSecondGeneration: true))
        }
    }

    /// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/events/events.md`.
    private func secondData(
        _ event: BotEvent, for bot: BotRecord, chat: Chat?, user: Int, missing: Missing
    ) -> Members<JSON> {
        if case .delete = event { return [:] }
        var data: Members<JSON> = [
            "user": userObject(user, inEvent: true), "language": .string(settings.language),
        ]
        if let chat { data["chat"] = chatObject(chat, for: bot.id, inEvent: true, missing: missing) }
        switch event {
        case .messageAdd(let message), .messageUpdate(let message):
            data["message"] = messageObject(message, inEvent: true, missing: missing)
        case .messageDelete(let message): data["messageId"] = JSON(message.id)
        case .join: data["dialogId"] = .string(chat?.dialogID(for: bot.id) ?? "")
        case .command(let command, let parameters, let context, let message):
            data["message"] = messageObject(message, inEvent: true, missing: missing)
            data["command"] = [
                "id": JSON(command.id), "command": .string("/" + command.command), "params": .string(parameters),
                "context": .string(context.rawValue),
            ]
        case .reaction(let reaction, let isAdded, let message):
            data["message"] = messageObject(message, inEvent: true, missing: missing)
            data["reaction"] = .string(reaction)
            data["action"] = isAdded ? "add" : "delete"
        case .contextGet(let context):
            data["context"] = context
            data["dialogId"] = .string(chat?.dialogID(for: bot.id) ?? "")
        case .delete: break
        }
        return data
    }

    // MARK: Authorization in events

    /// The `auth` of an event. Tokens belong to `user`; there are none for external clients and for bots that were
    /// registered through a webhook. Documentation: `_includes/auth-params-in-events.md`, `api-reference/events/index.md`.
    func eventAuth(
        _ owner: Owner, bot: BotRecord?, user: Int, now: Timestamp, withRefreshToken: Bool = false,
        withClientID: Bool = false
    ) -> JSON {
        guard case .application(let clientID) = owner, let installation = installations[clientID] else {
            return [
                "domain": .string(domain), "client_endpoint": .string(clientEndpoint),
                "server_endpoint": .string(authorization.serverEndpoint), "member_id": .string(settings.memberID),
                "application_token": .string(bot?.ownToken ?? ""),
            ]
        }
        var auth: Members<JSON> = [
            "scope": "imbot", "domain": .string(domain), "server_endpoint": .string(authorization.serverEndpoint),
            "status": "L", "client_endpoint": .string(clientEndpoint), "member_id": .string(settings.memberID),
            "application_token": .string(installation.applicationToken),
        ]
        guard let kind = users[user]?.kind, kind != .customer else { return .object(auth) }
        let pair = authorization.eventPair(clientID: clientID, memberID: settings.memberID, userID: user, now: now)
        auth["access_token"] = .string(pair.access)
        auth["expires"] = .text(Int(pair.expires.rawValue / 1000))
        auth["expires_in"] = .text(Int((pair.expires - now).milliseconds / 1000))
        auth["user_id"] = .text(user)
        if withRefreshToken { auth["refresh_token"] = .string(pair.refresh) }
        if withClientID { auth["client_id"] = .string(clientID) }
        return .object(auth)
    }

    var domain: String { String(origin.dropFirst("http://".count)) }
    var clientEndpoint: String { origin + "/rest/" }
}
