import Base
import Bitrix24
import Gateway
import Storage

/// `/api/v1/session` and `/api/v1/password`: signing in and out.
struct SessionAPI: Sendable {
    private static let shortestPassword = 10

    let store: Store
    let authentication: Authentication
    let passwords: PasswordDesk
    let installer: Installer
    let addresses: Addresses
    /// Where the sandbox's page is, if it runs.
    let sandbox: String?
    let version: String
    let clock: WallClock

    var operations: [Operation] { [session, signIn, signOut, signOutEverywhere, password, renew, tokenForCode] }

    private static let fields: [Field] = [
        .shown(
            "state", .oneOf(["set_up", "signed_out", "signed_in"]), "`set_up`: no password was chosen yet."),
        .shownIfAny(
            "kind", .oneOf(["admin", "portal_admin", "portal_user"]), "What whoever asks may do."),
        .shownIfAny("name", .text, "Who asks."),
        .shownIfAny("csrf", .text, "To be sent as X-CSRF-Token with every change, beside the cookie."),
        .shownIfAny("portal_id", .id, "The only portal that whoever asks may see."),
        .shownIfAny("expires_at", .time, "When the credential ends."),
        .shown("public_url", .text, "How Bitrix24 and browsers reach this server."),
        .shownIfAny("version", .text, "This BitBot's; only for whoever is signed in."),
        .shownIfAny("sandbox", .text, "The sandbox's page, where it runs."),
    ]

    private var session: Operation {
        Operation(
            id: "read_session", method: .get, path: "/api/v1/session", summary: "Tells who asks, and what they may",
            status: 200, gives: .one("session", Self.fields), access: .anybody,
            handler: { .json(try await describe(try await authentication.find($0.http))) })
    }

    private var signIn: Operation {
        let takes = [Field.required("password", .secret, "The administrator's password.")]
        return Operation(
            id: "sign_in", method: .post, path: "/api/v1/session",
            summary: "Signs a browser in by password; sets a cookie", takes: (takes, false), status: 200,
            gives: .one("session", Self.fields), access: .anybody, isQuestion: true,
            handler: { request in
                let draft = try Draft(request, fields: takes, isPatch: false)
                try await check(draft.secret("password", else: nil) ?? Secret(""), request)
                return try await signedIn()
            })
    }

    private var signOut: Operation {
        Operation(
            id: "sign_out", method: .delete, path: "/api/v1/session", summary: "Signs this browser out", status: 204,
            gives: .nothing, isQuestion: true,
            handler: { request in
                if let session = try await authentication.find(request.http)?.session {
                    try await store.deleteAPIToken(.session, session.id)
                }
                return withoutCookie()
            })
    }

    private var signOutEverywhere: Operation {
        Operation(
            id: "sign_out_everywhere", method: .delete, path: "/api/v1/sessions", summary: "Signs every browser out",
            status: 204, gives: .nothing,
            handler: { _ in
                try await store.deleteSessionsOfBrowsers()
                return withoutCookie()
            })
    }

    /// The first password, a forgotten one, or another.
    private var password: Operation {
        let takes: [Field] = [
            .required("password", .secret, "The new password: at least 10 characters."),
            .optional("code", .text, "The one-time code that `bitbot admin reset` prints."),
            .optional("current", .secret, "The former password, in place of a code."),
        ]
        return Operation(
            id: "choose_password", method: .post, path: "/api/v1/password",
            summary:
                "Chooses the administrator's password, by a one-time code or the former one; signs in, and all others out",
            takes: (takes, false), status: 200, gives: .one("session", Self.fields), access: .anybody,
            handler: { request in
                let draft = try Draft(request, fields: takes, isPatch: false)
                let password = draft.secret("password", else: nil) ?? Secret("")
                guard password.reveal().count >= Self.shortestPassword else {
                    throw APIError.invalid(["password": "must have at least \(Self.shortestPassword) characters"])
                }
                if let code = draft.textIfAny("code", else: nil) {
                    guard try await store.useCode(Secret(code), now: clock.now) else { throw APIError.wrongCode }
                } else if let current = draft.secret("current", else: nil) {
                    try await check(current, request)
                } else {
                    throw APIError.invalid(["current": "is missing"])
                }
                try await passwords.choose(password)
                return try await signedIn()
            })
    }

    private var renew: Operation {
        let fields: [Field] = [
            .shown("token", .text, "Takes the place of the former one."), .shown("expires_at", .time, "When it ends."),
        ]
        return Operation(
            id: "renew_session", method: .post, path: "/api/v1/session/renew",
            summary: "A new token for the application page, while its former one is valid", status: 200,
            gives: .one("renewed_session", fields), access: .portalUser, isQuestion: true,
            handler: { request in
                guard case .visitor(let visitor) = request.principal else {
                    throw APIError.notAllowed
                }
                let (ticket, expiresAt) = authentication.tickets.issue(
                    for: visitor.installation, userID: visitor.userID,
                    isAdministrator: try await user(visitor).isAdministrator)
                return .json(["token": .string(ticket.reveal()), "expires_at": JSON(expiresAt)])
            })
    }

    /// A one-time code from the terminal (`bitbot admin reset`) for a token, as scripts want it.
    private var tokenForCode: Operation {
        let token: [Field] = [
            .shown("token", .text, "Send it as `Authorization: Bearer TOKEN`."),
            .shown("expires_at", .time, "When it ends."),
        ]
        let code = [Field.required("code", .text, "The one-time code that `bitbot admin reset` prints.")]
        return Operation(
            id: "token_for_code", method: .post, path: "/api/v1/sign-in",
            summary: "Changes a one-time code for a token",
            takes: (code, false), status: 200, gives: .one("code_token", token), access: .anybody,
            handler: { request in
                let draft = try Draft(request, fields: code, isPatch: false)
                guard try await store.useCode(Secret(draft.text("code", else: "")), now: clock.now) else {
                    throw APIError.wrongCode
                }
                let (record, secret) = try await store.createAPIToken(
                    .token, name: "by one-time code", expiresAt: clock.now + Authentication.sessionLife, now: clock.now)
                return .json(["token": .string(secret.reveal()), "expires_at": JSON(record.expiresAt)])
            })
    }

    // MARK: How

    /// - Throws: ``APIError``.
    private func check(_ password: Secret, _ request: APIRequest) async throws {
        switch try await passwords.check(password, from: request.remoteAddress) {
        case .right: return
        case .wrong: throw APIError(status: 403, code: "wrong_password", message: "The password is wrong")
        case .later(let seconds):
            throw APIError(
                status: 429, code: "slow_down",
                message: "Too many wrong passwords: try again in \(seconds) s", retryAfter: seconds)
        }
    }

    private func signedIn() async throws -> HTTPResponse {
        let (record, secret) = try await store.createAPIToken(
            .session, name: "browser", expiresAt: clock.now + Authentication.sessionLife, now: clock.now)
        let known = Authentication.Known(
            principal: .admin("administrator"), expiresAt: record.expiresAt,
            session: (record.id, Authentication.csrf(of: secret)))
        var response = HTTPResponse.json(try await describe(known))
        response.headers["Set-Cookie"] = cookie(
            secret.reveal(), maxAge: Authentication.sessionLife.components.seconds)
        return response
    }

    private func withoutCookie() -> HTTPResponse {
        HTTPResponse(status: 204, headers: ["Set-Cookie": cookie("", maxAge: 0)])
    }

    private func cookie(_ value: String, maxAge: Int64) -> String {
        let secure = addresses.publicURL.hasPrefix("https://") ? "; Secure" : ""
        return "\(Authentication.cookie)=\(value); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(maxAge)\(secure)"
    }

    private func describe(_ known: Authentication.Known?) async throws -> JSON {
        let hasPassword = try await store.passwordHash() != nil
        let kind: JSON =
            switch known?.principal.access {
            case .admin: "admin"
            case .portalAdmin: "portal_admin"
            case .portalUser: "portal_user"
            case .anybody, nil: .null
            }
        return [
            "state": known != nil ? "signed_in" : hasPassword ? "signed_out" : "set_up", "kind": kind,
            "name": JSON(known?.principal.name), "csrf": JSON(known?.session?.csrf),
            "portal_id": JSON(known?.principal.portal), "expires_at": JSON(known?.expiresAt),
            "public_url": .string(addresses.publicURL), "version": known == nil ? .null : .string(version),
            "sandbox": known == nil ? .null : JSON(sandbox),
        ]
    }

    /// What Bitrix24 says of the visitor now, by their stored credential.
    private func user(_ visitor: Visitor) async throws -> AuthorizationServer.User {
        do {
            guard let installation = try await store.installation(visitor.installation),
                let user = try await installer.user(visitor.userID, of: installation)
            else { throw APIError.unauthorized }
            return user
        } catch let refusal as Installer.Refusal {
            throw APIError(status: 503, code: "bitrix24_unreachable", message: refusal.sentence)
        }
    }
}
