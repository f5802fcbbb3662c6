import Base
import Bitrix24
import Gateway
import Storage

/// Where Bitrix24 posts events. An event is answered 200 once it is durable; Bitrix24 never repeats one.
struct EventRoutes: Sendable {
    let store: Store
    let inbox: Inbox
    let installer: Installer
    let clock: WallClock
    let log: Log
    let refused: Counter

    func add(to router: inout Router) {
        router.on(.post, "/api/bitrix/apps/:key") { try await toApplication($0) }
        router.on(.post, "/api/bitrix/bots/:key") { try await toBot($0) }
        // Bitrix24 looks whether an address answers before it takes it.
        router.on(.head, "/api/bitrix/*rest") { _ in HTTPResponse(status: 200) }
    }

    /// Application events, and the events of first-generation bots, which share one address.
    private func toApplication(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let app = try await reading({ try await store.app(addressKey: request.parameter("key")) }) else {
            throw refuse("address")
        }
        let event = try decode(request)
        switch event.content {
        case .applicationInstalled:
            return try await install(event, app: app, request: request)
        case .applicationUpdated:
            return try await install(event, app: app, request: request)
        case .applicationUninstalled(let clean):
            let (installation, _) = try await verified(event, app: app.id)
            try await reading { try await installer.uninstall(installation, clean: clean) }
        case .bots:
            let (installation, portal) = try await verified(event, app: app.id)
            try await take(event, request, addressed: nil, installation: installation, portal: portal)
        case .unknown:
            _ = try await verified(event, app: app.id)
        }
        return HTTPResponse(status: 200)
    }

    private func toBot(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let bot = try await reading({ try await store.bot(addressKey: request.parameter("key")) }),
            let installation = try await reading({ try await store.installation(bot.installationID) })
        else { throw refuse("address") }
        let event = try decode(request)
        let (verified, portal) = try await verified(event, installation: installation)
        try await take(event, request, addressed: bot, installation: verified, portal: portal)
        return HTTPResponse(status: 200)
    }

    private func take(
        _ event: PortalEvent, _ request: HTTPRequest, addressed: BotRecord?, installation: InstallationRecord,
        portal: PortalRecord
    ) async throws {
        do {
            try await inbox.take(
                event, body: request.body, addressed: addressed, installation: installation, portal: portal)
        } catch let error as InboxError {
            guard case .missing(let field) = error else { throw error }
            throw HTTPError(400, "The event has no \(field)")
        } catch {
            log.error("an event could not be stored", ["error": "\(error)"])
            throw HTTPError(503, "The event could not be stored")
        }
    }

    private func install(_ event: PortalEvent, app: AppRecord, request: HTTPRequest) async throws -> HTTPResponse {
        guard let claim = Installer.Claim(event.auth) else { throw HTTPError(400, "auth[access_token] is missing") }
        do {
            _ = try await installer.install(claim, app: app, sender: request.remoteAddress)
        } catch let refusal as Installer.Refusal {
            log.warning("an installation was refused", ["reason": "\(refusal)"])
            throw refusal.httpError
        }
        return HTTPResponse(status: 200)
    }

    // MARK: Who sent it

    private func decode(_ request: HTTPRequest) throws -> PortalEvent {
        do {
            return try PortalEvent(decoding: request.body, contentType: request.headers["Content-Type"])
        } catch let error as EventDecodingError {
            throw HTTPError(400, "The event cannot be read: \(error)")
        }
    }

    private func verified(
        _ event: PortalEvent, app: ID<AppRecord>
    ) async throws -> (InstallationRecord, PortalRecord) {
        guard let portal = try await reading({ try await store.portal(memberID: event.auth.memberID) }),
            let installation = try await reading({ try await store.installation(portal: portal.id, app: app) })
        else { throw refuse("portal") }
        return try await verified(event, installation: installation)
    }

    /// The event must come from the installation's portal and carry its application token.
    private func verified(
        _ event: PortalEvent, installation: InstallationRecord
    ) async throws -> (InstallationRecord, PortalRecord) {
        guard let portal = try await reading({ try await store.portal(installation.portalID) }),
            portal.memberID == event.auth.memberID
        else { throw refuse("portal") }
        guard let expected = installation.applicationToken, let given = event.auth.applicationToken,
            Vault.equal(expected, given)
        else {
            try await warn(of: installation)
            throw refuse("application_token")
        }
        return (installation, portal)
    }

    /// A wrong token may be a stranger's, or the application was installed anew without our hearing of it: the administrator
    /// sees it.
    private func warn(of installation: InstallationRecord) async throws {
        guard installation.status == .active else { return }
        var installation = installation
        installation.status = .reauthorize
        installation.notice = "An event came with an unknown application token: open the application in Bitrix24 once"
        installation.updatedAt = clock.now
        let changed = installation
        try await reading { try await store.update(changed) }
    }

    private func refuse(_ reason: String) -> HTTPError {
        refused.increment(by: 1, ["reason": reason])
        return HTTPError(403, "Forbidden")
    }

    /// A store that cannot be reached is no fault of the sender.
    private func reading<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as HTTPError {
            throw error
        } catch {
            log.error("the store cannot be reached", ["error": "\(error)"])
            throw HTTPError(503, "The store cannot be reached")
        }
    }
}

extension Installer.Refusal {
    /// What Bitrix24, or the person in its frame, is told.
    var httpError: HTTPError {
        switch self {
        case .waitingForKeys: HTTPError(409, "This application has no client_id and client_secret yet")
        case .notConfirmed: HTTPError(403, "Bitrix24 does not confirm this installation")
        case .busy: HTTPError(429, "Too many installations at once, try again in a few seconds")
        case .unreachable: HTTPError(503, "Bitrix24 could not be asked, try again")
        }
    }
}
