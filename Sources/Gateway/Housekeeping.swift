import Base
import Bitrix24
import Storage

/// The work that comes round by itself: purging, renewing of credentials that would die of idleness, asking whether
/// Bitrix24 lets an installation in again, mending of the sessions' second home.
actor Housekeeping {
    /// A refresh token lives 180 days; a renewal in advance may get an application blocked, so only near that end.
    static let idleCredential = Duration.seconds(170 * 24 * 3600)

    private let store: Store
    private let sessions: any SessionStore
    private let portals: Portals
    private let keepDays: Int
    private let clock: WallClock
    private let log: Log
    private var task: Task<Void, Never>?

    init(
        store: Store, sessions: any SessionStore, portals: Portals, keepDays: Int, clock: WallClock, log: Log
    ) {
        self.store = store
        self.sessions = sessions
        self.portals = portals
        self.keepDays = keepDays
        self.clock = clock
        self.log = log
    }

    func start() {
        task = Task {
            await sessions.repair()
            while !Task.isCancelled {
                await round()
                try? await Task.sleep(for: .seconds(600))
            }
        }
    }

    func stop() { task?.cancel() }

    func round() async {
        do {
            while try await store.purge(now: clock.now, keepDays: keepDays), !Task.isCancelled {}
            for record in try await store.idleCredentials(renewedBefore: clock.now - Self.idleCredential) {
                await renew(record)
            }
            for installation in try await store.deniedInstallations() { await tryAgain(installation) }
        } catch {
            log.error("housekeeping failed and will be repeated", ["error": "\(error)"])
        }
    }

    /// Whether Bitrix24 lets it in again shows in the call; the account tells it.
    private func tryAgain(_ installation: InstallationRecord) async {
        guard let portal = try? await store.portal(installation.portalID),
            let account = try? await portals.account(installation)
        else { return }
        // It needs the right that bots need, and nothing else.
        _ = try? await portals.portal(portal).call(PortalCall("imbot.v2.Revision.get"), as: account)
    }

    private func renew(_ record: CredentialRecord) async {
        do {
            guard let installation = try await store.installation(record.installationID),
                let account = try await portals.account(installation)
            else { return }
            try await account.renew(.init(record))
        } catch {
            log.warning(
                "an idle credential could not be renewed",
                ["installation": .text("\(record.installationID)"), "error": "\(error)"])
        }
    }
}
