import Base

/// The kinds of Dify apps, by how they are asked. Documentation: `en/api-reference/guides/get-started.mdx`.
enum DifyKind: Sendable {
    case chatflow, chat, agent, workflow, completion

    /// Where a question is posted.
    var path: String {
        switch self {
        case .chatflow, .chat, .agent: "/chat-messages"
        case .workflow: "/workflows/run"
        case .completion: "/completion-messages"
        }
    }

    var hasConversations: Bool { self != .workflow && self != .completion }
}

/// One Dify app, of any kind: what the public types of this folder share. A class: whoever waits for its answer holds it.
final class DifyApp: Sendable {
    let kind: DifyKind
    let connection: DifyConnection
    let parameters: DifyParametersCache
    /// Whether a workflow's run is awaited in one piece.
    let isBlocking: Bool
    let outputStyle: DifyOutputs.Style
    let log: Log

    init(_ kind: DifyKind, _ configuration: PlatformConfiguration, timing: DifyTiming) {
        self.kind = kind
        connection = DifyConnection(configuration, timing: timing)
        parameters = DifyParametersCache(connection)
        isBlocking = kind == .workflow && configuration.options["response_mode"]?.string == "blocking"
        outputStyle = configuration.options["outputs"]?.string == "plain" ? .plain : .named
        log = configuration.log
    }

    func reply(to question: Question) -> ReplyParts {
        let reading = DifyReading(self, question)
        return ReplyParts { try await reading.next() }
    }

    func secrets(of question: Question) -> [Secret] {
        Array(question.tokens.values) + (connection.key.map { [$0] } ?? [])
    }

    /// Does something that comes before asking: whatever goes wrong with it, the question itself did not arrive.
    /// - Throws: ``PlatformError``, never `uncertain`; `CancellationError`.
    func beforeAsking<Value: Sendable>(
        _ question: Question, _ work: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await work()
        } catch let error as CancellationError {
            throw error
        } catch {
            var error = PlatformError(error, hiding: secrets(of: question))
            if error.kind == .uncertain { error.kind = .passing }
            throw error
        }
    }
}

extension Question {
    /// As Dify stores it: what was chosen, else the text. Its database knows no NUL.
    var difyText: String {
        (chosen.isEmpty ? text : chosen.map(\.value).joined(separator: ", ")).withoutNUL
    }
}
