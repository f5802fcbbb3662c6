import CBase
import Glibc

/// What a Redis server answers to one command.
enum RedisReply: Sendable, Equatable {
    case none
    case text(String)
    case integer(Int64)
    /// An error of the server, in its words.
    case refused(String)
}

/// One connection to a Redis server: the only place that holds hiredis' handle. Used on one thread.
final class RedisConnection {
    enum Failure: Error {
        /// The other side closed it, or the network did.
        case broken(String)
        case timeout(String)

        var asRedisError: RedisError {
            switch self {
            case .broken(let reason), .timeout(let reason): .away(reason)
            }
        }
    }

    private let context: UnsafeMutablePointer<redisContext>
    private let name: String

    /// Connects, signs in and chooses the database.
    /// - Throws: ``RedisError``.
    init(_ address: Redis.Address) throws(RedisError) {
        name = "\(address.host):\(address.port)"
        let patience = timeval(tv_sec: Int(RedisDesk.patience.components.seconds), tv_usec: 0)
        guard let context = redisConnectWithTimeout(address.host, Int32(address.port), patience) else {
            throw .away("\(name): out of memory")
        }
        self.context = context
        guard context.pointee.err == 0, redisSetTimeout(context, patience) == REDIS_OK else {
            throw failure().asRedisError
        }
        var greeting: [[String]] = []
        if let password = address.password {
            greeting.append(["AUTH"] + (address.username.map { [$0] } ?? []) + [password.reveal()])
        }
        if address.database != 0 { greeting.append(["SELECT", String(address.database)]) }
        // Without a greeting a server that wants a password would look reachable.
        greeting.append(["PING"])
        var refusal: String?
        do {
            try exchange(greeting) { if case .refused(let reason) = $0 { refusal = refusal ?? reason } }
        } catch {
            throw error.asRedisError
        }
        if let refusal { throw refusal.hasPrefix("LOADING") ? .away(refusal) : .refused(refusal) }
    }

    deinit { redisFree(context) }

    /// Sends commands together and hands over their replies in order.
    func exchange(_ commands: [[String]], reply: (RedisReply) -> Void) throws(Failure) {
        for command in commands { append(command) }
        for _ in commands {
            var answer: UnsafeMutableRawPointer?
            guard redisGetReply(context, &answer) == REDIS_OK, let answer else { throw failure() }
            defer { freeReplyObject(answer) }
            reply(Self.read(answer.assumingMemoryBound(to: redisReply.self).pointee))
        }
    }

    private func append(_ command: [String]) {
        let lengths = command.map(\.utf8.count)
        var joined = command.joined(separator: "")
        joined.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                var start = 0
                var words: [UnsafePointer<CChar>?] = lengths.map { length in
                    defer { start += length }
                    return text.baseAddress.map { $0 + start }
                }
                // Copies the words; running out of memory shows at the reply.
                redisAppendCommandArgv(context, Int32(words.count), &words, lengths)
            }
        }
    }

    private func failure() -> Failure {
        let isTimeout = context.pointee.err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT)
        if isTimeout { return .timeout("\(name): no answer within \(RedisDesk.patience)") }
        let reason = withUnsafeBytes(of: context.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return .broken("\(name): \(reason)")
    }

    private static func read(_ reply: redisReply) -> RedisReply {
        switch reply.type {
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: .text(text(reply))
        case REDIS_REPLY_ERROR: .refused(text(reply))
        case REDIS_REPLY_INTEGER: .integer(reply.integer)
        default: .none
        }
    }

    private static func text(_ reply: redisReply) -> String {
        guard let start = reply.str else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: reply.len), as: UTF8.self)
    }
}
