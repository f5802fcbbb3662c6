import Base

/// A kind of bot platform that a provider can have.
public struct PlatformType: Sendable {
    /// As stored and in the API: `dify_chatflow`.
    public var name: String
    /// As people know it: `Dify Chatflow`.
    public var displayName: String
    public var defaultURL: String
    /// Makes the platform for one connector.
    public var make: @Sendable (PlatformConfiguration) -> any BotPlatform

    /// Every kind there is.
    public static let all: [PlatformType] = [.difyChatflow]

    public static func named(_ name: String) -> PlatformType? { all.first { $0.name == name } }
}

/// What a platform needs to work for one connector.
public struct PlatformConfiguration: Sendable {
    /// The connector's address, else its provider's.
    public var url: String
    public var key: Secret?
    public var options: JSON
    public var trust: HTTPClient.Trust
    public var http: HTTPClient
    public var clock: WallClock
    public var log: Log
    public init(
        url: String, key: Secret?, options: JSON, trust: HTTPClient.Trust, http: HTTPClient, clock: WallClock, log: Log
    ) {
        self.url = url
        self.key = key
        self.options = options
        self.trust = trust
        self.http = http
        self.clock = clock
        self.log = log
    }
}
