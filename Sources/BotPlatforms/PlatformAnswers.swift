import Base

/// What the answers of several platforms have in common.
enum PlatformAnswers {
    private static let longestPause = Duration.seconds(86_400)

    /// The pause that an answer asks for (RFC 9110, 10.2.3), at most a day.
    static func retryAfter(_ headers: HTTPHeaders, clock: WallClock) -> Duration? {
        guard let value = headers["Retry-After"] else { return nil }
        if let seconds = Int64(value) { return seconds < 0 ? nil : min(.seconds(seconds), longestPause) }
        return Timestamp(httpDate: value).map { min(max(.zero, $0 - clock.now), longestPause) }
    }

    /// BitBot asks for no compression; what comes compressed all the same it cannot read.
    /// - Throws: ``PlatformError``.
    static func checkIsPlain(_ headers: HTTPHeaders) throws {
        let coding = headers["Content-Encoding"]?.lowercased() ?? ""
        guard !coding.isEmpty, coding != "identity" else { return }
        throw PlatformError(
            .final,
            "The answer came compressed (\(coding.prefix(20))), though that was not asked for: let the server, or the "
                + "proxy before it, compress only where a request accepts it.")
    }

    /// The beginning of a body that is not what was wanted, in one line, for the administrator.
    static func excerpt(_ body: [UInt8]) -> String {
        let text = String(decoding: body.prefix(2_000), as: UTF8.self)
        let words = text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
        // The last of 2,000 bytes may be half a word, too.
        let most = body.count > 2_000 ? min(200, max(0, words.count - 1)) : 200
        return words.cutBetweenWords(at: most)
    }

    /// Whether a body is a page for people, whatever its type says.
    static func isPage(_ body: [UInt8]) -> Bool {
        body.first { ![0x09, 0x0A, 0x0D, 0x20].contains($0) } == UInt8(ascii: "<")
    }
}

extension String {
    /// Databases behind bot platforms refuse a text with a NUL in it.
    var withoutNUL: String { utf8.contains(0) ? filter { $0 != "\0" } : self }
}

extension Question {
    /// Whether what BitBot itself says is best said in Russian.
    var isInRussian: Bool { ["ru", "ua", "be", "kz"].contains(variables["LANGUAGE"]?.lowercased() ?? "") }
}

/// The parts of an answer that comes whole: asked for when the first one is wanted, in the reader's own task.
actor WholeAnswer {
    private let ask: @Sendable () async throws -> [ReplyPart]
    /// The next one last.
    private var parts: [ReplyPart]?

    /// - Parameter ask: throws ``PlatformError``, or `CancellationError`.
    static func stream(_ ask: @escaping @Sendable () async throws -> [ReplyPart]) -> ReplyParts {
        let answer = WholeAnswer(ask)
        return ReplyParts { try await answer.next() }
    }

    private init(_ ask: @escaping @Sendable () async throws -> [ReplyPart]) { self.ask = ask }

    private func next() async throws -> ReplyPart? {
        if parts == nil { parts = try await ask().reversed() }
        return parts?.popLast()
    }
}
