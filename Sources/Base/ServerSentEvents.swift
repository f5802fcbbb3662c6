/// One event of a `text/event-stream`.
public struct ServerSentEvent: Sendable, Equatable {
    /// The `event:` field; empty if there was none.
    public var name: String
    /// The `data:` lines, joined by line ends; empty for an event that had none (Dify's `event: ping`).
    public var data: String
    public init(name: String, data: String) {
        self.name = name
        self.data = data
    }
}

/// Cuts a stream into events, wherever the network cut it (inside a character, between CR and LF). Follows the HTML
/// standard's rules, except that an event with a name and no data is reported too, since Dify's pings are of that kind.
public struct ServerSentEventParser: Sendable {
    /// - Parameter maximumBytes: longest event; a longer one throws.
    public init(maximumBytes: Int = 4 * 1024 * 1024) { fatalError("skeleton") }

    /// The events that this piece completed.
    public mutating func feed(_ piece: [UInt8]) throws -> [ServerSentEvent] { fatalError("skeleton") }
}
