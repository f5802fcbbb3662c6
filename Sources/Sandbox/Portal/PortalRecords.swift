import Base

/// What a portal shows of itself: its people, dialogs, messages, bots, and what went over the wire.
extension SimulatedPortal {
    /// Somebody who can write in a chat.
    public struct User: Sendable, Hashable, Identifiable {
        public enum Kind: Sendable, Hashable {
            case employee
            /// An external client of an open channel.
            case customer
            case bot
        }
        public var id: Int
        public var firstName: String
        public var lastName: String
        public var kind: Kind
        public var isAdmin: Bool
        /// `first last`, without outer spaces.
        public var name: String { lastName.isEmpty ? firstName : firstName + " " + lastName }
    }

    /// A chat as the portal keeps it.
    public struct Dialog: Sendable, Hashable, Identifiable {
        public enum Kind: Sendable, Hashable {
            case privateChat
            case group
            case openChannel(line: Int)
        }
        /// The chat's number; also of a private chat.
        public var id: Int
        public var kind: Kind
        public var title: String
        /// User ids of all who are in it, bots too.
        public var members: [Int]
        /// Who started it; the customer of an open channel.
        public var owner: Int
        /// The open session of an open channel, if there is one.
        public var sessionID: Int?
        /// The employee who has the dialog; `nil` while a bot, or nobody, has it.
        public var operatorID: Int?
        /// The `DIALOG_ID` by which a bot knows it: `chat12`, or the other user's id in a private chat.
        public var dialogID: String
    }

    /// A message in a chat.
    public struct Message: Sendable, Equatable, Identifiable {
        public var id: Int
        public var chatID: Int
        /// 0 for a system message.
        public var authorID: Int
        public var text: String
        public var date: Timestamp
        /// As sent: rows of buttons under the message.
        public var keyboard: JSON?
        /// As sent: blocks attached to the message.
        public var attach: JSON?
        /// The sender's key against repeats.
        public var uuid: String?
        public var isSystem = false
        /// Not shown to the customer of an open channel.
        public var isHiddenFromCustomer = false
        public var isEdited = false
        public var isDeleted = false
        /// Reactions by name, with those who gave them.
        public var reactions: [String: [Int]] = [:]
        public var files: [File] = []
    }

    /// A file that a person put into a chat.
    public struct File: Sendable, Hashable, Identifiable {
        public var id: Int
        public var name: String
        /// `image`, `video`, `audio` or `file`.
        public var type: String
        public var content: [UInt8]
    }

    /// A registered bot.
    public struct Bot: Sendable, Hashable, Identifiable {
        public enum Generation: Sendable, Hashable { case first, second }
        /// The bot's user id.
        public var id: Int
        public var code: String
        public var name: String
        /// The first generation's letter (`B`, `O`, `H`, `S`) or the second's word (`bot`, `openline`, …).
        public var type: String
        public var generation: Generation
        public var clientID: String
        /// Where messages go; empty for a bot that fetches its events.
        public var handlerURL: String
        public var workPosition = ""
        /// `#df532d`.
        public var color = ""
        public var avatar: [UInt8]?
    }

    /// A bot's command as it was registered.
    public struct Command: Sendable, Equatable {
        /// Without the slash.
        public var name: String
        public var botID: Int
        public var isCommon: Bool
        public var isHidden: Bool
        public var isForExtranet: Bool
        /// By language.
        public var titles: Members<String>
        public var params: Members<String>
    }

    /// One REST call of an application; each command inside a batch is one too.
    public struct Call: Sendable {
        /// Counts up from 1.
        public var number: Int
        public var method: String
        /// Without tokens.
        public var parameters: JSON
        public var isInsideBatch: Bool
        public var time: Timestamp
        /// Until the answer was ready.
        public var duration: Duration
        public var status: Int
        /// The `error` code of the answer.
        public var error: String?
        public var clientID: String?
    }

    /// One event that the portal posted.
    public struct Delivery: Sendable {
        public var number: Int
        public var event: String
        public var url: String
        /// The event's `data`, tokens included.
        public var data: JSON
        public var chatID: Int?
        public var messageID: Int?
        /// When it was posted.
        public var time: Timestamp
        /// Until the handler's answer.
        public var duration: Duration
        /// The handler's answer; `nil` if there was none.
        public var status: Int?
    }

    /// Something that happened, for those who watch.
    public enum Change: Sendable {
        case messageAdded(Message)
        case messageChanged(Message)
        case messageDeleted(Message)
        /// A bot shows that it is at work: `TYPING`, `THINKING`, …
        case inputAction(chatID: Int, userID: Int, action: String, text: String?)
        case dialogChanged(Dialog)
        case botChanged(Bot)
        case botRemoved(id: Int)
        case called(Call)
        case delivered(Delivery)
    }
}
