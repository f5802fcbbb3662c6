import Base

/// One question to a flow: the requests that it takes, and what people see of the answers.
struct TypebotTalk {
    /// Where the flow stands.
    private enum Standing {
        case ended
        case asks(TypebotInput)
        /// It takes any text.
        case waitsForEvent
    }

    /// A flow that wants more answers in a row than this, without asking the person anything, goes in circles.
    private static let mostDedicatedReplies = 20
    private static let tries = 4

    private let connection: TypebotConnection
    private let question: Question
    private var session = ""
    private var standing = Standing.ended
    /// Whether the flow has moved on for this question: it cannot be asked from the beginning again.
    private var isUnderWay = false
    private(set) var parts: [ReplyPart] = []

    init(_ connection: TypebotConnection, _ question: Question) {
        self.connection = connection
        self.question = question
    }

    /// - Throws: ``TypebotRefusal``, `HTTPClientError`, ``PlatformError``, `CancellationError`.
    mutating func greet() async throws {
        try await start()
        finish()
    }

    /// - Throws: as ``greet()``.
    mutating func reply() async throws {
        if let former = question.session, try await goOn(former) {
            finish()
            return
        }
        try await start()
        switch (question.kind, standing) {
        case (_, .ended), (_, .waitsForEvent): break
        case (.command, .asks(let input)):
            if try await sendCommand() == false, takesFirst(input) { try await answer(input) }
        case (_, .asks(let input)):
            if takesFirst(input) { try await answer(input) }
        }
        finish()
    }

    // MARK: Steps

    private mutating func start() async throws {
        var variables = question.variables.mapValues { JSON.string($0.withoutNUL) }
        for (name, token) in question.tokens { variables[name] = .string(token.reveal()) }
        let all = JSON.object(variables)
        let answer = try await carryOut { [connection] in try await connection.start(variables: all) }
        session = answer.sessionID
        try await take(answer)
    }

    /// - Returns: whether the session was still there.
    private mutating func goOn(_ former: PlatformSession) async throws -> Bool {
        session = former.id
        let input = former.data["input"].flatMap(TypebotInput.init)
        do {
            if question.kind == .command, try await sendCommand() { return true }
            try await answer(input)
            return true
        } catch let refusal as TypebotRefusal where refusal.meansSessionIsGone && !isUnderWay {
            return false
        }
    }

    /// Whether the message that began the dialog answers the first thing that the flow asks.
    private func takesFirst(_ input: TypebotInput) -> Bool {
        let hasSpoken = parts.contains { part in
            switch part {
            case .text, .file: true
            default: false
            }
        }
        return !hasSpoken && (!input.showsItself || input.option(namedBy: question) != nil)
    }

    /// - Returns: false if the flow has no such command.
    private mutating func sendCommand() async throws -> Bool {
        guard let name = question.variables["COMMAND"], !name.isEmpty else { return false }
        do {
            try await send(["type": "command", "command": .string(name)])
            return true
        } catch let refusal as TypebotRefusal where refusal.meansNoSuchCommand {
            return false
        }
    }

    private mutating func answer(_ input: TypebotInput?) async throws {
        let uploads = TypebotUploads(connection: connection, session: session)
        try await send(try await TypebotMessage(question, to: input, uploads: uploads).json)
    }

    private mutating func send(_ message: JSON?) async throws {
        let session = session
        try await take(try await carryOut { [connection] in try await connection.goOn(session, message: message) })
    }

    /// Takes an answer, and gives the flow what it wants besides before it goes on.
    private mutating func take(_ first: TypebotAnswer) async throws {
        var answer = first
        for _ in 0..<Self.mostDedicatedReplies {
            report(answer.logs)
            parts += answer.parts
            guard let action = answer.dedicatedReply else {
                standing = answer.input.map(Standing.asks) ?? (answer.waitsForEvent ? .waitsForEvent : .ended)
                return
            }
            let session = session
            answer = try await carryOut { [connection] in
                try await connection.goOn(session, message: action.reply)
            }
        }
        connection.log.warning("a Typebot flow goes in circles and was left", [:])
        standing = .ended
    }

    private mutating func finish() {
        switch standing {
        case .ended: parts.append(.session(nil))
        case .waitsForEvent: parts.append(.session(PlatformSession(id: session)))
        case .asks(let input):
            if input.kind == .payment {
                connection.log.warning("a Typebot flow asks for a payment, which only its own page can take", [:])
            }
            parts += input.parts(payment: paymentAdvice)
            parts.append(.session(PlatformSession(id: session, data: ["input": input.stored])))
        }
    }

    private var paymentAdvice: String? {
        guard let link = TypebotLink.markdown(connection.address?.page) else { return nil }
        return question.isInRussian
            ? "Оплатить можно только на этой странице: \(link)" : "Payment is possible on this page only: \(link)"
    }

    /// Once the flow has moved on a passing fault is waited for here: from outside the question could only be asked anew.
    private mutating func carryOut(_ request: () async throws -> TypebotAnswer) async throws -> TypebotAnswer {
        var pause = connection.timing.pause
        var round = 0
        while true {
            round += 1
            do {
                let answer = try await request()
                isUnderWay = true
                return answer
            } catch let error where isUnderWay {
                let fault = connection.fault(error)
                guard fault.kind == .passing, !Task.isCancelled else { throw error }
                if round == Self.tries { throw PlatformError(.uncertain, fault.message) }
                try await Task.sleep(for: min(max(pause, fault.retryAfter ?? .zero), .seconds(30)))
                pause *= 2
            }
        }
    }

    /// Details are left out: they may hold what a service answered.
    private func report(_ logs: [JSON]) {
        for entry in logs.prefix(20) {
            guard var text = entry["description"]?.saying else { continue }
            for secret in question.tokens.values where !secret.isEmpty {
                text = text.replacing(secret.reveal(), with: secret.masked)
            }
            let status = entry["status"]?.string ?? "error"
            let fields: [String: Log.Value] = ["status": .text(status), "description": .text(String(text.prefix(500)))]
            if ["success", "info"].contains(status) {
                connection.log.debug("a Typebot flow reports", fields)
            } else {
                connection.log.warning("a Typebot flow reports", fields)
            }
        }
    }
}
