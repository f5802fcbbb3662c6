import Base

/// A Dify app with conversations: Chatflow, Chatbot, Agent or New Agent.
/// Documentation: `en/api-reference/guides/chatflow.mdx`, `chat.mdx`, `agent.mdx`.
public struct DifyChat: FindsOutcome, Greets, TakesRatings {
    let app: DifyApp

    init(_ kind: DifyKind, _ configuration: PlatformConfiguration, timing: DifyTiming = DifyTiming()) {
        app = DifyApp(kind, configuration, timing: timing)
    }

    public func reply(to question: Question) -> ReplyParts { app.reply(to: question) }

    public func outcome(of question: Question, trace: AskTrace?, askedAt: Timestamp) async throws -> AskOutcome {
        try await app.outcome(of: question, trace: trace, askedAt: askedAt)
    }

    public func greeting(for question: Question) -> ReplyParts {
        WholeAnswer.stream {
            let parameters = try await app.beforeAsking(question) { try await app.parameters.known().get() }
            return parameters.greeting(for: question)
        }
    }

    public func take(_ rating: Rating?, of answer: String, by user: String) async throws {
        try await app.take(rating, of: answer, by: user)
    }
}

/// A Dify app of the kind Workflow: each message is a run of its own.
/// Documentation: `en/api-reference/guides/workflow.mdx`.
public struct DifyWorkflow: FindsOutcome {
    let app: DifyApp

    init(_ configuration: PlatformConfiguration, timing: DifyTiming = DifyTiming()) {
        app = DifyApp(.workflow, configuration, timing: timing)
    }

    public func reply(to question: Question) -> ReplyParts { app.reply(to: question) }

    public func outcome(of question: Question, trace: AskTrace?, askedAt: Timestamp) async throws -> AskOutcome {
        try await app.outcome(of: question, trace: trace, askedAt: askedAt)
    }
}

/// A Dify app of the kind Text Generator: it remembers nothing, and cannot be asked later what it said.
/// Documentation: `en/api-reference/guides/completion.mdx`.
public struct DifyCompletion: TakesRatings {
    let app: DifyApp

    init(_ configuration: PlatformConfiguration, timing: DifyTiming = DifyTiming()) {
        app = DifyApp(.completion, configuration, timing: timing)
    }

    public func reply(to question: Question) -> ReplyParts { app.reply(to: question) }

    public func take(_ rating: Rating?, of answer: String, by user: String) async throws {
        try await app.take(rating, of: answer, by: user)
    }
}

extension DifyApp {
    /// Taking back what was never given is fine. Documentation: the contract's `/messages/{message_id}/feedbacks`.
    func take(_ rating: Rating?, of answer: String, by user: String) async throws {
        let body: JSON = ["rating": rating.map { .string($0.rawValue) } ?? .null, "user": .string(user)]
        do {
            try await connection.post("/messages/\(Form.percentEncode(answer))/feedbacks", body)
        } catch let refusal as DifyRefusal where rating == nil && refusal.status == 400 {
            return
        } catch let error as CancellationError {
            throw error
        } catch {
            throw PlatformError(error, hiding: connection.key.map { [$0] } ?? [])
        }
    }
}

extension PlatformType {
    static let difyURL = "https://api.dify.ai/v1"

    static let difyChatflow = PlatformType(
        name: "dify_chatflow", displayName: "Dify Chatflow", defaultURL: difyURL, needsKey: true,
        make: { DifyChat(.chatflow, $0) })
    static let difyChat = PlatformType(
        name: "dify_chat", displayName: "Dify Chat", defaultURL: difyURL, needsKey: true, make: { DifyChat(.chat, $0) })
    static let difyAgent = PlatformType(
        name: "dify_agent", displayName: "Dify Agent", defaultURL: difyURL, needsKey: true,
        make: { DifyChat(.agent, $0) })
    static let difyCompletion = PlatformType(
        name: "dify_completion", displayName: "Dify Completion", defaultURL: difyURL, needsKey: true,
        make: { DifyCompletion($0) })
    static let difyWorkflow = PlatformType(
        name: "dify_workflow", displayName: "Dify Workflow", defaultURL: difyURL, needsKey: true,
        options: [
            PlatformOption(
                "outputs", .oneOf(["named", "plain"]),
                "How outputs are shown: named (the default) as lines \"name: value\"; plain shows a single output, and one "
                    + "named text, answer or result, without its name."),
            PlatformOption(
                "response_mode", .oneOf(["streaming", "blocking"]),
                "streaming (the default) follows the run; blocking waits for one answer, which proxies may cut."),
        ], make: { DifyWorkflow($0) })
}
