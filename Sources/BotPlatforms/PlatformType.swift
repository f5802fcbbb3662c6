import Base

/// A kind of bot platform that a provider can have.
public struct PlatformType: Sendable {
    /// As stored and in the API: `dify_chatflow`.
    public var name: String
    /// As people know it: `Dify Chatflow`.
    public var displayName: String
    public var defaultURL: String
    /// Whether a connector cannot do without a key.
    public var needsKey = false
    /// What a connector's `options` may hold.
    public var options: [PlatformOption] = []
    /// Throws what a question to the connector would meet before anybody is asked.
    var check: @Sendable (PlatformConfiguration) throws -> Void = { _ in }
    /// Makes the platform for one connector.
    public var make: @Sendable (PlatformConfiguration) -> any BotPlatform

    /// Every kind there is.
    public static let all: [PlatformType] = [
        .difyChatflow,
        .difyWorkflow,
        .difyChat,
        .difyAgent,
        .difyCompletion,
        .typebot,
        .openAI,
        .webhook,
    ]

    public static func named(_ name: String) -> PlatformType? { all.first { $0.name == name } }

    /// What is wrong with a connector's settings, as far as it is seen without asking anybody; `nil`: nothing.
    public func fault(in configuration: PlatformConfiguration) -> String? {
        do {
            try check(configuration)
            if !configuration.url.isEmpty { _ = try HTTPAddress(configuration.url) }
            return nil
        } catch {
            return PlatformError(error, hiding: []).message
        }
    }
}

/// One of a connector's `options`; each may be left out.
public struct PlatformOption: Sendable {
    public enum Kind: Sendable, Hashable {
        case text
        case flag
        case integer(ClosedRange<Int64>)
        case number(ClosedRange<Double>)
        case oneOf([String])
    }
    public var name: String
    public var kind: Kind
    /// What it does and what holds without it, for the administrator.
    public var about: String
    public init(_ name: String, _ kind: Kind, _ about: String) {
        self.name = name
        self.kind = kind
        self.about = about
    }
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
