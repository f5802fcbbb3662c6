import Base
import Bitrix24
import Storage
import Synchronization

/// The portals that this process talks to: one ``Portal`` for each, so that all applications on it share its limit, and one
/// ``Account`` for each installation, so that its tokens are renewed once.
public final class Portals: Sendable {
    private struct OpenPortal {
        var portal: Portal
        var limit: Portal.Limit?
        var trust: HTTPClient.Trust
    }
    private struct OpenAccount {
        var account: Account
        /// `nil` for a webhook.
        var keys: ApplicationKeys?
        var serverEndpoint: String
        /// What the store was last seen to say, and when that was written.
        var endpoint: String
        var updatedAt: Timestamp
    }
    private struct State {
        var portals: [ID<PortalRecord>: OpenPortal] = [:]
        var accounts: [ID<InstallationRecord>: OpenAccount] = [:]
        var whenOpened: @Sendable (ID<PortalRecord>) async -> Void = { _ in }
    }

    private let store: Store
    private let http: HTTPClient
    private let authorization: AuthorizationServer
    private let clock: WallClock
    private let log: Log
    private let metrics: Metrics
    private let state = Mutex(State())

    public init(
        store: Store, http: HTTPClient, authorization: AuthorizationServer, clock: WallClock, log: Log, metrics: Metrics
    ) {
        self.store = store
        self.http = http
        self.authorization = authorization
        self.clock = clock
        self.log = log
        self.metrics = metrics
    }

    /// The portal of a record, with the record's limit.
    public func portal(_ record: PortalRecord) -> Portal {
        let limit =
            record.limitPerSecond > 0
            ? Portal.Limit(burst: record.limitBurst, perSecond: record.limitPerSecond) : nil
        let trust: HTTPClient.Trust = record.allowPrivate ? .privateAllowed : .publicOnly
        return state.withLock { state in
            if var open = state.portals[record.id], open.trust == trust {
                if open.limit != limit {
                    open.portal.setLimit(limit)
                    open.limit = limit
                    state.portals[record.id] = open
                }
                return open.portal
            }
            let portal = Portal(http: http, trust: trust, limit: limit, log: log, metrics: metrics)
            state.portals[record.id] = OpenPortal(portal: portal, limit: limit, trust: trust)
            return portal
        }
    }

    /// Sets what happens when Bitrix24 lets an installation in again: what waits for its portal may go at once.
    func whenOpened(_ body: @escaping @Sendable (ID<PortalRecord>) async -> Void) {
        state.withLock { $0.whenOpened = body }
    }

    func opened(_ portal: ID<PortalRecord>) async { await state.withLock { $0.whenOpened }(portal) }

    /// A portal that is not in the store yet, or may not be called without asking first.
    func stranger(trust: HTTPClient.Trust) -> Portal {
        Portal(http: http, trust: trust, limit: .init(), startsHalfFull: false, log: log, metrics: metrics)
    }

    /// The account of an installation; `nil` if its application has no keys (any more).
    public func account(_ installation: InstallationRecord) async throws -> Account? {
        if installation.kind == .webhook {
            return account(installation, keys: nil) { keeper in
                Account(webhookAt: installation.clientEndpoint, keeper: keeper, clock: clock)
            }
        }
        guard let appID = installation.appID, let app = try await store.app(appID), let clientID = app.clientID,
            let clientSecret = app.clientSecret
        else { return nil }
        let keys = ApplicationKeys(clientID: clientID, clientSecret: clientSecret)
        return account(installation, keys: keys) { keeper in
            Account(
                endpoint: installation.clientEndpoint, keys: keys, authorization: authorization, keeper: keeper,
                serverEndpoint: installation.serverEndpoint, clock: clock)
        }
    }

    private func account(
        _ installation: InstallationRecord, keys: ApplicationKeys?, make: (StoredCredentials) -> Account
    ) -> Account {
        state.withLock { state in
            if var open = state.accounts[installation.id], open.keys == keys,
                open.serverEndpoint == installation.serverEndpoint
            {
                // The same account, whose renewed tokens may not be stored yet. A record that was read before the portal
                // moved changes nothing.
                if open.endpoint != installation.clientEndpoint, installation.updatedAt >= open.updatedAt {
                    open.account.use(installation.clientEndpoint)
                    open.endpoint = installation.clientEndpoint
                    open.updatedAt = installation.updatedAt
                    state.accounts[installation.id] = open
                }
                return open.account
            }
            let keeper = StoredCredentials(
                store: store, installation: installation.id, clock: clock, log: log, opened: { await self.opened($0) })
            let account = make(keeper)
            state.accounts[installation.id] = OpenAccount(
                account: account, keys: keys, serverEndpoint: installation.serverEndpoint,
                endpoint: installation.clientEndpoint, updatedAt: installation.updatedAt)
            return account
        }
    }
}
