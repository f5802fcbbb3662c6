import Base
import Synchronization

/// The page where a person plays a customer and an employee, with its JSON routes under `/sandbox/`.
///
/// It listens on loopback and answers only requests that name a loopback host, so that a stranger's web page whose name
/// is made to point here (DNS rebinding) reads nothing; posts must come from the page itself.
public final class SandboxPage: Sendable {
    /// What the page says about the connection with BitBot.
    enum Status: Sendable {
        case waiting
        case ready
        case failed(String)
    }

    /// Who the person plays, and where.
    struct Place: Sendable {
        var chat: Int
        var user: Int
    }

    struct State {
        var status = Status.waiting
        var line: Int?
        var customer: Place?
        var employee: Place?
        /// The bot that the sandbox itself has made for the employee.
        var assistant: Int?
        var customers = 0
        var calls: [(number: Int, call: WireCall)] = []
        var callCount = 0
        var readers: [Int: AsyncStream<[UInt8]>.Continuation] = [:]
        var nextReader = 0
    }

    /// `http://localhost:PORT`.
    public let origin: String
    let portal: SimulatedPortal
    /// BitBot's public address, for links.
    let bitbot: String
    let state = Mutex(State())
    private let server: HTTPServer
    private let watching = Mutex<[Task<Void, Never>]>([])

    /// Calls that are kept for a page that is opened later.
    static let keptCalls = 200
    /// Between two comments that keep a quiet event stream open.
    static let keepAlive: Duration = .seconds(20)

    /// - Throws: ``HTTPServerError``.
    static func start(
        portal: SimulatedPortal, bitbot: String, port: Int, loops: EventLoopGroup, log: Log
    ) async throws -> SandboxPage {
        let late = LateHandler()
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: port), loops: loops, log: log, handler: { try await late.answer($0) })
        let page = SandboxPage(portal: portal, bitbot: bitbot, server: server)
        late.set(page.routes())
        page.watch()
        return page
    }

    private init(portal: SimulatedPortal, bitbot: String, server: HTTPServer) {
        self.portal = portal
        self.bitbot = bitbot
        self.server = server
        origin = "http://localhost:\(server.port)"
    }

    func stop() async {
        for task in watching.withLock({ $0 }) { task.cancel() }
        let readers = state.withLock { state in
            defer { state.readers = [:] }
            return Array(state.readers.values)
        }
        for reader in readers { reader.finish() }
        await server.shutdown(grace: .milliseconds(200))
    }

    // MARK: What happens

    /// Opens the open channel's dialog and the employee's private chat for the person.
    func open(line: Int, employee: Int, bot: Int) throws {
        let chat = try portal.privateChat(of: employee, with: bot)
        state.withLock { state in
            state.line = line
            state.employee = Place(chat: chat.id, user: employee)
            state.assistant = bot
        }
        try openConversation()
    }

    /// A new customer's dialog in the open channel.
    func openConversation() throws {
        let (line, number) = state.withLock { state in
            state.customers += 1
            return (state.line, state.customers)
        }
        guard let line else { throw HTTPError(409, "BitBot is not connected yet.") }
        let dialog = try portal.startDialog(line: line, customer: Self.customerName(number))
        state.withLock { $0.customer = Place(chat: dialog.id, user: dialog.owner) }
        tell("state", snapshot())
    }

    /// Every customer is another person, so that several dialogs can be told apart in BitBot.
    private static func customerName(_ number: Int) -> String {
        let names = ["Mia Novak", "Leo Winter", "Sofia Marin", "Adam Brooks", "Nora Lind", "Ilya Sokolov"]
        let name = names[(number - 1) % names.count]
        return number > names.count ? "\(name) \((number - 1) / names.count + 1)" : name
    }

    func show(_ status: Status) {
        state.withLock { $0.status = status }
        tell("state", snapshot())
    }

    /// Shows a call, its secrets masked.
    func show(_ call: WireCall) {
        var call = call
        call.parameters = call.parameters.withoutSecrets
        let shown = call
        let number = state.withLock { state in
            state.callCount += 1
            state.calls.append((state.callCount, shown))
            if state.calls.count > Self.keptCalls { state.calls.removeFirst(state.calls.count - Self.keptCalls) }
            return state.callCount
        }
        tell("call", shown.json(number: number))
    }

    private func watch() {
        let changes = portal.changes()
        watching.withLock { tasks in
            tasks = [
                Task { [weak self] in
                    for await change in changes { self?.take(change) }
                },
                Task { [weak self] in
                    while (try? await Task.sleep(for: Self.keepAlive)) != nil { self?.tell(Array(": \n\n".utf8)) }
                },
            ]
        }
    }

    private func take(_ change: SimulatedPortal.Change) {
        switch change {
        case .messageAdded(let message), .messageChanged(let message), .messageDeleted(let message):
            guard let (name, place) = place(of: message.chatID), let shown = shown(message, name, place) else { return }
            tell("message", ["place": .string(name), "message": shown])
        case .inputAction(let chat, let user, _, _):
            guard let (name, _) = place(of: chat) else { return }
            tell("typing", ["place": .string(name), "name": .string(people()[user]?.name ?? "")])
        case .called(let call): show(WireCall(call))
        case .delivered(let delivery): show(WireCall(delivery))
        case .botChanged(let bot): if bot.clientID.isEmpty { meet(bot.id) }
        case .botRemoved: meet(state.withLock { $0.assistant })
        case .dialogChanged: break
        }
    }

    /// Lets the employee speak with a bot: one that was registered by webhook is somebody's own, and here to be tried.
    private func meet(_ bot: Int?) {
        guard let bot, let user = state.withLock({ $0.employee?.user }),
            let chat = try? portal.privateChat(of: user, with: bot)
        else { return }
        let isNews = state.withLock { state in
            defer { state.employee = Place(chat: chat.id, user: user) }
            return state.employee?.chat != chat.id
        }
        if isNews { tell("state", snapshot()) }
    }

    // MARK: What is shown

    private func place(of chat: Int) -> (String, Place)? {
        state.withLock { state in
            if let customer = state.customer, customer.chat == chat { return ("customer", customer) }
            if let employee = state.employee, employee.chat == chat { return ("employee", employee) }
            return nil
        }
    }

    private func people() -> [Int: SimulatedPortal.User] {
        Dictionary(portal.users.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    }

    /// All that a page needs to begin with.
    func snapshot() -> JSON {
        let (status, places, calls) = state.withLock { state in
            (
                state.status, ["customer": state.customer, "employee": state.employee].compactMapValues { $0 },
                state.calls
            )
        }
        let people = people()
        var messages: [String: JSON] = [:]
        var shownPeople: [String: JSON] = [:]
        for (name, place) in places {
            messages[name] = .array(
                portal.messages(in: place.chat).compactMap { shown($0, name, place, people: people) })
            let members = portal.dialogs.first { $0.id == place.chat }?.members ?? []
            let bot = members.lazy.compactMap { people[$0] }.first { $0.kind == .bot }
            shownPeople[name] = [
                "name": .string(people[place.user]?.name ?? ""), "bot": bot.map { .string($0.name) } ?? .null,
            ]
        }
        return [
            "bitbot": .string(bitbot), "status": status.json, "people": .object(shownPeople),
            "messages": .object(messages), "calls": .array(calls.map { $0.call.json(number: $0.number) }),
        ]
    }

    /// A message as the person sees it; `nil` for one that a customer does not see.
    private func shown(
        _ message: SimulatedPortal.Message, _ name: String, _ place: Place,
        people: [Int: SimulatedPortal.User]? = nil
    ) -> JSON? {
        if name == "customer", message.isHiddenFromCustomer || message.isSystem { return nil }
        let author = (people ?? self.people())[message.authorID]
        let from =
            message.isSystem || author == nil
            ? "system" : message.authorID == place.user ? "me" : author?.kind == .bot ? "bot" : "other"
        return [
            "id": .integer(Int64(message.id)), "from": .string(from), "name": .string(author?.name ?? ""),
            "text": .string(message.text), "time": .integer(message.date.rawValue),
            "edited": .bool(message.isEdited), "deleted": .bool(message.isDeleted),
            "buttons": .array(rows(of: message.keyboard)),
        ]
    }

    // MARK: Live events

    /// The live events of one page. What comes before the whole state is part of it; a call may come again after it.
    func events() -> AsyncStream<[UInt8]> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1_000)) { continuation in
            let number = state.withLock { state in
                state.nextReader += 1
                state.readers[state.nextReader] = continuation
                return state.nextReader
            }
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.readers.removeValue(forKey: number) }
            }
            continuation.yield(event("state", snapshot()))
        }
    }

    private func tell(_ name: String, _ data: @autoclosure () -> JSON) {
        guard state.withLock({ !$0.readers.isEmpty }) else { return }
        tell(event(name, data()))
    }

    private func tell(_ bytes: [UInt8]) {
        for reader in state.withLock({ Array($0.readers.values) }) { reader.yield(bytes) }
    }

    private func event(_ name: String, _ data: JSON) -> [UInt8] {
        Array("event: \(name)\ndata: ".utf8) + data.bytes + Array("\n\n".utf8)
    }
}

extension SandboxPage.Status {
    fileprivate var json: JSON {
        switch self {
        case .waiting: ["state": "waiting"]
        case .ready: ["state": "ready"]
        case .failed(let reason): ["state": "failed", "reason": .string(reason)]
        }
    }
}

/// The rows of buttons of a keyboard, as it was sent: a list, or an object with a list in `BUTTONS`; each button with a
/// `TEXT`, perhaps a `LINK`; one of the type `NEWLINE` ends a row.
/// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/message-keyboards.md`.
private func rows(of keyboard: JSON?) -> [JSON] {
    guard let keyboard else { return [] }
    if let text = keyboard.string { return rows(of: try? JSON(parsing: text.utf8)) }
    var rows: [[JSON]] = [[]]
    for button in listed(member("buttons", of: keyboard) ?? keyboard) {
        if member("type", of: button)?.string?.uppercased() == "NEWLINE" {
            rows.append([])
        } else if let text = member("text", of: button)?.string {
            rows[rows.count - 1].append([
                "text": .string(text), "link": member("link", of: button) ?? .null,
            ])
        }
    }
    return rows.filter { !$0.isEmpty }.map(JSON.array)
}

/// The elements of a list, or of the object with numbers for names that PHP makes of one.
private func listed(_ value: JSON) -> [JSON] {
    if let elements = value.array { return elements }
    let numbered = (value.object ?? [:]).compactMap { name, element in Int(name).map { ($0, element) } }
    return numbered.sorted { $0.0 < $1.0 }.map(\.1)
}

private func member(_ name: String, of value: JSON) -> JSON? { value[name.uppercased()] ?? value[name] }
