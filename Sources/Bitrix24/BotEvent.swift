import Base

/// Something that happened to a bot.
public struct BotEvent: Sendable {
    public enum Kind: String, Sendable {
        case message, command, joined, deleted, messageUpdated, messageDeleted, reaction, contextRequested
    }

    /// A person or bot, as the event describes it; what it does not carry is `nil`.
    public struct User: Sendable {
        public var id: String?
        public var firstName: String?
        public var lastName: String?
        public var isBot: Bool?
        public var isConnector: Bool?
        public var isNetwork: Bool?
        public var isExtranet: Bool?
        public init() {}
    }

    public struct Chat: Sendable {
        public var id: String?
        /// `P`, `C`, `O`, `L` of the first generation, or the second's word.
        public var type: String?
        public var authorID: String?
        public var title: String?
        /// `LINES` in an open channel.
        public var entityType: String?
        public var entityID: String?
        public var entityData1: String?
        public var entityData2: String?
        public init() {}
    }

    public struct Command: Sendable {
        public var id: String
        /// Without the slash.
        public var name: String
        public var params: String
        /// By a button or in a menu of the message that the event names, not typed in it.
        public var isPressed: Bool
        public init(id: String, name: String, params: String, isPressed: Bool = false) {
            self.id = id
            self.name = name
            self.params = params
            self.isPressed = isPressed
        }

        /// - Parameter context: as either generation writes it.
        init(id: String, name: String, params: String, context: String?) {
            let isPressed = ["keyboard", "menu"].contains(context?.lowercased())
            self.init(id: id, name: name, params: params, isPressed: isPressed)
        }
    }

    public struct File: Sendable {
        public var id: String
        public var name: String?
        /// Bitrix24's viewer type or kind (`image`, `audio`, …).
        public var type: String?
        /// In bytes.
        public var size: Int64?
        /// Of its name, without the dot.
        public var fileExtension: String?
        /// Its MIME type, where it is told.
        public var mediaType: String?
        public init(
            id: String, name: String? = nil, type: String? = nil, size: Int64? = nil, fileExtension: String? = nil,
            mediaType: String? = nil
        ) {
            self.id = id
            self.name = name
            self.type = type
            self.size = size
            self.fileExtension = fileExtension
            self.mediaType = mediaType
        }
    }

    public enum Mentions: Sendable { case nobody, bot, others }

    public var kind: Kind
    public var generation: BotGeneration
    /// The first generation's name for it (`ONIMBOTMESSAGEADD`, `ONIMCOMMANDADD`, `ONIMBOTJOINCHAT`…).
    public var firstGenerationName: String
    /// Bitrix24's id of the bot.
    public var botID: Int64
    public var botAccessToken: Secret?
    /// Where to answer: `chat42`, or a user's number in a private dialog. Empty for `deleted`.
    public var dialogID: String
    public var messageID: Int64?
    /// Without a mention of the bot.
    public var text: String
    /// Whom the text mentions, as far as the event tells.
    public var mentions = Mentions.nobody
    public var authorID: String?
    @Indirect public var user = User()
    @Indirect public var chat = Chat()
    @Rare public var command: Command?
    public var files: [File] = []
    public var language: String?
    public var isSystem = false
    /// For `reaction`: which, and whether it was set.
    @Rare public var reaction: (name: String, isSet: Bool)?

    /// In an open channel, whose customers may sit in another messenger.
    public var isOpenChannel: Bool { chat.entityType == "LINES" || chat.type == "L" || chat.type == "lines" }

    public init(
        kind: Kind, generation: BotGeneration, firstGenerationName: String, botID: Int64, dialogID: String,
        messageID: Int64? = nil, text: String = ""
    ) {
        self.kind = kind
        self.generation = generation
        self.firstGenerationName = firstGenerationName
        self.botID = botID
        self.dialogID = dialogID
        self.messageID = messageID
        self.text = text
    }
}
