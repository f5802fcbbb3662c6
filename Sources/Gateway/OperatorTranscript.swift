import Base
import Bitrix24
import BotPlatforms
import Storage

/// What an operator and a customer said while the bot was silent, as the variable `OPERATOR_TRANSCRIPT` tells it.
enum OperatorTranscript {
    static let variable = "OPERATOR_TRANSCRIPT"
    static let mostCharacters = 4_000

    /// `Operator: …` and `Customer: …` in lines, the newest kept; empty if nothing was said.
    /// - Parameters:
    ///   - part: which of the session's messages.
    ///   - question: what the customer says now, which is no part of it.
    static func text(_ lines: [SessionLine], part: OperatorDesk.OperatorPart, question: BotEvent) -> String {
        var kept: [String] = []
        var room = mostCharacters
        for line in lines.reversed() where line.messageID > part.after ?? 0 {
            if line.isBot || line.authorID == "\(question.botID)" || line.messageID >= question.messageID ?? .max {
                continue
            }
            let name = isCustomer(line, question) ? "Customer: " : "Operator: "
            let words = line.text.split(whereSeparator: \.isNewline).joined(separator: " ")
            guard name.count + words.count <= room else {
                if kept.isEmpty { kept.append(name + words.suffix(room - name.count)) }
                break
            }
            kept.append(name + words)
            room -= name.count + words.count + 1
        }
        return kept.reversed().joined(separator: "\n")
    }

    private static func isCustomer(_ line: SessionLine, _ question: BotEvent) -> Bool {
        line.isCustomer == true || line.authorID == question.chat.customerID || line.authorID == question.authorID
    }
}

extension Conversation {
    /// The answer is not held up for longer.
    static let patienceForHistory = Duration.seconds(4)

    /// Adds what an operator and the customer said to the question. What cannot be read now goes with the next one.
    func tell(
        _ part: OperatorDesk.OperatorPart?, in question: inout Question, _ item: inout PendingEvent, _ setting: Setting
    )
        async
    {
        item.missedOperatorPart = false
        guard let part else { return }
        let read = await first(within: Self.patienceForHistory) { () async -> [SessionLine]? in
            do {
                guard let account = try await self.portals.account(setting.installation) else { return nil }
                return try await self.portals.portal(setting.portal).history(ofSession: part.session, as: account)
            } catch let error as PortalError where !error.isPassing && error.kind != .noCredential {
                self.log.warning(
                    "what an operator said cannot be read",
                    ["bot": .text(setting.bot.name), "reason": .text(error.message)])
                return [SessionLine]()
            } catch {
                return nil
            }
        }
        guard let read else {
            item.missedOperatorPart = true
            return log.warning(
                "what an operator said could not be read in time", ["event_id": .integer(item.row)])
        }
        let text = OperatorTranscript.text(read, part: part, question: item.event)
        if !text.isEmpty { question.variables[OperatorTranscript.variable] = text }
    }
}

/// What `body` gives, or `nil` after `limit`; then it is cancelled, and not waited for.
private func first<Value: Sendable>(
    within limit: Duration, _ body: @escaping @Sendable () async -> Value?
) async -> Value? {
    let (values, report) = AsyncStream.makeStream(of: Value?.self, bufferingPolicy: .bufferingOldest(1))
    let work = Task { report.yield(await body()) }
    let timer = Task {
        try? await Task.sleep(for: limit)
        report.yield(nil)
    }
    defer {
        work.cancel()
        timer.cancel()
    }
    return await values.first { _ in true } ?? nil
}
