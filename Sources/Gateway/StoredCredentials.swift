import Base
import Bitrix24
import Storage

/// Keeps one installation's credentials in the store.
struct StoredCredentials: CredentialKeeper {
    let store: Store
    let installation: ID<InstallationRecord>
    let clock: WallClock
    let log: Log

    func credentials() async throws -> [Credential] {
        try await store.credentials(of: installation).map(Credential.init)
    }

    func save(_ credential: Credential) async throws {
        guard var record = try await record(of: credential) else { return }
        record.accessToken = credential.accessToken
        record.refreshToken = credential.refreshToken
        record.formerRefreshToken = credential.formerRefreshToken
        record.expiresAt = credential.expiresAt
        record.renewedAt = clock.now
        try await store.update(record)
    }

    func discard(_ credential: Credential, reason: String) async throws {
        guard var record = try await record(of: credential) else { return }
        record.usable = false
        try await store.update(record)
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
        guard var record = try await store.installation(installation) else { return }
        log.info(
            "a portal has moved",
            [
                "installation": .text("\(installation)"), "from": .text(record.clientEndpoint),
                "to": .text(clientEndpoint),
            ])
        record.clientEndpoint = clientEndpoint
        record.updatedAt = clock.now
        try await store.update(record)
    }

    func botToken(of bot: Int64) async throws -> Secret? {
        try await store.botToken(of: bot, installation: installation)
    }

    func webhookRefused(_ reason: String) async {
        log.warning(
            "a webhook's code is not taken", ["installation": .text("\(installation)"), "reason": .text(reason)])
        await setStatus(.reauthorize, notice: Self.refusedWebhook + reason, ifNow: { $0.status == .active })
    }

    func webhookAccepted() async {
        await setStatus(
            .active, notice: nil,
            ifNow: { $0.status == .reauthorize && $0.notice?.hasPrefix(Self.refusedWebhook) == true })
    }

    private static let refusedWebhook =
        "Bitrix24 does not take the webhook's code: make a new inbound webhook there and paste its address. It says: "

    /// A store that fails is told again by the next answer of its kind.
    private func setStatus(
        _ status: InstallationRecord.Status, notice: String?, ifNow isRight: (InstallationRecord) -> Bool
    ) async {
        do {
            guard let record = try await store.installation(installation), isRight(record) else { return }
            try await store.setStatus(status, notice: notice, of: record, now: clock.now)
        } catch {
            log.error(
                "an installation's status could not be stored",
                ["installation": .text("\(installation)"), "error": "\(error)"])
        }
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
