import Base
import Bitrix24
import Gateway
import Storage

/// The pages that Bitrix24 opens in a frame: the installer and the application page.
///
/// Documentation: `settings/oauth/simple-way.md`, `settings/app-installation/installation-finish.md`.
struct InstallRoutes: Sendable {
    /// Where Bitrix24's own script comes from, by which an installer says that it is done.
    private static let bitrix24Scripts = "https://api.bitrix24.com"
    private static let ownPage = "/bitbot/"

    let store: Store
    let installer: Installer
    let events: EventRoutes
    let tickets: PageTickets
    let log: Log

    func add(to router: inout Router) {
        router.on(.post, "/app-install/:key") { request in
            try await needingStore(log) { try await install(request) }
        }
        router.on(.post, "/app-settings/:key") { request in
            try await needingStore(log) {
                try await opened(request) { _ in
                    try await named(request)
                } showing: {
                    try await page($0, $1)
                }
            }
        }
        router.on(.post, "/bitbot/") { request in
            try await needingStore(log) {
                try await opened(request) {
                    try await installer.application(of: $0, sender: request.remoteAddress)
                } showing: {
                    guard $1.app.bitbot else { return notice(.connected(app: $1.app.name), $0, $1) }
                    return try await application($0, $1)
                }
            }
        }
        router.on(.get, "/bitbot/") { _ in .page(ApplicationPage.notice(.elsewhere, language: nil)) }
    }

    /// Who has opened a page, of which application.
    private typealias Opened = (app: AppRecord, visit: Installer.Visit)

    /// The installer page; for an application without interface the address where `ONAPPINSTALL` comes.
    private func install(_ request: HTTPRequest) async throws -> HTTPResponse {
        if let event = try? PortalEvent(decoding: request.body, contentType: request.headers["Content-Type"]),
            case .applicationInstalled = event.content
        {
            return try await events.toApplication(request)
        }
        return try await opened(request) { _ in
            try await named(request)
        } showing: { post, opened in
            .page(
                ApplicationPage.installed(language: ApplicationPage.language(post.language)),
                framedBy: opened.visit.portalOrigin, scripts: Self.bitrix24Scripts)
        }
    }

    /// The application page of an application that has one here; its own page elsewhere, if it was given one.
    private func page(_ post: InstallationPost, _ opened: Opened) async throws -> HTTPResponse {
        if let url = opened.app.pageURL, url != Self.ownPage {
            return HTTPResponse(status: 303, headers: ["Location": url, "Referrer-Policy": "no-referrer"])
        }
        guard opened.app.bitbot else { return notice(.connected(app: opened.app.name), post, opened) }
        return try await application(post, opened)
    }

    private func application(_ post: InstallationPost, _ opened: Opened) async throws -> HTTPResponse {
        let installation = opened.visit.installation
        let (ticket, expiresAt) = tickets.issue(
            for: installation.id, userID: opened.visit.userID, isAdministrator: opened.visit.user.isAdministrator)
        let start = ApplicationPage.Start(
            visit: opened.visit, app: opened.app,
            domain: try await store.portal(installation.portalID)?.domain ?? post.domain,
            language: ApplicationPage.language(post.language), ticket: ticket, expiresAt: expiresAt)
        return .page(ApplicationPage.application(start), framedBy: opened.visit.portalOrigin)
    }

    private func notice(
        _ notice: ApplicationPage.Notice, _ post: InstallationPost, _ opened: Opened
    ) -> HTTPResponse {
        .page(
            ApplicationPage.notice(notice, language: ApplicationPage.language(post.language)),
            framedBy: opened.visit.portalOrigin)
    }

    /// The application whose address this is.
    private func named(_ request: HTTPRequest) async throws -> AppRecord {
        guard let app = try await store.app(addressKey: request.parameter("key")) else {
            throw HTTPError(403, "Forbidden")
        }
        return app
    }

    /// Confirms what the post claims, stores the user's credential and shows a page.
    private func opened(
        _ request: HTTPRequest, of application: (Installer.Claim) async throws -> AppRecord,
        showing page: (InstallationPost, Opened) async throws -> HTTPResponse
    ) async throws -> HTTPResponse {
        let post: InstallationPost
        do {
            post = try InstallationPost(decoding: request.body, query: request.query)
        } catch let error as EventDecodingError {
            throw HTTPError(400, "This address is opened by Bitrix24 (\(error))")
        }
        do {
            let claim = Installer.Claim(post)
            let app = try await application(claim)
            let visit = try await installer.install(claim, app: app, sender: request.remoteAddress)
            return try await page(post, (app, visit))
        } catch let refusal as Installer.Refusal {
            log.warning("an installation was refused", ["reason": "\(refusal)"])
            let html = ApplicationPage.notice(.refused(refusal), language: ApplicationPage.language(post.language))
            // Nothing is on it but that sentence, and whose frame it is was not confirmed.
            return .page(html, status: refusal.status, framedBy: "*")
        }
    }
}

extension Installer.Visit {
    /// The origin of the portal that was just confirmed: it alone may frame the page.
    fileprivate var portalOrigin: String {
        installation.clientEndpoint.split(separator: "/", maxSplits: 3).prefix(2).joined(separator: "//")
    }
}

extension Installer.Claim {
    /// `nil` without an access token.
    init?(_ auth: EventAuth) {
        guard let accessToken = auth.accessToken else { return nil }
        self.init(
            memberID: auth.memberID, accessToken: accessToken, refreshToken: auth.refreshToken,
            expiresIn: auth.expiresIn ?? 3600, serverEndpoint: auth.serverEndpoint,
            applicationToken: auth.applicationToken)
    }

    init(_ post: InstallationPost) {
        self.init(
            memberID: post.memberID, accessToken: post.authID, refreshToken: post.refreshID,
            expiresIn: post.expiresIn ?? 3600, serverEndpoint: post.serverEndpoint,
            applicationToken: post.applicationToken)
    }
}
