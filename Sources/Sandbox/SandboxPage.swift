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

    /// Whom the person plays.
    enum Side: String, Sendable, CaseIterable { case customer, employee }

    /// Where the person is on one side.
    struct Place: Sendable {
        var chat: Int
        var user: Int
        /// The ``Offer`` that was chosen; `nil` for an operator, who sees the customer's dialog.
        var offer: String?
    }

    /// A bot that the person may choose.
    struct Offer: Sendable {
        /// By which the page knows it.
        var id: String
        /// Who speaks with the employee.
        var bot: Int
        /// Where it speaks with customers.
        var line: Int?
    }

    struct State {
        var status = Status.waiting
        var offers: [Offer] = []
        var places: [Side: Place] = [:]
        var customers = 0
        /// Where the application is opened in the portal.
        var application: String?
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

    func show(_ status: Status) {
        state.withLock { $0.status = status }
        tell("state", snapshot())
    }

    func show(application: String?) { state.withLock { $0.application = application } }

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
            for (side, place) in places(in: message.chatID) {
                guard let shown = shown(message, side, place) else { continue }
                tell("message", ["place": .string(side.rawValue), "message": shown])
            }
        case .inputAction(let chat, let user, _, _):
            for (side, _) in places(in: chat) {
                tell("typing", ["place": .string(side.rawValue), "name": .string(people()[user]?.name ?? "")])
            }
        case .called(let call): show(WireCall(call))
        case .delivered(let delivery): show(WireCall(delivery))
        case .botChanged(let bot): if bot.clientID.isEmpty { meet(bot.id) }
        case .botRemoved(let bot): miss(bot)
        case .dialogChanged(let dialog): if !places(in: dialog.id).isEmpty { tell("people", shownPeople()) }
        }
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

    func tell(_ name: String, _ data: @autoclosure () -> JSON) {
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
