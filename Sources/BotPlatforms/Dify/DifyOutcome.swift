import Base

/// Finds what became of a question whose answer did not arrive whole. A run goes on when its client has left.
/// Documentation: `en/api-reference/guides/streaming.mdx`, "Reconnect and Resume".
extension DifyApp {
    func outcome(of question: Question, trace: AskTrace?, askedAt: Timestamp) async throws -> AskOutcome {
        do {
            let search = DifySearch(app: self, question: question, askedAt: askedAt)
            let outcome = try await search.outcome(trace ?? AskTrace())
            guard case .answered(let parts) = outcome, let message = search.suggestible(parts, trace) else {
                return outcome
            }
            return .answered(parts + (await suggestions(after: message, user: question.user)))
        } catch let error as CancellationError {
            throw error
        } catch {
            var error = PlatformError(error, hiding: secrets(of: question))
            // What passes here is the look-up's fault, and tells nothing of the question.
            if error.kind == .passing { error.kind = .uncertain }
            throw error
        }
    }

    /// What became of a run after its form was filled in, when its stream did not tell it all: it ended, or waits again,
    /// before anybody listened.
    /// - Throws: ``PlatformError``.
    func rest(of question: Question, _ trace: AskTrace) async throws -> [ReplyPart] {
        let search = DifySearch(app: self, question: question, askedAt: connection.clock.now)
        switch try await search.follow(trace) {
        case .answered(let parts): return parts
        case .failed(let error): throw error
        case .neverArrived: return []
        }
    }

    /// Returns when a run no longer goes on, by two looks.
    func settling(ofRun id: String) async -> Bool {
        var looks = 0
        while looks < 2 {
            do {
                try await Task.sleep(for: connection.timing.pause * 4)
                let run = try await connection.run(id)
                looks = run?.status == "running" ? 0 : looks + 1
            } catch is CancellationError {
                return false
            } catch {
                // The stream itself tells what is wrong.
            }
            if Task.isCancelled { return false }
        }
        return true
    }
}

private struct DifySearch {
    let app: DifyApp
    let question: Question
    let askedAt: Timestamp

    private var connection: DifyConnection { app.connection }
    private var timing: DifyTiming { connection.timing }
    /// The form that the question was to fill in.
    private var form: DifyForm? { question.kind == .command ? nil : question.session?.difyForm }

    func outcome(_ trace: AskTrace) async throws -> AskOutcome {
        if let form { return try await outcome(of: form) }
        let wasSeen = !trace.isEmpty
        if trace.runID != nil || (trace.conversationID != nil && trace.messageID != nil) {
            return try await follow(trace)
        }
        if let found = try await find(trace) { return try await follow(found) }
        if try await mayStillArrive(), let found = try await find(trace) { return try await follow(found) }
        return wasSeen ? .failed(Self.lost) : .neverArrived
    }

    /// Lets pass the time in which a request may still be on its way; false if it has passed already.
    private func mayStillArrive() async throws -> Bool {
        let rest = timing.arrival - (connection.clock.now - askedAt)
        guard rest > .zero else { return false }
        try await Task.sleep(for: min(rest, timing.arrival))
        return true
    }

    /// A form that was submitted is closed; one that waits was not reached by the answer.
    private func outcome(of form: DifyForm) async throws -> AskOutcome {
        var waits = try await connection.waits(for: form)
        if waits == true, try await mayStillArrive() { waits = try await connection.waits(for: form) }
        guard waits == false else { return .neverArrived }
        let conversation = app.kind.hasConversations ? question.session : nil
        return try await follow(
            AskTrace(
                conversationID: conversation?.id, messageID: conversation?.data[PlatformSession.newestMessage]?.string,
                runID: form.run))
    }

    /// The message after which questions may be suggested; `nil` where a form waits.
    func suggestible(_ parts: [ReplyPart], _ trace: AskTrace?) -> String? {
        let session = parts.compactMap { if case .session(let session?) = $0 { session } else { nil } }.last
        guard session?.difyForm == nil else { return nil }
        return session?.data[PlatformSession.newestMessage]?.string ?? trace?.messageID
    }

    // MARK: A question whose ids are known

    /// Waits for the end of a run, with growing pauses.
    func follow(_ trace: AskTrace) async throws -> AskOutcome {
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
        case "paused": return try await pause(trace, try await message(trace))
        default: break
        }
        if let run, app.kind == .workflow { return ended(run, trace) }
        let message = try await message(trace)
        if run == nil, let message, message.status != "error", message.hasAnswer, patience.saidBefore != message.answer
        {
            patience.saidBefore = message.answer
            return nil
        }
        if let message, message.hasAnswer || message.status == "error" {
            return message.status == "error"
                ? .failed(.runFailed(message.error))
                : .answered(parts(trace, unsaid(message.answer), message.files, run?.outputs.actions ?? []))
        }
        if message?.status == "paused" { return try await pause(trace, message) }
        guard let run else {
            if message == nil { patience.forAnything -= 1 }
            return patience.forAnything > 0 ? nil : .failed(Self.lost)
        }
        if message != nil, patience.forMessageOfEndedRun > 0 {
            patience.forMessageOfEndedRun -= 1
            return nil
        }
        return ended(run, trace)
    }

    /// What a run gave out.
    private func ended(_ run: DifyRecord.Run, _ trace: AskTrace) -> AskOutcome {
        let outputs = run.outputs
        let text = app.kind == .workflow ? outputs.text(app.outputStyle) : unsaid(outputs.answer)
        if text?.isEmpty != false, outputs.files.isEmpty, outputs.actions.isEmpty, run.status == "stopped" {
            return .failed(.stoppedUnsaid)
        }
        return .answered(parts(trace, text, outputs.files, outputs.actions))
    }

    /// Without what was said before the form.
    private func unsaid(_ answer: String?) -> String? {
        guard let answer, let form, answer.hasPrefix(form.said) else { return answer }
        return String(answer.dropFirst(form.said.count))
    }

    /// The form that a run waits for.
    /// - Returns: `nil` where it is the one that was just submitted: the run is about to go on.
    private func pause(_ trace: AskTrace, _ message: DifyRecord.Message?) async throws -> AskOutcome? {
        guard let run = trace.runID else { return .failed(.pausesForHumanInput) }
        var next = message?.form
        if next == nil || next?.token == form?.token { next = try await replayedForm(ofRun: run) }
        guard let next else { return form == nil ? .failed(.pausesForHumanInput) : nil }
        if next.token == form?.token { return nil }
        var said: [ReplyPart] = []
        var answer = DifyAnswer(app, session: session(trace), words: DifyWords(question), trace: trace)
        answer.pause(with: next, saying: unsaid(message?.answer) ?? "") { said.append($0) }
        return .answered(said)
    }

    /// A run's events, told again from its beginning, name the form it waits for.
    private func replayedForm(ofRun run: String) async throws -> DifyForm? {
        do {
            let body = try await connection.events(ofRun: run, user: question.user, replays: true).body
            var parser = ServerSentEventParser(maximumBytes: 4 * 1024 * 1024)
            for try await piece in body {
                for event in try parser.feed(piece) where event.data.contains("form_token") {
                    guard let data = try? JSON(parsing: event.data.utf8)["data"] else { continue }
                    let reasons = data["reasons"]?.array ?? []
                    if let form = ([data] + reasons).lazy.compactMap({ DifyForm($0, run: run) }).first { return form }
                }
            }
        } catch is DifyRefusal {
            // An older version, or the run is gone.
        } catch is HTTPClientError {
            // Listening to a run that waits may just wait with it.
        }
        return nil
    }

    private func run(_ trace: AskTrace) async throws -> DifyRecord.Run? {
        guard let id = trace.runID else { return nil }
        return try await connection.run(id)
    }

    private func message(_ trace: AskTrace) async throws -> DifyRecord.Message? {
        guard let conversation = trace.conversationID, let id = trace.messageID else { return nil }
        return try await connection.messages(in: conversation, user: question.user)?.0.last { $0.id == id }
    }

    private func session(_ trace: AskTrace) -> PlatformSession? {
        guard app.kind.hasConversations, let conversation = trace.conversationID else { return nil }
        return PlatformSession(
            conversation: conversation, message: trace.messageID, following: question.session?.with(nil))
    }

    private func parts(
        _ trace: AskTrace, _ answer: String?, _ found: [DifyEvent.File], _ actions: [BotAction]
    ) -> [ReplyPart] {
        var parts: [ReplyPart] = []
        if let session = session(trace) {
            parts.append(.session(session))
        } else if form != nil {
            parts.append(.session(nil))
        }
        if let answer, !answer.isEmpty { parts.append(.text(answer)) }
        var files = DifyFiles()
        for file in found {
            if let part = files.part(for: file, origin: connection.origin, said: answer ?? "") { parts.append(part) }
        }
        return parts + actions.map(ReplyPart.action)
    }

    // MARK: A question of which nothing was seen

    /// Looks where it must be if it arrived: among the runs, in the conversation that was asked, or in a new one.
    private func find(_ trace: AskTrace) async throws -> AskTrace? {
        if app.kind == .workflow {
            let (runs, serverTime) = try await connection.runs(of: question.user)
            // Nothing but the time tells a run from the one before it.
            let earliest = earliestSecond(serverTime, slack: .seconds(1))
            return runs.first { ($0.createdAt ?? 0) >= earliest }?.run.map { AskTrace(runID: $0.id) }
        }
        let seen = trace.conversationID
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
        let earliest = earliestSecond(serverTime)
        let found = newer.last { isAsked($0.query ?? "") && ($0.createdAt ?? 0) >= earliest }
        return found.map { AskTrace(conversationID: conversation, messageID: $0.id) }
    }

    /// With files more may be said than the person wrote, and of a voice message nobody knows the words here.
    private func isAsked(_ query: String) -> Bool {
        let text = question.difyText
        if question.files.isEmpty { return query == text }
        return query.hasPrefix(text) || question.files.contains { $0.mediaType.isAudio }
    }

    /// The moment of asking by Dify's clock, in its whole seconds, a little earlier to be safe.
    private func earliestSecond(_ serverTime: Timestamp, slack: Duration = .seconds(5)) -> Int64 {
        let ahead = serverTime - connection.clock.now
        return (askedAt + ahead - slack).rawValue / 1000
    }

    private static let lost = PlatformError(
        .final, "The app was asked, but Dify knows nothing of the question any more.")
}
