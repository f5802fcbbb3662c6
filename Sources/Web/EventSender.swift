import Base
import Bitrix24
import Gateway
import Storage

/// Tells whether an event is Bitrix24's: it must come from the installation's portal and carry its application token.
struct EventSender: Sendable {
    /// How exactly `last_seen_at` is kept: a write for each event would cost too much.
    private static let seenEvery = Duration.seconds(600)

    let store: Store
    let clock: WallClock
    let log: Log
    let refused: Counter

    /// - Throws: ``HTTPError`` 403.
    func verified(
        _ event: PortalEvent, app: ID<AppRecord>
    ) async throws -> (InstallationRecord, PortalRecord) {
        guard let portal = try await store.portal(memberID: event.auth.memberID),
            let installation = try await store.installation(portal: portal.id, app: app)
        else { throw refusal("portal") }
        return try await verified(event, installation: installation, portal: portal)
    }

    /// - Throws: ``HTTPError`` 403.
    func verified(
        _ event: PortalEvent, installation: ID<InstallationRecord>
    ) async throws -> (InstallationRecord, PortalRecord) {
        guard let installation = try await store.installation(installation),
            let portal = try await store.portal(installation.portalID), portal.memberID == event.auth.memberID
        else { throw refusal("portal") }
        return try await verified(event, installation: installation, portal: portal)
    }

    /// An event at a bot's own address.
    ///
    /// Bitrix24 makes an application token for each bot that was registered by webhook, and tells it with the first event at
    /// that bot's address, which nobody else knows; later ones must carry the same. With it comes the portal's lasting name.
    /// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/bots/bot-update.md`, subscriptions.
    /// - Throws: ``HTTPError`` 403.
    func verified(_ event: PortalEvent, bot: BotRecord) async throws -> (InstallationRecord, PortalRecord) {
        guard let installation = try await store.installation(bot.installationID) else { throw refusal("portal") }
        guard installation.kind == .webhook else {
            return try await verified(event, installation: bot.installationID)
        }
        guard let portal = try await store.portal(installation.portalID),
            portal.memberID == event.auth.memberID || portal.isKnownByAddress
        else { throw refusal("portal") }
        guard let given = event.auth.applicationToken, !given.isEmpty else { throw refusal("application_token") }
        let known = try await store.learnEventToken(given, of: bot.id)
        guard Vault.equal(known, given) else { throw refusal("application_token") }
        if portal.isKnownByAddress {
            try await store.learn(memberID: event.auth.memberID, of: portal.id)
            return (installation, try await store.portal(installation.portalID) ?? portal)
        }
        return (installation, portal)
    }

    /// The answer to what is not Bitrix24's, counted.
    func refusal(_ reason: String) -> HTTPError {
        refused.increment(by: 1, ["reason": reason])
        return HTTPError(403, "Forbidden")
    }

    private func verified(
        _ event: PortalEvent, installation: InstallationRecord, portal: PortalRecord
    ) async throws -> (InstallationRecord, PortalRecord) {
        guard let expected = installation.applicationToken, let given = event.auth.applicationToken,
            Vault.equal(expected, given)
        else {
            // Told once: a stranger's next events write nothing.
            if installation.status == .active, installation.notice == nil {
                let now = clock.now
                try await store.setStatus(
                    .active, notice: WrongTokenNotice.text(at: now), of: installation, now: now)
            }
            throw refusal("application_token")
        }
        if WrongTokenNotice.isShown(by: installation) {
            try await store.setStatus(.active, notice: nil, of: installation, now: clock.now)
            log.info("events come with the right application token", ["portal": .text(portal.domain)])
        }
        let now = clock.now
        if portal.lastSeenAt.map({ now - $0 > Self.seenEvery }) ?? true {
            try await store.sawPortal(portal.id, now: now)
        }
        return (installation, portal)
    }
}
