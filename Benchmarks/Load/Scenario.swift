import Base
import Sandbox

/// One line of the table: who answers, for how many portals, and where sessions are kept.
struct Scenario: Sendable {
    var name: String
    var bot: BotKind = .difyStreaming
    var portals = 1
    /// Dialogs of each portal.
    var dialogs = 400
    var usesRedis = false

    static let all = [
        Scenario(name: "Dify, streaming"),
        Scenario(name: "Dify workflow, blocking", bot: .difyWorkflow),
        Scenario(name: "Typebot", bot: .typebot),
        Scenario(name: "Dify, streaming, 100 portals", portals: 100, dialogs: 10),
        Scenario(name: "Dify, streaming, 1,000 portals", portals: 1_000, dialogs: 1),
        Scenario(name: "Dify, streaming, Redis", usesRedis: true),
    ]
}

/// A bot that repeats what was said, at once.
enum BotKind: Sendable { case difyStreaming, difyWorkflow, typebot }

/// A bot as BitBot is told of it, and the party that answers for it.
struct SimulatedBot: Sendable {
    var providerType: String
    var providerURL: String
    var key: Secret?
    var url: String?
    var options: JSON = [:]
    /// Questions that have arrived.
    var asked: @Sendable () -> Int = { 0 }

    /// What a reply begins with; the question follows.
    static let echo = "You said "

    /// - Parameter observe: told of each request that was answered.
    static func start(
        _ kind: BotKind, loops: EventLoopGroup, log: Log, observe: @escaping @Sendable (WireCall) -> Void
    ) async throws -> SimulatedBot {
        switch kind {
        case .difyStreaming: return try await dify(loops: loops, log: log, observe: observe)
        case .difyWorkflow:
            let key = Secret("app-workflow")
            let app = SimulatedDify.App(
                key: key, mode: .workflow, form: [.init("query", .paragraph(maximum: nil))],
                script: { [.output(echo + $0.query)] })
            let dify = try await SimulatedDify.start(
                apps: [app], settings: settings(observe), loops: loops, log: log)
            return SimulatedBot(
                providerType: "dify_workflow", providerURL: dify.baseURL, key: key,
                options: ["response_mode": "blocking", "outputs": "plain"])
        case .typebot:
            var settings = SimulatedTypebot.Settings()
            settings.observe = observe
            let flow = SimulatedTypebot.Flow(
                "echo", variables: ["Answer"],
                [.input(.text, into: "Answer"), .text(echo + "{{Answer}}"), .jump("start")])
            let typebot = try await SimulatedTypebot.start(flows: [flow], settings: settings, loops: loops, log: log)
            return SimulatedBot(
                providerType: "typebot", providerURL: typebot.origin, url: typebot.startURL(flow.publicID))
        }
    }

    /// A chatflow that answers after a while.
    static func dify(
        after pause: Duration? = nil, loops: EventLoopGroup, log: Log,
        observe: (@Sendable (WireCall) -> Void)? = nil
    ) async throws -> SimulatedBot {
        let key = Secret("app-chatflow")
        let app = SimulatedDify.App(key: key) { ask in
            (pause.map { [.wait($0)] } ?? []) + [.text(echo), .text(ask.query), .text("")]
        }
        let dify = try await SimulatedDify.start(apps: [app], settings: settings(observe), loops: loops, log: log)
        return SimulatedBot(
            providerType: "dify_chatflow", providerURL: dify.baseURL, key: key, asked: { dify.counts.runs })
    }

    private static func settings(_ observe: (@Sendable (WireCall) -> Void)?) -> SimulatedDify.Settings {
        var settings = SimulatedDify.Settings()
        settings.bounds.countedAsks = 0
        settings.observe = observe
        return settings
    }
}
