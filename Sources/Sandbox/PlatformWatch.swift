import Base

/// Is told everything that a simulated platform hears and says, before it is sent: for checks against a contract.
public struct PlatformWatch: Sendable {
    /// A request and its answer.
    public var exchange: @Sendable (HTTPRequest, HTTPResponse) -> Void
    /// One event of a stream: the route that the app is asked by, and the event's JSON.
    public var event: @Sendable (_ route: String, _ json: [UInt8]) -> Void

    public init(
        exchange: @escaping @Sendable (HTTPRequest, HTTPResponse) -> Void,
        event: @escaping @Sendable (_ route: String, _ json: [UInt8]) -> Void = { _, _ in }
    ) {
        self.exchange = exchange
        self.event = event
    }
}
