import Base
import BotPlatforms
import Gateway
import Storage

/// `/api/v1/playground` and `/api/v1/connectors/{id}/test`: asking a bot platform outside of any chat.
struct PlaygroundAPI: Sendable {
    let store: Store
    let playground: Playground

    var operations: [Operation] { [test, play].map { $0.allowed(to: .portalAdmin) } }

    /// A test that takes longer is cut by proxies.
    private static let patienceForTest = Duration.seconds(90)

    // MARK: One question

    private var test: Operation {
        let takes = [Field.optional("text", .text, "What is asked; `Hello` if left out.")]
        let gives: [Field] = [
            .shown("well", .flag, "Whether the bot platform answered."),
            .shownIfAny("answer", .text, "What it said, in Markdown."),
            .shownIfAny("error", .text, "Why it did not answer."),
            .shown("milliseconds", .integer, "How long it took."),
        ]
        return Operation(
            id: "test_connector", method: .post, path: "/api/v1/connectors/{id}/test",
            summary: "Asks a connector's bot platform something, to see that it answers", takes: (takes, false),
            status: 200, gives: .one("connector_test", gives), isQuestion: true,
            handler: { request in
                let draft = try Draft(request, fields: takes, isPatch: false)
                guard let (connector, provider) = try await known(request.id(of: "connector")),
                    request.mayUse(connector)
                else {
                    throw APIError.notFound("connector")
                }
                let place = try place()
                defer { withExtendedLifetime(place) {} }
                let start = ContinuousClock.now
                var (answer, error): (String?, String?)
                do {
                    answer = try await within(Self.patienceForTest) {
                        try await playground.answer(
                            to: draft.textIfAny("text", else: nil) ?? "Hello", from: connector, provider)
                    }
                } catch let fault {
                    try Task.checkCancellation()
                    error = sentence(fault)
                }
                return .json([
                    "well": .bool(error == nil), "answer": JSON(answer), "error": JSON(error),
                    "milliseconds": .integer((ContinuousClock.now - start).milliseconds),
                ])
            })
    }

    // MARK: A conversation

    private static let takes: [Field] = [
        .optional("connector_id", .id, "The connector that is asked…"),
        .optional("bot_id", .id, "…or the bot whose connector is asked."),
        .required("text", .text, "What is asked."),
        .optional("variables", .checked(schema: variables, fault: fault), "Variables for the bot, as texts."),
        .optional("session", .checked(schema: ["type": "string"], fault: faultOfSession), "What the last answer gave."),
    ]

    private static let variables: Members<JSON> = [
        "type": "object", "additionalProperties": ["type": "string"],
    ]

    private static let fault: @Sendable (JSON) -> String? = { value in
        guard let variables = value.object else { return "must be an object" }
        return variables.values.allSatisfy { $0.string != nil } ? nil : "must hold texts only"
    }

    private static let faultOfSession: @Sendable (JSON) -> String? = { $0.string == nil ? "must be a text" : nil }

    private var play: Operation {
        Operation(
            id: "play", method: .post, path: "/api/v1/playground",
            summary: "Asks a bot platform and tells its answer as it comes", takes: (Self.takes, false), status: 200,
            gives: .events(Self.events), isQuestion: true,
            handler: { request in
                let draft = try Draft(request, fields: Self.takes, isPatch: false)
                let (connector, provider) = try await connector(draft, request)
                let ask = Playground.Ask(
                    text: draft.text("text", else: ""),
                    variables: (draft.value("variables")?.object ?? [:]).compactMapValues(\.string),
                    session: try session(draft, connector))
                let place = try place()
                return EventStream.response { send in
                    defer { withExtendedLifetime(place) {} }
                    try await tell(ask, connector, provider, send)
                }
            })
    }

    private func tell(
        _ ask: Playground.Ask, _ connector: ConnectorRecord, _ provider: ProviderRecord,
        _ send: @escaping EventStream.Send
    ) async throws {
        let start = ContinuousClock.now
        do {
            let session = try await within(Playground.patience) {
                try await playground.ask(ask, connector, provider) { part in
                    if let event = part.event { try await send(event.name, event.data) }
                }
            }
            try await send("session", ["session": .string(session)])
            try await send("done", ["milliseconds": .integer((ContinuousClock.now - start).milliseconds)])
        } catch {
            try Task.checkCancellation()
            try await send("failed", ["message": .string(sentence(error))])
        }
    }

    private static let events: [String: [Field]] = [
        "text": [.shown("text", .text, "More of the answer, in Markdown.")],
        "replace": [.shown("text", .text, "Takes the place of all the text so far.")],
        "next": [],
        "file": [.shown("url", .text, "Where the file is."), .shown("name", .text, "Its name.")],
        "choices": [
            .shown(
                "options",
                .list(of: [
                    .required("label", .text, "What people read."),
                    .required("value", .text, "What the platform knows it by."),
                ]), "What the person may answer."),
            .shown("several", .flag, "Whether several may be chosen at once."),
        ],
        "pause": [.shown("milliseconds", .integer, "What follows is shown so much later.")],
        "action": [.shown("action", .text, "What the bot wants done: operator, operator:17, queue:3, finish, silent.")],
        "session": [.shownIfAny("session", .text, "Give it back with the next question.")],
        "done": [.shown("milliseconds", .integer, "How long all took. It is the last event.")],
        "failed": [.shown("message", .text, "Why there is no answer, or no more of it. It is the last event.")],
    ]

    // MARK: Whom to ask

    private func connector(
        _ draft: Draft, _ request: APIRequest
    ) async throws -> (ConnectorRecord, ProviderRecord) {
        if let id: ID<ConnectorRecord> = try draft.id("connector_id", else: nil) {
            guard let found = try await known(id), request.mayUse(found.0) else {
                throw APIError.invalid(["connector_id": "does not exist"])
            }
            return found
        }
        guard let id: ID<BotRecord> = try draft.id("bot_id", else: nil) else {
            throw APIError.invalid(["connector_id": "is missing: give a connector, or a bot"])
        }
        guard let bot = try await store.bot(id),
            request.sees(try await store.installation(bot.installationID)?.portalID)
        else { throw APIError.invalid(["bot_id": "does not exist"]) }
        guard let id = bot.connectorID, let found = try await known(id) else {
            throw APIError.invalid(["bot_id": "has no connector: choose one"])
        }
        return found
    }

    private func known(_ id: ID<ConnectorRecord>) async throws -> (ConnectorRecord, ProviderRecord)? {
        guard let connector = try await store.connector(id),
            let provider = try await store.provider(connector.providerID)
        else { return nil }
        return (connector, provider)
    }

    private func session(_ draft: Draft, _ connector: ConnectorRecord) throws -> Playground.Session {
        guard let sealed = draft.textIfAny("session", else: nil) else { return playground.begin(with: connector) }
        guard let session = playground.session(sealed, with: connector) else {
            throw APIError.invalid(["session": "is not one of this connector's: begin anew, without it"])
        }
        return session
    }

    private func place() throws -> any AnyObject & Sendable {
        guard let place = playground.place() else {
            throw APIError(
                status: 429, code: "slow_down", message: "Too many are trying bots out just now: wait a moment")
        }
        return place
    }

    // MARK: Faults

    private struct TookTooLong: Error {}

    private func within<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw TookTooLong()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }

    private func sentence(_ error: any Error) -> String {
        switch error {
        case let error as PlatformError: error.message
        case is TookTooLong: "The bot took too long to answer"
        default: "The answer could not be read"
        }
    }
}

extension ReplyPart {
    /// As the page is told; `nil` for what is no part of the answer.
    fileprivate var event: (name: String, data: JSON)? {
        switch self {
        case .trace, .session: nil
        case .text(let text): ("text", ["text": .string(text)])
        case .replaceText(let text): ("replace", ["text": .string(text)])
        case .nextMessage: ("next", [:])
        case .file(let file): ("file", ["url": .string(file.url), "name": .string(file.name)])
        case .choices(let choices):
            (
                "choices",
                [
                    "options": .array(
                        choices.options.map { ["label": .string($0.label), "value": .string($0.value)] }),
                    "several": .bool(choices.several),
                ]
            )
        case .pause(let length): ("pause", ["milliseconds": .integer(length.milliseconds)])
        case .action(let action): ("action", ["action": .string(action.word)])
        }
    }
}
