import Base
import BotPlatforms
import Storage
import Synchronization

/// The bot platforms in use: one for each connector, made anew when its settings change.
public final class Platforms: Sendable {
    /// Who may point a provider or connector at a private address (`BITBOT_PRIVATE_UPSTREAMS`).
    public enum PrivateUpstreams: String, Sendable, CaseIterable { case admin, allow, deny }

    private struct Entry {
        var connector: ConnectorRecord
        var provider: ProviderRecord
        var platform: any BotPlatform
    }

    let http: HTTPClient
    private let privateUpstreams: PrivateUpstreams
    private let types: [PlatformType]
    private let clock: WallClock
    private let log: Log
    private let entries = Mutex<[ID<ConnectorRecord>: Entry]>([:])

    public init(
        http: HTTPClient, privateUpstreams: PrivateUpstreams, types: [PlatformType] = PlatformType.all,
        clock: WallClock, log: Log
    ) {
        self.http = http
        self.privateUpstreams = privateUpstreams
        self.types = types
        self.clock = clock
        self.log = log
    }

    /// - Returns: `nil` if the provider's type is not one that this version knows.
    public func platform(_ connector: ConnectorRecord, _ provider: ProviderRecord) -> (any BotPlatform)? {
        let known = entries.withLock { $0[connector.id] }
        if let known, known.connector == connector, known.provider == provider { return known.platform }
        guard let type = types.first(where: { $0.name == provider.type }) else { return nil }
        let platform = type.make(configuration(connector, provider))
        keep(platform, for: connector, provider)
        return platform
    }

    /// What is wrong with a connector's settings, as far as it is seen without asking anybody; `nil`: nothing.
    func fault(_ connector: ConnectorRecord, _ provider: ProviderRecord) -> String? {
        types.first { $0.name == provider.type }?.fault(in: configuration(connector, provider))
    }

    private func configuration(_ connector: ConnectorRecord, _ provider: ProviderRecord) -> PlatformConfiguration {
        PlatformConfiguration(
            url: connector.url ?? provider.url, key: connector.key, options: connector.options,
            trust: trust(connector), http: http, clock: clock, log: log)
    }

    /// Uses this platform as long as connector and provider stay as they are.
    func keep(_ platform: any BotPlatform, for connector: ConnectorRecord, _ provider: ProviderRecord) {
        entries.withLock { $0[connector.id] = Entry(connector: connector, provider: provider, platform: platform) }
    }

    /// How far an address found in an answer is trusted: as the bot platform itself where it is of the same origin.
    func trust(_ url: String, from connector: ConnectorRecord, _ provider: ProviderRecord) -> HTTPClient.Trust {
        HTTPClient.isSameOrigin(url, connector.url ?? provider.url) ? trust(connector) : .publicOnly
    }

    /// An address that the server's administrator chose may be private; one that a portal's administrator chose only where
    /// the server's administrator allows it.
    private func trust(_ connector: ConnectorRecord) -> HTTPClient.Trust {
        let chosenByAdmin = connector.portalID == nil || connector.url == nil
        return switch privateUpstreams {
        case .allow: .privateAllowed
        case .admin: chosenByAdmin ? .privateAllowed : .publicOnly
        case .deny: .publicOnly
        }
    }
}
