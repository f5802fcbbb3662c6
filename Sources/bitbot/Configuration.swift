import Base
import Foundation
import Gateway
import Storage

/// What the operator has set, from flags and environment, checked.
struct Configuration: Sendable {
    var listenHost = "127.0.0.1"
    var listenPort = 8080
    var publicURL: String
    var dataFolder: String
    var databasePath: String
    var redis: Redis.Address?
    var secretKey: String?
    var adminToken: Secret?
    var oauthURL: String
    var sessionTTL: Duration
    var privateUpstreams: Platforms.PrivateUpstreams
    var keepDays: Int
    var threads: Int
    var logLevel: Log.Level
    var sandbox: Bool

    /// Every setting: its flag is the name without prefix, in lower case with dashes (`--data-dir`).
    static let settings: [(variable: String, about: String)] = [
        ("BITBOT_LISTEN", "address to listen on (127.0.0.1:8080)"),
        ("BITBOT_PUBLIC_URL", "how Bitrix24 and browsers reach this server (http:// + listen address)"),
        ("BITBOT_DATA_DIR", "embedded store and generated secret key (./data)"),
        ("BITBOT_DATABASE_URL", "another path for the store (sqlite:$BITBOT_DATA_DIR/bitbot.db)"),
        ("BITBOT_REDIS_URL", "also keep conversation ids there: redis://[:password@]host:port/db"),
        ("BITBOT_SECRET_KEY", "32 bytes, base64: encrypts keys and tokens at rest (generated)"),
        ("BITBOT_ADMIN_TOKEN", "a fixed bearer token for the management API"),
        ("BITBOT_OAUTH_URL", "Bitrix24's authorization server (https://oauth.bitrix.info)"),
        ("BITBOT_SESSION_TTL", "seconds a conversation is remembered after its last message (86400)"),
        ("BITBOT_PRIVATE_UPSTREAMS", "who may point a provider at a private address: admin, allow, deny (admin)"),
        ("BITBOT_KEEP_DAYS", "days that transcripts are kept (30)"),
        ("BITBOT_THREADS", "event loops (number of cores)"),
        ("BITBOT_LOG_LEVEL", "debug, info, warning, error (info)"),
    ]

    static func flag(for variable: String) -> String {
        "--" + variable.dropFirst("BITBOT_".count).lowercased().replacing("_", with: "-")
    }

    /// - Throws: ``ConfigurationError``.
    init(_ values: [String: String], sandbox: Bool) throws {
        self.sandbox = sandbox
        let values = values.filter { !$0.value.isEmpty }
        (listenHost, listenPort) = try Self.address(values["BITBOT_LISTEN"] ?? "127.0.0.1:8080")
        publicURL =
            values["BITBOT_PUBLIC_URL"]
            ?? "http://\(Self.shown(listenHost)):\(listenPort)"
        dataFolder = values["BITBOT_DATA_DIR"] ?? "./data"
        databasePath = try Self.databasePath(values["BITBOT_DATABASE_URL"], dataFolder: dataFolder)
        do {
            redis = try values["BITBOT_REDIS_URL"].map(Redis.Address.init)
        } catch RedisError.badAddress(let reason) {
            throw ConfigurationError("BITBOT_REDIS_URL: \(reason)")
        }
        secretKey = values["BITBOT_SECRET_KEY"]
        adminToken = values["BITBOT_ADMIN_TOKEN"].map(Secret.init)
        oauthURL = values["BITBOT_OAUTH_URL"] ?? "https://oauth.bitrix.info"
        sessionTTL = .seconds(try Self.number("BITBOT_SESSION_TTL", values, 1...31_536_000, else: 86_400))
        privateUpstreams = try Self.word("BITBOT_PRIVATE_UPSTREAMS", values, else: .admin)
        keepDays = try Self.number("BITBOT_KEEP_DAYS", values, 1...36_500, else: 30)
        threads = try Self.number("BITBOT_THREADS", values, 1...256, else: ProcessInfo.processInfo.activeProcessorCount)
        logLevel = try Self.word("BITBOT_LOG_LEVEL", values, else: .info)
        for (name, url) in [("BITBOT_PUBLIC_URL", publicURL), ("BITBOT_OAUTH_URL", oauthURL)] {
            guard Self.host(of: url) != nil else {
                throw ConfigurationError(
                    "\(name) must be an address that begins with http:// or https://, not \"\(url)\"")
            }
        }
        if sandbox { try checkSandbox() }
    }

    /// The sandbox lets anybody who reaches it play every part, so nobody else may reach it.
    private func checkSandbox() throws {
        let loopback = ["127.0.0.1", "localhost", "::1", "[::1]"]
        guard loopback.contains(listenHost) else {
            throw ConfigurationError(
                "BITBOT_LISTEN: --sandbox is for this machine only, listen on 127.0.0.1 instead of \(listenHost)")
        }
        guard let host = Self.host(of: publicURL), loopback.contains(host) else {
            throw ConfigurationError(
                "BITBOT_PUBLIC_URL: --sandbox is for this machine only, \(publicURL) is not an address of it")
        }
    }

    private static func address(_ text: String) throws -> (String, Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port),
            colon != text.startIndex
        else { throw ConfigurationError("BITBOT_LISTEN must be host:port, not \"\(text)\"") }
        let host = text[..<colon]
        return (host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host), port)
    }

    /// A host as it stands in an address.
    private static func shown(_ host: String) -> String {
        if host == "127.0.0.1" { return "localhost" }
        return host.contains(":") ? "[\(host)]" : host
    }

    private static func databasePath(_ url: String?, dataFolder: String) throws -> String {
        guard let url else { return dataFolder + "/bitbot.db" }
        if url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") {
            throw ConfigurationError("BITBOT_DATABASE_URL: PostgreSQL is not supported yet, use sqlite:PATH")
        }
        guard url.hasPrefix("sqlite:"), url.count > 7 else {
            throw ConfigurationError("BITBOT_DATABASE_URL must be sqlite:PATH, not \"\(url.prefix { $0 != ":" }):…\"")
        }
        return String(url.dropFirst(7))
    }

    private static func number(
        _ name: String, _ values: [String: String], _ range: ClosedRange<Int>, else given: Int
    ) throws -> Int {
        guard let text = values[name] else { return given }
        guard let number = Int(text), range.contains(number) else {
            throw ConfigurationError(
                "\(name) must be a number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return number
    }

    private static func word<Word: RawRepresentable & CaseIterable>(
        _ name: String, _ values: [String: String], else given: Word
    ) throws -> Word where Word.RawValue == String {
        guard let text = values[name] else { return given }
        guard let word = Word(rawValue: text) else {
            let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError("\(name) must be one of \(words), not \"\(text)\"")
        }
        return word
    }

    private static func host(of url: String) -> String? {
        guard let scheme = ["https://", "http://"].first(where: url.hasPrefix) else { return nil }
        let authority = url.dropFirst(scheme.count).prefix { $0 != "/" }
        guard !authority.isEmpty, !authority.contains("@"), !authority.contains(where: \.isWhitespace) else {
            return nil
        }
        if authority.hasPrefix("[") { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }
}

/// One sentence that names what to mend.
struct ConfigurationError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
