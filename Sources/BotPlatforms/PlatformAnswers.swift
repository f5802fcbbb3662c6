import Base

/// What the answers of several platforms have in common.
enum PlatformAnswers {
    /// The pause that an answer asks for (RFC 9110, 10.2.3).
    static func retryAfter(_ headers: HTTPHeaders, clock: WallClock) -> Duration? {
        guard let value = headers["Retry-After"] else { return nil }
        if let seconds = Int64(value), (0...86_400).contains(seconds) { return .seconds(seconds) }
        return Timestamp(httpDate: value).map { max(.zero, $0 - clock.now) }
    }

    /// The beginning of a body that is not what was wanted, in one line, for the administrator.
    static func excerpt(_ body: [UInt8]) -> String {
        let text = String(decoding: body.prefix(2_000), as: UTF8.self)
        let words = text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
        return words.count > 200 ? words.prefix(200) + "…" : words
    }

    /// Whether a body is a page for people, whatever its type says.
    static func isPage(_ body: [UInt8]) -> Bool {
        body.first { ![0x09, 0x0A, 0x0D, 0x20].contains($0) } == UInt8(ascii: "<")
    }
}

/// The parts of an answer that comes whole: asked for when the first one is wanted, in the reader's own task.
actor WholeAnswer {
    private let ask: @Sendable () async throws -> [ReplyPart]
    /// The next one last.
    private var parts: [ReplyPart]?

    /// - Parameter ask: throws ``PlatformError``, or `CancellationError`.
    static func stream(_ ask: @escaping @Sendable () async throws -> [ReplyPart]) -> AsyncThrowingStream<
        ReplyPart, any Error
    > {
        let answer = WholeAnswer(ask)
        return AsyncThrowingStream { try await answer.next() }
    }

    private init(_ ask: @escaping @Sendable () async throws -> [ReplyPart]) { self.ask = ask }

    private func next() async throws -> ReplyPart? {
        if parts == nil { parts = try await ask().reversed() }
        return parts?.popLast()
    }
}
