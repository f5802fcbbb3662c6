import Base
import Bitrix24
import Storage

/// What follows an installation, while nobody waits for it.
struct Aftercare: Sendable {
    /// Why a bot is `deleted` that comes back with its application.
    static let uninstalled = "The application was uninstalled in Bitrix24"

    let store: Store
    let portals: Portals
    let addresses: Addresses
    let registrar: Registrar
    let log: Log

    /// Binds the application's events, which Bitrix24 drops with each update, and brings back the bots that went with the
    /// application. Tries for a few minutes; the next opening of the application does it again.
    func begin(_ installation: InstallationRecord, app: AppRecord) {
        Task {
            for attempt in 1...8 {
                do {
                    try await bind(installation, app)
                    return try await bringBackBots(of: installation)
                } catch {
                    log.warning(
                        "the application's events could not be bound",
                        ["installation": .text("\(installation.id)"), "error": "\(error)"])
                    try? await Task.sleep(for: Pauses.before(attempt: attempt, longest: .seconds(60)))
                }
            }
        }
    }

    private func bind(_ installation: InstallationRecord, _ app: AppRecord) async throws {
        guard let portal = try await store.portal(installation.portalID),
            let account = try await portals.account(installation)
        else { return }
        try await portals.portal(portal).bindApplicationEvents(to: addresses.events(app), as: account)
    }

    private func bringBackBots(of installation: InstallationRecord) async throws {
        for bot in try await store.bots(of: installation.id)
        where bot.status == .deleted && bot.statusReason == Self.uninstalled {
            _ = try await registrar.register(bot)
        }
    }
}
