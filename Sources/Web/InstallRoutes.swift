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
    let log: Log

    func add(to router: inout Router) {
        router.on(.post, "/app-install/:key") { try await install($0) }
        router.on(.post, "/app-settings/:key") { try await open($0) }
        router.on(.get, "/bitbot/installer.js") { _ in .text(FramePage.installerScript, type: "text/javascript") }
        router.on(.get, "/bitbot/") { _ in
            .text(FramePage.explanation, type: "text/html; charset=utf-8")
        }
    }

    /// Confirms and stores the installation, then lets Bitrix24 finish it.
    private func install(_ request: HTTPRequest) async throws -> HTTPResponse {
        let app = try await app(of: request)
        // An application without interface may have one address for both: Bitrix24 posts its event here then.
        if let event = try? PortalEvent(decoding: request.body, contentType: request.headers["Content-Type"]),
            case .applicationInstalled = event.content, let claim = Installer.Claim(event.auth)
        {
            _ = try await confirmed(claim, app: app, request: request)
            return HTTPResponse(status: 200)
        }
        let installation = try await confirmed(try claim(request), app: app, request: request)
        return page(FramePage.installed, installation)
    }

    /// Stores the user's credential, as the installer does; the page itself is still to come.
    private func open(_ request: HTTPRequest) async throws -> HTTPResponse {
        let app = try await app(of: request)
        let installation = try await confirmed(try claim(request), app: app, request: request)
        return page(FramePage.opened(app: app.name), installation)
    }

    private func app(of request: HTTPRequest) async throws -> AppRecord {
        guard let app = try await store.app(addressKey: request.parameter("key")) else {
            throw HTTPError(403, "Forbidden")
        }
        return app
    }

    private func claim(_ request: HTTPRequest) throws -> Installer.Claim {
        do {
            return Installer.Claim(try InstallationPost(decoding: request.body, query: request.query))
        } catch let error as EventDecodingError {
            throw HTTPError(400, "This address is opened by Bitrix24 (\(error))")
        }
    }

    private func confirmed(
        _ claim: Installer.Claim, app: AppRecord, request: HTTPRequest
    ) async throws -> InstallationRecord {
        do {
            return try await installer.install(claim, app: app, sender: request.remoteAddress)
        } catch let refusal as Installer.Refusal {
            log.warning("an installation was refused", ["reason": "\(refusal)"])
            throw refusal.httpError
        }
    }

    /// Only the portal that was just confirmed may frame the page.
    private func page(_ html: String, _ installation: InstallationRecord) -> HTTPResponse {
        let origin = installation.clientEndpoint.split(separator: "/", maxSplits: 3).prefix(2).joined(separator: "//")
        var response = HTTPResponse.text(html, type: "text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] =
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'self' https://api.bitrix24.com; frame-ancestors \(origin)"
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
