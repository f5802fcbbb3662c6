import Base

/// All that a portal remembers. Its methods change it in one step each; whoever calls them holds the portal's lock.
struct PortalState: Sendable {
    let settings: SimulatedPortal.Settings
    let authorization: SimulatedAuthorizationServer
    var origin = ""
    /// Where it was before.
    var formerDomains: Set<String> = []

    var users: [Int: SimulatedPortal.User] = [:]
    var bots: [Int: BotRecord] = [:]
    var commands: [Int: CommandRecord] = [:]
    var chats: [Int: Chat] = [:]
    /// The chat of two users, the smaller id first.
    var privateChats: [UserPair: Int] = [:]
    var messages: [Int: SimulatedPortal.Message] = [:]
    var files: [Int: StoredFile] = [:]
    var fileLinks = FileLinks()
    var lines: [Int: Line] = [:]
    var sessions: [Int: Session] = [:]
    var installations: [String: Installation] = [:]
    var webhooks: [String: Webhook] = [:]
    var bindings: [EventBinding] = []
    var sends = KnownSends()
    var limits = RequestLimits()
    var faults: [SimulatedPortal.Fault] = []
    var plan = SimulatedPortal.DeliveryPlan()
    var deliveryQueue = DeliveryQueue()
    var watchers: [Int: AsyncStream<SimulatedPortal.Change>.Continuation] = [:]
    var calls: BoundedLog<SimulatedPortal.Call>
    var deliveries: BoundedLog<SimulatedPortal.Delivery>
    var sentByBots = 0

    private var lastIDs: [Counter: Int] = [:]

    /// What is numbered on its own.
    enum Counter: Hashable { case user, chat, message, file, line, session, command, binding, event, watcher }

    init(settings: SimulatedPortal.Settings, authorization: SimulatedAuthorizationServer) {
        self.settings = settings
        self.authorization = authorization
        calls = BoundedLog(limit: settings.logEntries)
        deliveries = BoundedLog(limit: settings.logEntries)
    }

    /// The next number of its kind, from 1.
    mutating func next(_ counter: Counter) -> Int {
        lastIDs[counter, default: 0] += 1
        return lastIDs[counter, default: 0]
    }

    mutating func addUser(
        _ firstName: String, _ lastName: String = "", kind: SimulatedPortal.User.Kind, isAdmin: Bool = false
    ) -> Int {
        let id = next(.user)
        users[id] = SimulatedPortal.User(
            id: id, firstName: firstName, lastName: lastName, kind: kind, isAdmin: isAdmin)
        return id
    }

    /// Tells those who watch; `change` is made only if somebody does.
    func tell(_ change: @autoclosure () -> SimulatedPortal.Change) {
        guard !watchers.isEmpty else { return }
        let value = change()
        for watcher in watchers.values { watcher.yield(value) }
    }

    struct UserPair: Hashable, Sendable {
        var first: Int
        var second: Int
        init(_ a: Int, _ b: Int) {
            first = min(a, b)
            second = max(a, b)
        }
    }

    /// A file in a chat.
    struct StoredFile: Sendable {
        var chatID: Int
        var authorID: Int
        var date: Timestamp
        var file: SimulatedPortal.File
        /// The part of its download link that cannot be guessed.
        var secret = randomHexadecimal(digits: 32)
    }

    /// An open channel.
    struct Line: Sendable {
        var id: Int
        var name: String
        var botID: Int?
        var leave: SimulatedPortal.BotLeave
        var operators: [Int]
        var isActive = true
    }

    /// A session inside an open channel's chat.
    struct Session: Sendable {
        var id: Int
        var chatID: Int
        var start: Timestamp
        var end: Timestamp?
    }

    /// An added application.
    struct Installation: Sendable {
        var application: SimulatedPortal.Application
        var number: Int
        var installedBy: Int
        var isFinished: Bool
        var applicationToken: String
    }

    /// An inbound webhook.
    struct Webhook: Sendable {
        var userID: Int
        var code: String
        var scope: [String]
    }

    /// What `event.bind` made.
    struct EventBinding: Sendable {
        var id: Int
        var clientID: String
        var event: String
        var handler: String
        var authType: Int
        var isOffline: Bool
    }
}

/// A chat with what only the portal's inside needs.
struct Chat: Sendable {
    var id: Int
    var kind: SimulatedPortal.Dialog.Kind
    var title: String
    var members: [Int]
    var owner: Int
    var managers: [Int] = []
    var description = ""
    var color = "#ab7761"
    var created: Timestamp
    var messageIDs: [Int] = []
    /// Counts messages that are no longer kept, too.
    var messageCount = 0
    var isTextFieldEnabled = true
    /// The connector's part of `entity_id`, before the line.
    var connector = ""
    var sessionID: Int?
    var operatorID: Int?
    /// The lead in the CRM that an open channel's chat belongs to.
    var lead: Int?
    /// The last message that each member has read.
    var lastRead: [Int: Int] = [:]

    var line: Int? { if case .openChannel(let line) = kind { line } else { nil } }
    var isPrivate: Bool { kind == .privateChat }

    /// The letter of the chat's type. Documentation: `api-reference/chat-bots/outdated/messages/events/on-imbot-message-add.md`.
    var letter: String {
        switch kind {
        case .privateChat: "P"
        case .group: "C"
        case .openChannel: "L"
        }
    }

    /// The other one in a private chat.
    func counterpart(of user: Int) -> Int? { isPrivate ? members.first { $0 != user } : nil }

    /// The `DIALOG_ID` under which a member knows the chat.
    func dialogID(for member: Int) -> String {
        if let other = counterpart(of: member) { String(other) } else { "chat\(id)" }
    }

    /// Documentation: `api-reference/imopenlines/openlines/sessions/imopenlines-session-open.md`.
    var entityID: String {
        guard let line else { return "" }
        return "\(connector)|\(line)|\(id)|\(owner)"
    }

    /// Documentation: `api-reference/imopenlines/openlines/sessions/imopenlines-dialog-get.md`.
    func entityData1(start: Timestamp?) -> String {
        guard line != nil else { return "" }
        let owner = lead.map { "Y|LEAD|\($0)" } ?? "N|NONE|0"
        return "\(owner)|N|N|\(sessionID ?? 0)|\((start?.rawValue ?? 0) / 1000)|0|0|0"
    }

    var entityData2: String { line == nil ? "" : "LEAD|\(lead ?? 0)|COMPANY|0|CONTACT|0|DEAL|0" }
}

/// Who registered a bot or calls a method: an application, or a name that a webhook's caller chose (`botToken`,
/// `CLIENT_ID`).
enum Owner: Hashable, Sendable {
    case application(String)
    case named(String)
}

/// A bot with its settings.
struct BotRecord: Sendable {
    var id: Int
    var code: String
    var owner: Owner
    var generation: SimulatedPortal.Bot.Generation
    /// The second generation's word for the type, for both generations.
    var type: String
    var isOpenLine: Bool
    var isHidden = false
    var isReactionsEnabled = true
    var backgroundID: String?
    var workPosition = ""
    var color = "#df532d"
    var gender = "M"
    var avatar: [UInt8]?
    /// A second generation bot that fetches has no address.
    var isFetching = false
    var webhookURL = ""
    /// Earlier addresses that still get its events. Documentation: `…/imbot.v2/bots/bot-update.md`, subscriptions of
    /// applications with several bots.
    var formerURLs: [String] = []
    /// A first generation bot's address for each of its events.
    var handlers: [String: String] = [:]
    var countMessage = 0
    /// The synthetic application token of a bot that was registered through a webhook.
    var ownToken = randomHexadecimal(digits: 32)
    var fetched = FetchQueue()

    /// Whether it hears every message of its group chats.
    var hearsAll: Bool { type == "supervisor" || type == "personal" }
}

/// A slash command.
struct CommandRecord: Sendable {
    var id: Int
    var botID: Int
    /// Without the slash.
    var command: String
    var isCommon: Bool
    var isHidden: Bool
    var isForExtranet: Bool
    var titles: Members<String>
    var params: Members<String>
    /// A first generation command has its own address.
    var handlerURL: String?
}

/// The events that wait for `imbot.v2.Event.get`.
struct FetchQueue: Sendable {
    struct Entry: Sendable {
        var id: Int
        var type: String
        var date: Timestamp
        var data: JSON
    }
    private(set) var entries: [Entry] = []
    private let limit = 50_000

    mutating func append(_ entry: Entry) {
        entries.append(entry)
        if entries.count > limit { entries.removeFirst(entries.count - limit) }
    }

    /// Forgets the events before `offset`.
    mutating func confirm(before offset: Int) { entries.removeAll { $0.id < offset } }
}

/// The last entries of something.
struct BoundedLog<Entry: Sendable>: Sendable {
    let limit: Int
    private var kept: [Entry] = []
    private(set) var count = 0

    init(limit: Int) { self.limit = limit }

    /// Oldest first.
    var entries: [Entry] { Array(kept.suffix(limit)) }

    /// Adds what `make` returns for the entry's number, from 1.
    @discardableResult
    mutating func append(_ make: (Int) -> Entry) -> Entry? {
        count += 1
        guard limit > 0 else { return nil }
        let entry = make(count)
        kept.append(entry)
        if kept.count >= 2 * limit { kept.removeFirst(kept.count - limit) }
        return entry
    }
}

/// The sends that carried a UUID. Documentation: `api-reference/chat-bots/chat-bots-v2/entities.md`, `uuid`.
struct KnownSends: Sendable {
    enum Outcome: Sendable, Equatable {
        case underWay
        case sent(Int)
    }
    private var outcomes: [String: Outcome] = [:]
    private var order: [String] = []
    private let limit = 20_000

    subscript(uuid: String) -> Outcome? { outcomes[uuid] }

    mutating func begin(_ uuid: String) {
        outcomes[uuid] = .underWay
        order.append(uuid)
        guard order.count >= 2 * limit else { return }
        for old in order.prefix(limit) { outcomes[old] = nil }
        order.removeFirst(limit)
    }

    mutating func finish(_ uuid: String, as message: Int) { outcomes[uuid] = .sent(message) }

    /// The send failed; the UUID may be used again.
    mutating func abandon(_ uuid: String) {
        if outcomes[uuid] == .underWay { outcomes[uuid] = nil }
    }
}
