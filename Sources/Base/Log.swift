/// Writes JSON lines. Pass secrets as ``Secret``: what is written is its masked form.
public struct Log: Sendable {
    public enum Level: String, Sendable, Comparable, CaseIterable {
        case debug, info, warning, error
        public static func < (a: Level, b: Level) -> Bool {
            allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
        }
    }

    /// What a field may hold.
    public enum Value: Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
        ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
    {
        case text(String)
        case integer(Int64)
        case number(Double)
        case flag(Bool)
        case secret(Secret)
        public init(stringLiteral value: String) { self = .text(value) }
        public init(integerLiteral value: Int64) { self = .integer(value) }
        public init(booleanLiteral value: Bool) { self = .flag(value) }
    }

    public let level: Level

    /// - Parameter write: takes one finished line without its line end; standard error if `nil`.
    public init(level: Level, write: (@Sendable (String) -> Void)? = nil) { fatalError("skeleton") }

    /// A log that writes nothing, for tests that do not look at it.
    public static let silent = Log(level: .error, write: { _ in })

    public func debug(_ event: String, _ fields: [String: Value] = [:]) { fatalError("skeleton") }
    public func info(_ event: String, _ fields: [String: Value] = [:]) { fatalError("skeleton") }
    public func warning(_ event: String, _ fields: [String: Value] = [:]) { fatalError("skeleton") }
    public func error(_ event: String, _ fields: [String: Value] = [:]) { fatalError("skeleton") }
}
