import Base
import Bitrix24
import Storage

/// Keeps one installation's credentials in the store.
struct StoredCredentials: CredentialKeeper {
    let store: Store
    let installation: ID<InstallationRecord>
    let clock: WallClock
    let log: Log
    /// Called when Bitrix24 lets the installation in again.
    let opened: @Sendable (ID<PortalRecord>) async -> Void

    func credentials() async throws -> [Credential] {
        try await store.credentials(of: installation).map(Credential.init)
    }

    func save(_ credential: Credential) async throws {
        guard let id = try await record(of: credential)?.id else { return }
        let now = clock.now
        try await store.update(id) { record in
            record.accessToken = credential.accessToken
            record.refreshToken = credential.refreshToken
            record.formerRefreshToken = credential.formerRefreshToken
            record.expiresAt = credential.expiresAt
            record.renewedAt = now
        }
    }

    func discard(_ credential: Credential, reason: String) async throws {
        guard let id = try await record(of: credential)?.id else { return }
        try await store.update(id) { $0.usable = false }
        log.warning(
            "a credential was refused for good",
            ["installation": .text("\(installation)"), "user": .text(credential.userID), "reason": .text(reason)])
        guard try await store.credentials(of: installation).isEmpty,
            let installation = try await store.installation(installation)
        else { return }
        try await store.setStatus(
            .reauthorize,
            notice: "Bitrix24 accepts none of the stored credentials any more: open the application in the portal",
            of: installation, now: clock.now)
    }

    func moved(to clientEndpoint: String) async throws {
        guard let record = try await store.installation(installation) else { return }
        log.info(
            "a portal has moved",
            [
                "installation": .text("\(installation)"), "from": .text(record.clientEndpoint),
                "to": .text(clientEndpoint),
            ])
        let now = clock.now
        try await store.update(record.id) { installation in
            installation.clientEndpoint = clientEndpoint
            installation.updatedAt = now
        }
        guard let domain = Installer.host(of: clientEndpoint) else { return }
        try await store.update(record.portalID) { $0.domain = domain }
    }

    func botToken(of bot: Int64) async throws -> Secret? {
        try await store.botToken(of: bot, installation: installation)
    }

    func accessRefused(_ error: PortalError) async {
        do {
            guard let record = try await store.installation(installation), record.status != .uninstalled else { return }
            let (status, notice) = AccessNotice.of(error, kind: record.kind)
            if record.status == status, record.notice == notice { return }
            try await store.setStatus(status, notice: notice, of: record, now: clock.now)
            log.warning(
                "Bitrix24 lets an installation in no more",
                ["installation": .text("\(installation)"), "reason": .text(error.message)])
        } catch {
            failed(error)
        }
    }

    func accessGranted() async {
        do {
            guard let record = try await store.installation(installation), AccessNotice.endsWithSuccess(record) else {
                return
            }
            try await store.setStatus(.active, notice: nil, of: record, now: clock.now)
            log.info("Bitrix24 lets an installation in again", ["installation": .text("\(installation)")])
            await opened(record.portalID)
        } catch {
            failed(error)
        }
    }

    /// The next refusal, or the next success after one, tells it again.
    private func failed(_ error: any Error) {
        log.error(
            "an installation's status could not be stored",
            ["installation": .text("\(installation)"), "error": "\(error)"])
    }

    private func record(of credential: Credential) async throws -> CredentialRecord? {
        try await store.credentials(of: installation).first { "\($0.id)" == credential.id }
    }
}

extension Credential {
    init(_ record: CredentialRecord) {
        self.init(
            id: "\(record.id)", userID: record.userID, accessToken: record.accessToken,
            refreshToken: record.refreshToken,
            formerRefreshToken: record.formerRefreshToken, expiresAt: record.expiresAt)
    }
}
