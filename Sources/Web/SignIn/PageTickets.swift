import Base
import Storage

/// What the application page inside Bitrix24 shows the management API: who has opened it, sealed. It lives in the page's
/// memory, for an hour; no cookie is needed, which a frame may not have.
struct PageTickets: Sendable {
    static let life = Duration.seconds(3600)
    private static let mark = "page."

    let store: Store
    let clock: WallClock

    static func isTicket(_ secret: Secret) -> Bool { secret.reveal().hasPrefix(mark) }

    func issue(
        for installation: ID<InstallationRecord>, userID: String, isAdministrator: Bool
    ) -> (ticket: Secret, expiresAt: Timestamp) {
        let expiresAt = clock.now + Self.life
        let claims: JSON = [
            "installation": .integer(installation.rawValue), "user": .string(userID), "admin": .bool(isAdministrator),
            "expires": .integer(expiresAt.rawValue),
        ]
        return (Secret(Self.mark + store.vault.ticket(claims.bytes)), expiresAt)
    }

    /// - Returns: `nil` if it is none of ours, too old, or its installation is gone.
    func visitor(of ticket: Secret) async throws -> (Visitor, expiresAt: Timestamp)? {
        guard let bytes = try? store.vault.open(ticket: String(ticket.reveal().dropFirst(Self.mark.count))),
            let claims = try? JSON(parsing: bytes), let installationID = claims["installation"]?.integer,
            let userID = claims["user"]?.string, let isAdministrator = claims["admin"]?.bool,
            let expires = claims["expires"]?.integer, clock.now < Timestamp(rawValue: expires)
        else { return nil }
        guard let installation = try await store.installation(ID(rawValue: installationID)),
            installation.status != .uninstalled, let portal = try await store.portal(installation.portalID),
            let appID = installation.appID, let app = try await store.app(appID), app.bitbot
        else { return nil }
        let visitor = Visitor(
            portal: portal.id, installation: installation.id, userID: userID, isAdministrator: isAdministrator,
            domain: portal.domain)
        return (visitor, Timestamp(rawValue: expires))
    }
}
