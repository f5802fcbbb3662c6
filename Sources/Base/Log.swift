/// Writes JSON lines. Pass secrets as ``Secret``: what is written is its masked form.
///
/// A line is one object: `time` (ISO 8601, UTC), `level`, `event`, then the fields by name. A field that is called like
/// one of these three gets an underscore behind its name.
public struct Log: Sendable {
    public enum Level: String, Sendable, Comparable, CaseIterable {
        case debug, info, warning, error

        private var severity: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }

        public static func < (a: Level, b: Level) -> Bool { a.severity < b.severity }
    }

    /// What a field may hold.
    public enum Value: Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
        ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
    {
        /// Cut after 8 KB.
        case text(String)
        case integer(Int64)
        case number(Double)
        case flag(Bool)
        /// Written masked.
        case secret(Secret)

        public init(stringLiteral value: String) { self = .text(value) }
        public init(integerLiteral value: Int64) { self = .integer(value) }
        public init(floatLiteral value: Double) { self = .number(value) }
        public init(booleanLiteral value: Bool) { self = .flag(value) }

        /// A count.
        public static func count(_ value: Int) -> Value { .integer(Int64(value)) }

        /// A duration in milliseconds.
        public static func duration(_ value: Duration) -> Value {
            .number(
                Double(value.components.seconds) * 1000 + Double(value.components.attoseconds / 1_000_000_000) / 1e6)
        }

        /// An error's type, case and values (`RedisError.away("no route to host")`); a ``Secret`` in it is masked.
        public static func error(_ error: any Error) -> Value {
            let (type, text) = ("\(type(of: error))", "\(error)")
            return .text(text.hasPrefix(type) ? text : "\(type).\(text)")
        }
    }

    public let level: Level
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one finished line without its line end; standard error if `nil`.
    public init(level: Level, write: (@Sendable (String) -> Void)? = nil) {
        self.level = level
        self.write = write ?? { StandardError.write(line: $0) }
    }

    /// A log that writes nothing, for tests that do not look at it.
    public static let silent = Log(level: .error, write: { _ in })

    public func debug(_ event: String, _ fields: [String: Value] = [:]) { log(.debug, event, fields) }
    public func info(_ event: String, _ fields: [String: Value] = [:]) { log(.info, event, fields) }
    public func warning(_ event: String, _ fields: [String: Value] = [:]) { log(.warning, event, fields) }
    public func error(_ event: String, _ fields: [String: Value] = [:]) { log(.error, event, fields) }

    private func log(_ level: Level, _ event: String, _ fields: [String: Value]) {
        guard level >= self.level else { return }
        write(Self.line(level, event, fields))
    }

    static func line(_ level: Level, _ event: String, _ fields: [String: Value]) -> String {
        var line = JSONWriter()
        line.raw("{\"time\":")
        line.string(WallClock.system.now.iso8601)
        line.raw(",\"level\":")
        line.string(level.rawValue)
        line.raw(",\"event\":")
        line.string(event)
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            line.raw(",")
            line.string(["time", "level", "event"].contains(name) ? name + "_" : name)
            line.raw(":")
            line.logValue(value)
        }
        line.raw("}")
        return line.text
    }
}

extension JSONWriter {
    fileprivate mutating func logValue(_ value: Log.Value) {
        switch value {
        case .text(let text):
            string(text.utf8.count > 8192 ? String(decoding: text.utf8.prefix(8192), as: UTF8.self) + "…" : text)
        case .integer(let value): integer(value)
        case .number(let value): number(value)
        case .flag(let flag): self.value(.bool(flag))
        case .secret(let secret): string(secret.masked)
        }
    }
}
