import Base

/// A flow of Typebot's, live or in preview, through its chat API.
///
/// A dialog's first message goes to the flow only if the flow begins with a plain question. One that speaks first, or
/// begins with buttons, shows that and waits: a "hello" is no answer to what was not asked yet. When a session is gone at
/// Typebot's a new one starts, and the same message is its first.
///
/// Documentation: `apps/docs/guides/external-messaging-apps.mdx`; the contract is Typebot's OpenAPI document.
public struct Typebot: Greets {
    let connection: TypebotConnection

    public init(_ configuration: PlatformConfiguration) { self.init(configuration, timing: TypebotTiming()) }

    init(_ configuration: PlatformConfiguration, timing: TypebotTiming) {
        connection = TypebotConnection(configuration, timing: timing)
    }

    public func reply(to question: Question) -> ReplyParts {
        stream(question) { try await $0.reply() }
    }

    public func greeting(for question: Question) -> ReplyParts {
        stream(question) { try await $0.greet() }
    }

    /// Typebot answers whole, so nothing is gained by giving parts on earlier.
    private func stream(
        _ question: Question, _ talk: @escaping @Sendable (inout TypebotTalk) async throws -> Void
    ) -> ReplyParts {
        let listening = Listening {
            var exchange = TypebotTalk(connection, question)
            do {
                try await talk(&exchange)
                return exchange.parts
            } catch let error as CancellationError {
                throw error
            } catch {
                throw connection.fault(error, hiding: secrets(of: question))
            }
        }
        return ReplyParts { try await listening.next() }
    }

    private func secrets(of question: Question) -> [Secret] {
        Array(question.tokens.values) + (connection.key.map { [$0] } ?? [])
    }

    /// Begins in the reader's own task, when he first asks.
    private actor Listening {
        private let begin: @Sendable () async throws -> [ReplyPart]
        /// The next one last.
        private var parts: [ReplyPart]?

        init(_ begin: @escaping @Sendable () async throws -> [ReplyPart]) { self.begin = begin }

        func next() async throws -> ReplyPart? {
            if parts == nil {
                parts = []
                parts = Array(try await begin().reversed())
            }
            return parts?.popLast()
        }
    }
}

extension PlatformType {
    static let typebot = PlatformType(
        name: "typebot", displayName: "Typebot", defaultURL: "https://typebot.io",
        check: { _ = try Typebot($0).connection.reachable() }, make: { Typebot($0) })
}
