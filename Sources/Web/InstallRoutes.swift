import Base
import Bitrix24
import Gateway
import Storage

/// The pages that Bitrix24 opens in a frame: the installer and the application page.
///
/// Documentation: `settings/oauth/simple-way.md`, `settings/app-installation/installation-finish.md`.
struct InstallRoutes: Sendable {
    let store: Store
    let installer: Installer
    let events: EventRoutes
    let log: Log

    func add(to router: inout Router) {
        router.on(.post, "/app-install/:key") { request in
            try await needingStore(log) { try await install(request) }
        }
        router.on(.post, "/app-settings/:key") { request in
            try await needingStore(log) { try await page(request) { FramePage.opened(app: $0.name) } }
        }
        router.on(.get, "/bitbot/installer.js") { _ in .text(FramePage.installerScript, type: "text/javascript") }
        router.on(.get, "/bitbot/") { _ in .page(FramePage.explanation) }
    }

    /// The installer page; for an application without interface the address where `ONAPPINSTALL` comes.
    private func install(_ request: HTTPRequest) async throws -> HTTPResponse {
        if let event = try? PortalEvent(decoding: request.body, contentType: request.headers["Content-Type"]),
            case .applicationInstalled = event.content
        {
            return try await events.toApplication(request)
        }
        return try await page(request) { _ in FramePage.installed }
    }

    /// Confirms what the post claims, stores the user's credential and shows a page.
    private func page(_ request: HTTPRequest, _ html: (AppRecord) -> String) async throws -> HTTPResponse {
        guard let app = try await store.app(addressKey: request.parameter("key")) else {
            throw HTTPError(403, "Forbidden")
        }
        do {
            let claim = Installer.Claim(try InstallationPost(decoding: request.body, query: request.query))
            let installation = try await installer.install(claim, app: app, sender: request.remoteAddress)
            return .page(html(app), framedBy: installation.clientEndpoint)
        } catch let error as EventDecodingError {
            throw HTTPError(400, "This address is opened by Bitrix24 (\(error))")
        } catch let refusal as Installer.Refusal {
            log.warning("an installation was refused", ["app": .text(app.name), "reason": "\(refusal)"])
            return .page(FramePage.refused(refusal.sentence), status: refusal.status)
        }
    }
}

extension HTTPResponse {
    /// - Parameter portal: the portal that was just confirmed, by its REST root: it alone may frame the page.
    fileprivate static func page(_ html: String, status: Int = 200, framedBy portal: String? = nil) -> HTTPResponse {
        let origin = portal?.split(separator: "/", maxSplits: 3).prefix(2).joined(separator: "//")
        var response = HTTPResponse.text(html, status: status, type: "text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] =
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'self' https://api.bitrix24.com; "
            + "frame-ancestors \(origin ?? (status == 200 ? "'none'" : "*"))"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response
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
