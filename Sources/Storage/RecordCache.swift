import Base
import Synchronization

/// Records of one kind that were read from the store, by a key of theirs. Only what exists is kept.
final class RecordCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct State {
        var values: [Key: Value] = [:]
        /// Grows with every change, so that a value read before a change is not kept after it.
        var changes = 0
    }
    private let state = Mutex(State())

    /// Far above what a server has; when it is reached all is read again.
    private static var most: Int { 20_000 }

    /// The kept value, else what `load` gives.
    nonisolated(nonsending) func value(
        _ key: Key, load: nonisolated(nonsending) () async throws -> Value?
    ) async throws -> Value? {
        let (kept, changes) = state.withLock { ($0.values[key], $0.changes) }
        if let kept { return kept }
        guard let loaded = try await load() else { return nil }
        state.withLock { state in
            guard state.changes == changes else { return }
            if state.values.count >= Self.most { state.values.removeAll() }
            state.values[key] = loaded
        }
        return loaded
    }

    func forget(_ key: Key) {
        state.withLock { state in
            state.changes += 1
            state.values[key] = nil
        }
    }

    func forgetAll() {
        state.withLock { state in
            state.changes += 1
            state.values.removeAll()
        }
    }
}

/// The configuration that every event needs, read once. Each write through ``Store`` forgets what it changed after it was
/// committed and before it returns, so the next read sees it.
final class ConfigurationCache: Sendable {
    struct PortalAndApp: Hashable, Sendable {
        var portal: ID<PortalRecord>
        var app: ID<AppRecord>
    }

    let apps = RecordCache<ID<AppRecord>, AppRecord>()
    let appsByAddress = RecordCache<String, AppRecord>()
    let portals = RecordCache<ID<PortalRecord>, PortalRecord>()
    let portalsByMember = RecordCache<String, PortalRecord>()
    let installations = RecordCache<ID<InstallationRecord>, InstallationRecord>()
    let installationsByApp = RecordCache<PortalAndApp, InstallationRecord>()
    let credentials = RecordCache<ID<InstallationRecord>, [CredentialRecord]>()
    let providers = RecordCache<ID<ProviderRecord>, ProviderRecord>()
    let connectors = RecordCache<ID<ConnectorRecord>, ConnectorRecord>()
    let bots = RecordCache<ID<BotRecord>, BotRecord>()
    let botsByAddress = RecordCache<String, BotRecord>()
    let eventTokens = RecordCache<ID<BotRecord>, Secret>()
    let commands = RecordCache<ID<BotRecord>, [CommandRecord]>()
    let botChanges = ChangeSignal()

    func forgetApps() {
        apps.forgetAll()
        appsByAddress.forgetAll()
    }

    func forgetPortals() {
        portals.forgetAll()
        portalsByMember.forgetAll()
    }

    func forgetInstallations() {
        installations.forgetAll()
        installationsByApp.forgetAll()
        botChanges.fire()
    }

    func forgetBots() {
        bots.forgetAll()
        botsByAddress.forgetAll()
        eventTokens.forgetAll()
        botChanges.fire()
    }

    /// After a deletion, which takes other records with it.
    func forgetAll() {
        forgetApps()
        forgetPortals()
        forgetInstallations()
        credentials.forgetAll()
        providers.forgetAll()
        connectors.forgetAll()
        forgetBots()
        commands.forgetAll()
    }
}
