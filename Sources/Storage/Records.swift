import Base

/// The key of a stored record; outside it is an opaque string.
public struct ID<Record>: RawRepresentable, Hashable, Sendable, LosslessStringConvertible {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init?(_ description: String) {
        guard let value = Int64(description), value > 0 else { return nil }
        rawValue = value
    }
    public var description: String { String(rawValue) }
}

/// An application that is set up in Bitrix24 and known here by its keys.
public struct AppRecord: Sendable, Equatable {
    public var id: ID<AppRecord>
    public var name: String
    public var clientID: String?
    public var clientSecret: Secret?
    /// Only such an application offers `/bitbot/` and may register bots.
    public var bitbot: Bool
    public var pageURL: String?
    /// The random part of its addresses.
    public var addressKey: String
    public var sandbox: Bool
    public var createdAt: Timestamp
}

/// A Bitrix24 account, whatever its address.
public struct PortalRecord: Sendable, Equatable {
    public var id: ID<PortalRecord>
    public var memberID: String
    public var domain: String
    public var limitBurst: Int
    public var limitPerSecond: Double
    public var allowPrivate: Bool
    public var sandbox: Bool
    public var createdAt: Timestamp
    public var lastSeenAt: Timestamp?
}

public struct InstallationRecord: Sendable, Equatable {
    public enum Kind: String, Sendable { case app, webhook, sandbox }
    public enum Status: String, Sendable { case active, uninstalled, reauthorize, denied }
    public var id: ID<InstallationRecord>
    public var portalID: ID<PortalRecord>
    public var appID: ID<AppRecord>?
    public var kind: Kind
    public var status: Status
    public var scope: String
    /// REST root, ending with a slash.
    public var clientEndpoint: String
    /// The authorization server's REST root.
    public var serverEndpoint: String
    public var applicationToken: Secret?
    /// What the administrator should know, in plain words.
    public var notice: String?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
}

/// A user's tokens for one installation.
public struct CredentialRecord: Sendable, Equatable {
    public var id: ID<CredentialRecord>
    public var installationID: ID<InstallationRecord>
    public var userID: String
    public var admin: Bool
    public var accessToken: Secret
    public var refreshToken: Secret?
    /// Kept until the new pair has been used.
    public var formerRefreshToken: Secret?
    public var expiresAt: Timestamp
    public var renewedAt: Timestamp
    /// False once the authorization server has refused it for good.
    public var usable: Bool
}

public struct ProviderRecord: Sendable, Equatable {
    public var id: ID<ProviderRecord>
    public var name: String
    /// A name of a `PlatformType` (`dify_chatflow`, …).
    public var type: String
    public var url: String
    /// Whether portals' administrators may use it.
    public var shared: Bool
    /// Whether their connectors may have addresses elsewhere than the provider.
    public var anyAddress: Bool
    public var createdAt: Timestamp
}

public struct ConnectorRecord: Sendable, Equatable {
    public var id: ID<ConnectorRecord>
    /// `nil`: the server's own.
    public var portalID: ID<PortalRecord>?
    public var providerID: ID<ProviderRecord>
    public var shared: Bool
    public var name: String
    public var key: Secret?
    public var url: String?
    public var options: JSON
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
}

public struct BotRecord: Sendable, Equatable {
    /// `registering` until Bitrix24 has given it an id; `failed` with a reason when it refused.
    public enum Status: String, Sendable { case registering, active, failed, deleted }
    public var id: ID<BotRecord>
    public var installationID: ID<InstallationRecord>
    public var connectorID: ID<ConnectorRecord>?
    public var name: String
    public var code: String
    /// `openline`, `bot`, `supervisor`, `personal`.
    public var type: String
    /// `v2` or `v1`.
    public var api: String
    /// `webhook` or `fetch`.
    public var delivery: String
    /// Bitrix24's id of the bot.
    public var botID: Int64?
    public var status: Status
    public var statusReason: String?
    /// The random part of its event address.
    public var addressKey: String
    public var settings: JSON
    /// What stands below its name.
    public var position = ""
    public var color: String?
    /// The image itself is read with `Store.avatar(of:)`.
    public var hasAvatar = false
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
}

public struct CommandRecord: Sendable, Equatable {
    public struct Translation: Sendable, Equatable, Codable {
        public var language: String
        public var title: String
        public var params: String?
        public init(language: String, title: String, params: String? = nil) {
            self.language = language
            self.title = title
            self.params = params
        }
    }
    public var id: ID<CommandRecord>
    public var botID: ID<BotRecord>
    /// Without the slash.
    public var command: String
    public var common: Bool
    public var hidden: Bool
    public var extranet: Bool
    public var translations: [Translation]
    /// Bitrix24's id of the command.
    public var commandID: Int64?

    public init(
        id: ID<CommandRecord>, botID: ID<BotRecord>, command: String, common: Bool = false, hidden: Bool = false,
        extranet: Bool = false, translations: [Translation] = [], commandID: Int64? = nil
    ) {
        self.id = id
        self.botID = botID
        self.command = command
        self.common = common
        self.hidden = hidden
        self.extranet = extranet
        self.translations = translations
        self.commandID = commandID
    }
}

public struct DialogRecord: Sendable, Equatable {
    public enum State: String, Sendable { case bot, `operator`, closed }
    public var id: ID<DialogRecord>
    public var botID: ID<BotRecord>
    public var portalID: ID<PortalRecord>
    /// Bitrix24's dialog id (`chat42`, or a user's number in a private dialog).
    public var dialogID: String
    public var chatID: String?
    public var state: State
    public var title: String
    public var createdAt: Timestamp
    public var lastMessageAt: Timestamp
}

/// A dialog as a list shows it.
public struct DialogSummary: Sendable, Equatable {
    public var dialog: DialogRecord
    public var botName: String
    public var portalDomain: String
    /// The beginning of the last line; `nil` if nothing is kept of what was said.
    public var lastText: String?
    /// Whether it has failed work.
    public var hasFailed: Bool
}

/// Which dialogs a list shows.
public struct DialogFilter: Sendable {
    public var portal: ID<PortalRecord>?
    public var bot: ID<BotRecord>?
    public var state: DialogRecord.State?
    /// A part of the title, the dialog's id or the chat's.
    public var text: String?
    public init() {}
}

/// One line of a dialog's transcript.
public struct MessageRecord: Sendable, Equatable {
    public enum Author: String, Sendable { case customer, bot, `operator`, system }
    public var id: ID<MessageRecord>
    public var dialogID: ID<DialogRecord>
    public var author: Author
    public var text: String
    public var createdAt: Timestamp
    /// What it belongs to, as long as that is known.
    public var event: MessageEvent?
}

/// What became of the event that a line belongs to.
public struct MessageEvent: Sendable, Equatable {
    /// That of the whole question, where several messages were asked as one.
    public var id: ID<EventRecord>
    public var state: EventRecord.State
    public var attempts: Int
    public var lastError: String?
    /// When this line's own event came.
    public var receivedAt: Timestamp
    public var askedAt: Timestamp?
    public var finishedAt: Timestamp?
}

/// What a bot platform remembers a dialog by.
public struct SessionRecord: Sendable, Equatable {
    public var dialogID: ID<DialogRecord>
    public var connectorID: ID<ConnectorRecord>
    /// The platform's own conversation or session id.
    public var platformID: String
    /// What else goes with it: history, offered choices.
    public var data: JSON
    public var expiresAt: Timestamp
    public init(
        dialogID: ID<DialogRecord>, connectorID: ID<ConnectorRecord>, platformID: String, data: JSON = [:],
        expiresAt: Timestamp
    ) {
        self.dialogID = dialogID
        self.connectorID = connectorID
        self.platformID = platformID
        self.data = data
        self.expiresAt = expiresAt
    }
}

/// A page of a list, newest first.
public struct Page<Item: Sendable>: Sendable {
    public var items: [Item]
    /// Give it back to read on; `nil` at the end.
    public var next: String?
    public init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}
