import Base
import Bitrix24
import Gateway
import Storage

/// Where Bitrix24 posts events. An event is answered 200 once it is durable; Bitrix24 never repeats one.
struct EventRoutes: Sendable {
    let store: Store
    let inbox: Inbox
    let installer: Installer
    let testEvents: TestEvents
    let sender: EventSender
    let log: Log

    func add(to router: inout Router) {
        router.on(.post, "/api/bitrix/apps/:key") { request in
            try await needingStore(log) { try await toApplication(request) }
        }
        router.on(.post, "/api/bitrix/bots/:key") { request in
            try await needingStore(log) { try await toBot(request) }
        }
        // Bitrix24 looks whether an address answers before it takes it.
        router.on(.head, "/api/bitrix/*rest") { _ in HTTPResponse(status: 200) }
    }

    /// Application events, and the events of first-generation bots, which share one address.
    func toApplication(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let app = try await store.app(addressKey: request.parameter("key")) else {
            throw sender.refusal("address")
        }
        let event = try decode(request)
        switch event.content {
        case .applicationInstalled, .applicationUpdated:
            return try await install(event, app: app, request: request)
        case .applicationUninstalled(let clean):
            let (installation, _) = try await sender.verified(event, app: app.id)
            try await installer.uninstall(installation, clean: clean)
        case .bots(let events):
            let (installation, portal) = try await sender.verified(event, app: app.id)
            guard events.allSatisfy({ $0.generation == .first }) else { throw sender.refusal("address") }
            try await take(event, addressed: nil, installation: installation, portal: portal)
        case .test(let mark):
            _ = try await sender.verified(event, app: app.id)
            testEvents.arrived(mark)
        case .unknown:
            _ = try await sender.verified(event, app: app.id)
        }
        return HTTPResponse(status: 200)
    }

    /// Each second-generation bot has an address of its own, for its events alone.
    private func toBot(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let bot = try await store.bot(addressKey: request.parameter("key")) else {
            throw sender.refusal("address")
        }
        let event = try decode(request)
        let (installation, portal) = try await sender.verified(event, bot: bot)
        switch event.content {
        case .bots(let events):
            // Bitrix24's id is not known yet while the bot is being registered.
            let isItsOwn = events.allSatisfy {
                $0.generation.rawValue == bot.api && $0.botID == bot.botID ?? $0.botID
            }
            guard isItsOwn else { throw sender.refusal("address") }
            try await take(event, addressed: bot, installation: installation, portal: portal)
        case .applicationInstalled, .applicationUpdated, .applicationUninstalled: throw sender.refusal("address")
        case .test, .unknown: break
        }
        return HTTPResponse(status: 200)
    }

    private func take(
        _ event: PortalEvent, addressed: BotRecord?, installation: InstallationRecord, portal: PortalRecord
    ) async throws {
        do {
            try await inbox.take(event, addressed: addressed, installation: installation, portal: portal)
        } catch InboxError.missing(let field) {
            throw HTTPError(400, "The event has no \(field)")
        }
    }

    private func install(_ event: PortalEvent, app: AppRecord, request: HTTPRequest) async throws -> HTTPResponse {
        guard let claim = Installer.Claim(event.auth) else { throw HTTPError(400, "auth[access_token] is missing") }
        do {
            _ = try await installer.install(claim, app: app, sender: request.remoteAddress)
            return HTTPResponse(status: 200)
        } catch let refusal as Installer.Refusal {
            log.warning("an installation was refused", ["app": .text(app.name), "reason": "\(refusal)"])
            var response = HTTPResponse.text(refusal.sentence, status: refusal.status)
            if refusal == .busy { response.headers["Retry-After"] = "5" }
            return response
        }
    }

    private func decode(_ request: HTTPRequest) throws -> PortalEvent {
        do {
            return try PortalEvent(decoding: request.body, contentType: request.headers["Content-Type"])
        } catch let error as EventDecodingError {
            throw HTTPError(400, "The event cannot be read: \(error)")
        }
    }
}

extension Installer.Refusal {
    /// What Bitrix24, or the person in its frame, is told.
    var sentence: String {
        switch self {
        case .waitingForKeys: "This application has no client_id and client_secret in BitBot yet"
        case .notConfirmed: "Bitrix24 does not confirm this installation"
        case .busy: "Too many installations at once: try again in a few seconds"
        case .unreachable: "Bitrix24 could not be asked: try again"
        }
    }

    var status: Int {
        switch self {
        case .waitingForKeys: 409
        case .notConfirmed: 403
        case .busy: 429
        case .unreachable: 503
        }
    }
}
