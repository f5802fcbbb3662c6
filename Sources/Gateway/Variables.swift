import Base
import Bitrix24

/// The variables that a bot receives with an event; one that the event does not carry is left out.
enum Variables {
    /// - Parameters:
    ///   - installationScope: used where an event of the second generation has none of its own.
    ///   - clientEndpoint: likewise.
    static func plain(
        _ event: BotEvent, auth: EventAuth, installationScope: String, clientEndpoint: String
    ) -> Members<String> {
        let isSecond = event.generation == .second
        let named: KeyValuePairs<String, String?> = [
            "event": event.firstGenerationName,
            "scope": auth.scope ?? (isSecond ? installationScope : nil),
            "client_endpoint": auth.clientEndpoint ?? (isSecond ? clientEndpoint : nil),
            "BOT_ID": "\(event.botID)",
            "DIALOG_ID": event.dialogID,
            "CHAT_ID": event.chat.id,
            "MESSAGE_ID": event.messageID.map { "\($0)" },
            "MESSAGE": event.kind == .joined ? nil : message(of: event),
            "AUTHOR_ID": event.authorID,
            "USER_ID": event.user.id,
            "CHAT_AUTHOR_ID": event.chat.authorID,
            "CHAT_TITLE": event.chat.title,
            "CHAT_ENTITY_ID": event.chat.entityID,
            "CHAT_ENTITY_DATA_1": event.chat.entityData1,
            "CHAT_ENTITY_DATA_2": event.chat.entityData2,
            "FIRST_NAME": event.user.firstName,
            "LAST_NAME": event.user.lastName,
            "IS_BOT": flag(event.user.isBot),
            "IS_CONNECTOR": flag(event.user.isConnector),
            "IS_NETWORK": flag(event.user.isNetwork),
            "IS_EXTRANET": flag(event.user.isExtranet),
            "LANGUAGE": event.language,
        ]
        var all: Members<String> = [:]
        all.reserveCapacity(32)
        for case (let name, let value?) in named { all[name] = value }
        if let command = event.command {
            all["COMMAND_ID"] = command.id
            all["COMMAND"] = command.name
            all["COMMAND_PARAMS"] = command.params
        }
        if let file = event.files.first {
            all["file_id"] = file.id
            all["file_type"] = file.type
        }
        return all
    }

    /// The variables that are tokens. An event of the second generation without an access token of its own has the
    /// installation's.
    static func tokens(_ event: BotEvent, auth: EventAuth, userAccessToken: Secret?) -> Members<Secret> {
        let named: Members<Secret?> = [
            "access_token": auth.accessToken ?? (event.generation == .second ? userAccessToken : nil),
            "user_access_token": userAccessToken,
            "bot_access_token": event.botAccessToken,
        ]
        return named.compactMapValues { $0 }
    }

    /// What the person said; a file without words says that it was sent.
    static func message(of event: BotEvent) -> String {
        guard event.text.isEmpty, let file = event.files.first else { return event.text }
        return "File sent: \(file.name ?? file.id)"
    }

    private static func flag(_ value: Bool?) -> String? { value.map { $0 ? "Y" : "N" } }
}
