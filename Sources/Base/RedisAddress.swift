extension Redis {
    /// Where a Redis server is and how to sign in there.
    public struct Address: Sendable, Equatable {
        public var host: String
        public var port: Int
        /// For servers with access control lists; the default user if `nil`.
        public var username: String?
        public var password: Secret?
        public var database: Int

        /// Reads `redis://[[user]:password@]host[:port][/db]`; user and password may be percent-encoded.
        /// - Throws: ``RedisError/badAddress(_:)``; `rediss://` is refused by name. The password is never in the text.
        public init(_ url: String) throws {
            let scheme = "redis://"
            guard !url.lowercased().hasPrefix("rediss://") else {
                throw RedisError.badAddress("rediss:// is not supported: Debian's Redis client has no TLS")
            }
            guard url.lowercased().hasPrefix(scheme) else {
                throw RedisError.badAddress("it does not begin with redis://")
            }
            var rest = url.dropFirst(scheme.count)
            (username, password) = (nil, nil)
            if let at = rest.lastIndex(of: "@") {
                (username, password) = try Self.credentials(rest[..<at])
                rest = rest[rest.index(after: at)...]
            }
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            database = try Self.database(rest[slash...].dropFirst())
            (host, port) = try Self.hostAndPort(rest[..<slash])
        }

        private static func credentials(_ text: Substring) throws -> (String?, Secret?) {
            guard let colon = text.firstIndex(of: ":") else {
                throw RedisError.badAddress("a password is written as redis://:password@host")
            }
            guard let user = Form.percentDecode(text[..<colon]),
                let password = Form.percentDecode(text[text.index(after: colon)...])
            else { throw RedisError.badAddress("the user or password is not percent-encoded properly") }
            guard user.isEmpty || !password.isEmpty else { throw RedisError.badAddress("a user without a password") }
            return (user.isEmpty ? nil : user, password.isEmpty ? nil : Secret(password))
        }

        private static func database(_ text: Substring) throws -> Int {
            guard !text.isEmpty else { return 0 }
            guard let number = UInt16(text), text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }) else {
                throw RedisError.badAddress("the database is not a number")
            }
            return Int(number)
        }

        private static func hostAndPort(_ text: Substring) throws -> (String, Int) {
            let end: Substring.Index
            let host: Substring
            if text.first == "[", let close = text.firstIndex(of: "]") {
                host = text[text.index(after: text.startIndex)..<close]
                end = text.index(after: close)
            } else {
                end = text.firstIndex(of: ":") ?? text.endIndex
                host = text[..<end]
            }
            guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw RedisError.badAddress("it names no host")
            }
            guard end < text.endIndex else { return (String(host), 6379) }
            guard text[end] == ":", let port = UInt16(text[text.index(after: end)...]), port > 0 else {
                throw RedisError.badAddress("the port is not a number from 1 to 65535")
            }
            return (String(host), Int(port))
        }
    }
}
