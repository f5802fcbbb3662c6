import Base

/// Finds what became of a question whose answer did not arrive whole. A run goes on when its client has left.
/// Documentation: `en/api-reference/guides/streaming.mdx`, "Reconnect and Resume".
extension DifyChatflow {
    public func outcome(of question: Question, trace: AskTrace?, askedAt: Timestamp) async throws -> AskOutcome {
        do {
            let search = DifySearch(connection: connection, question: question, askedAt: askedAt)
            return try await search.outcome(trace ?? AskTrace())
        } catch let error as CancellationError {
            throw error
        } catch {
            var error = PlatformError(error, hiding: secrets(of: question))
            // What passes here is the look-up's fault, and tells nothing of the question.
            if error.kind == .passing { error.kind = .uncertain }
            throw error
        }
    }
}

private struct DifySearch {
    let connection: DifyConnection
    let question: Question
    let askedAt: Timestamp

    private var timing: DifyTiming { connection.timing }

    func outcome(_ trace: AskTrace) async throws -> AskOutcome {
        let wasSeen = trace != AskTrace()
        if trace.runID != nil || (trace.conversationID != nil && trace.messageID != nil) {
            return try await follow(trace)
        }
        if let found = try await find(in: trace.conversationID) { return try await follow(found) }
        // The request may still be on its way.
        let rest = timing.arrival - (connection.clock.now - askedAt)
        if rest > .zero {
            try await Task.sleep(for: min(rest, timing.arrival))
            if let found = try await find(in: trace.conversationID) { return try await follow(found) }
        }
        return wasSeen ? .failed(Self.lost) : .neverArrived
    }

    // MARK: A question whose ids are known

    /// Waits for the end of a run, with growing pauses.
    private func follow(_ trace: AskTrace) async throws -> AskOutcome {
        let limit = max(.zero, min(timing.answer, timing.answer - (connection.clock.now - askedAt)))
        let end = ContinuousClock.now + limit
        var pause = timing.pause
        var patience = Patience()
        while true {
            if let outcome = try await look(trace, &patience) { return outcome }
            guard ContinuousClock.now < end else {
                return .failed(PlatformError(.final, "The app did not answer within \(timing.answer)."))
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 3 / 2, timing.pause * 10)
        }
    }

    /// Looks that may still miss something: Dify stores runs and messages some time after they are made.
    private struct Patience {
        var forMessageOfEndedRun = 1
        var forAnything = 3
        /// What a message whose run is not known said at the look before: it may still be growing.
        var saidBefore: String?
    }

    /// - Returns: `nil` while it goes on.
    private func look(_ trace: AskTrace, _ patience: inout Patience) async throws -> AskOutcome? {
        let run = try await run(trace)
        switch run?.status {
        case "running": return nil
        case "failed": return .failed(.runFailed(run?.error))
        case "paused": return .failed(.pausesForHumanInput)
        default: break
        }
        let message = try await message(trace)
        if run == nil, let message, message.status != "error", message.hasAnswer, patience.saidBefore != message.answer
        {
            patience.saidBefore = message.answer
            return nil
        }
        if let message, message.hasAnswer || message.status == "error" {
            return message.status == "error"
                ? .failed(.runFailed(message.error)) : .answered(parts(trace, message.answer, message.files))
        }
        if message?.status == "paused" { return .failed(.pausesForHumanInput) }
        guard let run else {
            if message == nil { patience.forAnything -= 1 }
            return patience.forAnything > 0 ? nil : .failed(Self.lost)
        }
        if message != nil, patience.forMessageOfEndedRun > 0 {
            patience.forMessageOfEndedRun -= 1
            return nil
        }
        guard let answer = run.outputs?.outputsAnswer, !answer.isEmpty else {
            return run.status == "stopped" ? .failed(.stoppedUnsaid) : .answered(parts(trace, nil, []))
        }
        return .answered(parts(trace, answer, []))
    }

    private func run(_ trace: AskTrace) async throws -> DifyRecord.Run? {
        guard let id = trace.runID else { return nil }
        return try await connection.run(id)
    }

    private func message(_ trace: AskTrace) async throws -> DifyRecord.Message? {
        guard let conversation = trace.conversationID, let id = trace.messageID else { return nil }
        return try await connection.messages(in: conversation, user: question.user)?.0.last { $0.id == id }
    }

    private func parts(_ trace: AskTrace, _ answer: String?, _ found: [DifyEvent.File]) -> [ReplyPart] {
        var parts: [ReplyPart] = []
        if let conversation = trace.conversationID {
            let session = PlatformSession(
                conversation: conversation, message: trace.messageID, following: question.session)
            parts.append(.session(session))
        }
        if let answer, !answer.isEmpty { parts.append(.text(answer)) }
        var files = DifyFiles()
        for file in found {
            if let part = files.part(for: file, origin: connection.origin, said: answer ?? "") { parts.append(part) }
        }
        return parts
    }

    // MARK: A question of which nothing was seen

    /// Looks where it must be if it arrived: in the conversation that was asked, or in a new one.
    private func find(in seen: String?) async throws -> AskTrace? {
        let conversation = seen ?? question.session?.id
        if let conversation, let found = try await find(inside: conversation) { return found }
        if seen != nil { return nil }
        let (conversations, serverTime) = try await connection.conversations(of: question.user)
        let earliest = earliestSecond(serverTime)
        for candidate in conversations.filter({ ($0.createdAt ?? 0) >= earliest }).prefix(5)
        where candidate.id != conversation {
            if let found = try await find(inside: candidate.id) { return found }
        }
        return nil
    }

    private func find(inside conversation: String) async throws -> AskTrace? {
        guard let (messages, serverTime) = try await connection.messages(in: conversation, user: question.user) else {
            return nil
        }
        let known = question.session?.data[PlatformSession.newestMessage]?.string
        let newer = messages[(messages.lastIndex { $0.id == known }.map { $0 + 1 } ?? 0)...]
        let query = DifyChatflow.storedText(question.text)
        let earliest = earliestSecond(serverTime)
        let found = newer.last { $0.query == query && ($0.createdAt ?? 0) >= earliest }
        return found.map { AskTrace(conversationID: conversation, messageID: $0.id) }
    }

    /// The moment of asking by Dify's clock, in its whole seconds, a little earlier to be safe.
    private func earliestSecond(_ serverTime: Timestamp) -> Int64 {
        let ahead = serverTime - connection.clock.now
        return (askedAt + ahead - .seconds(5)).rawValue / 1000
    }

    private static let lost = PlatformError(
        .final, "The app was asked, but Dify knows nothing of the question any more.")
}
