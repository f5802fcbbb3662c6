import Base

/// A bot's `settings`: how it behaves in the chat. Each may be left out; what cannot be read counts as left out.
public struct BotSettings: Sendable, Equatable {
    /// `typing`: show in open channels too that the bot is typing.
    public var typing = false
    /// `separate`: what the bot says as several messages is shown as several.
    public var separate = false
    /// `live`: show the answer while it grows; never in open channels.
    public var live = false
    /// `collect_ms`: so long after a message more of them are waited for, to be asked as one question.
    public var collect = Duration.zero
    /// `greet`: whether the bot speaks when it joins a dialog; by default it does, except in open channels.
    public var greet: Bool?
    /// `failure_text`: what a person is told when the bot fails, by language (`en`).
    public var failureText: [String: String] = [:]
    /// `failure_handover`: an operator takes the dialog when the bot fails.
    public var failureHandover = false

    public init(_ json: JSON) {
        typing = json["typing"]?.bool ?? false
        separate = json["separate"]?.bool ?? false
        live = json["live"]?.bool ?? false
        collect = .milliseconds(min(max(json["collect_ms"]?.integer ?? 0, 0), 60_000))
        greet = json["greet"]?.bool
        failureText = json["failure_text"]?.object?.compactMapValues(\.string) ?? [:]
        failureHandover = json["failure_handover"]?.bool ?? false
    }
}
