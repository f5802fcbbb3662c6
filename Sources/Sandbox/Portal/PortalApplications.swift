import Base

extension SimulatedPortal {
    /// A local application as its developer describes it to the portal.
    public struct Application: Sendable {
        public var clientID: String
        public var clientSecret: Secret
        /// The code that `app.info` shows.
        public var code: String
        public var version: Int
        /// The installation handler, or the installer's page if there is an interface.
        public var installURL: String
        /// The page that opens in Bitrix24's frame; `nil` for an application without interface.
        public var pageURL: String?
        public var scope: [String]

        public init(
            clientID: String, clientSecret: Secret, code: String? = nil, version: Int = 1, installURL: String,
            pageURL: String? = nil, scope: [String] = ["imbot", "im", "imopenlines", "user_brief"]
        ) {
            self.clientID = clientID
            self.clientSecret = clientSecret
            self.code = code ?? clientID
            self.version = version
            self.installURL = installURL
            self.pageURL = pageURL
            self.scope = scope
        }
    }

    /// Adds an application. One without interface is installed at once and gets `ONAPPINSTALL` at its installation
    /// handler; for one with an interface the installer's page is opened (``openPage(of:as:at:placement:)``) and nothing
    /// works until ``installFinish(_:)``.
    ///
    /// Documentation: `settings/app-installation/installation-finish.md`,
    /// `settings/app-installation/local-apps/installation-callback.md`.
    /// - Parameter user: an administrator of the portal.
    /// - Returns: the handler's answer.
    /// - Throws: ``HTTPClientError``; ``SimulatedPortalError``.
    @discardableResult
    public func install(_ application: Application, by user: Int = 1) async throws -> HTTPClient.Answer {
        let clientID = application.clientID
        try state.withLock { state in
            guard state.users[user]?.isAdmin == true else { throw SimulatedPortalError.unknownUser(user) }
            state.installations[clientID] = PortalState.Installation(
                application: application, number: state.installations.count + 1, installedBy: user,
                isFinished: application.pageURL == nil, applicationToken: randomHexadecimal(digits: 32))
            state.registerTokens(of: clientID)
        }
        if application.pageURL != nil {
            return try await openPage(of: clientID, as: user, at: application.installURL)
        }
        let event = try state.withLock { try $0.installEvent(clientID, url: application.installURL) }
        let body = event.body(asJSON: false)
        let request = HTTPClient.Request(
            .post, event.url, headers: ["Content-Type": body.type, "User-Agent": "Bitrix24 Webhook Engine"],
            body: body.bytes, trust: .privateAllowed)
        return try await http.send(request)
    }

    /// What `BX24.installFinish()` does in the installer's page.
    /// Documentation: `sdk/bx24-js-sdk/system-functions/bx24-install-finish.md`.
    public func installFinish(_ clientID: String) throws {
        try change { state in
            let installation = try state.installation(clientID)
            guard installation.application.pageURL != nil else { throw SimulatedPortalError.noInterface(clientID) }
            guard !installation.isFinished else { return }
            state.installations[clientID]?.isFinished = true
            state.registerTokens(of: clientID)
            for url in state.handlers(of: "ONAPPINSTALL", clientID) {
                state.deliveryQueue.made.append(try state.installEvent(clientID, url: url))
            }
        }
    }

    /// Installs the next version: event bindings are dropped, `ONAPPUPDATE` brings new tokens and, if asked for, a new
    /// application token. Documentation: `api-reference/common/events/on-app-update.md`.
    public func update(_ clientID: String, to version: Int, newApplicationToken: Bool = true) throws {
        try change { state in
            let old = try state.installation(clientID).application.version
            state.installations[clientID]?.application.version = version
            if newApplicationToken {
                state.installations[clientID]?.applicationToken = randomHexadecimal(digits: 32)
            }
            state.registerTokens(of: clientID)
            for url in state.handlers(of: "ONAPPUPDATE", clientID) {
                state.deliveryQueue.made.append(try state.updateEvent(clientID, from: old, url: url))
            }
            state.bindings.removeAll { $0.clientID == clientID }
        }
    }

    /// Removes an application with its bots, commands, bindings and tokens; `ONAPPUNINSTALL` goes to a bound handler.
    /// Documentation: `api-reference/common/events/on-app-uninstall.md`.
    public func uninstall(_ clientID: String, clean: Bool = false) throws {
        try change { state in
            _ = try state.installation(clientID)
            for url in state.handlers(of: "ONAPPUNINSTALL", clientID) {
                state.deliveryQueue.made.append(try state.uninstallEvent(clientID, clean: clean, url: url))
            }
            let now = WallClock.system.now
            state.installations[clientID]?.isFinished = false
            for bot in state.bots.values where bot.owner == .application(clientID) {
                state.remove(bot: bot.id, by: 1, now: now)
            }
            state.installations[clientID] = nil
            state.bindings.removeAll { $0.clientID == clientID }
            state.authorization.unregister(clientID: clientID, memberID: state.settings.memberID)
        }
    }

    /// The application token of an installation, for tests that forge events.
    public func applicationToken(of clientID: String) -> String? {
        state.withLock { $0.installations[clientID]?.applicationToken }
    }

    /// A new pair of tokens of a user, for tests that forge posts.
    public func tokens(of clientID: String, as user: Int) -> (access: String, refresh: String) {
        let pair = authorization.issue(
            clientID: clientID, memberID: settings.memberID, userID: user, now: WallClock.system.now)
        return (pair.access, pair.refresh)
    }

    /// What Bitrix24 posts into the frame when a user opens an application's page.
    public struct PageRequest: Sendable {
        /// The page with `DOMAIN`, `PROTOCOL`, `LANG` and `APP_SID` in its query.
        public var url: String
        /// The body's fields (`AUTH_ID`, `AUTH_EXPIRES`, `REFRESH_ID`, `member_id`, `PLACEMENT`, …).
        public var fields: [(name: String, value: String)]
    }

    /// The post that opens a page; a browser's form can send it into a frame.
    /// Documentation: `settings/oauth/simple-way.md`, `api-reference/widgets/_includes/widget_data.md`.
    /// - Parameter url: the page; the application's own if `nil`.
    public func pageRequest(
        of clientID: String, as user: Int, at url: String? = nil, placement: String = "DEFAULT"
    ) throws -> PageRequest {
        try state.withLock { try $0.pageRequest(of: clientID, as: user, at: url, placement: placement) }
    }

    /// Sends ``pageRequest(of:as:at:placement:)`` and returns the page.
    public func openPage(
        of clientID: String, as user: Int, at url: String? = nil, placement: String = "DEFAULT"
    ) async throws -> HTTPClient.Answer {
        let page = try pageRequest(of: clientID, as: user, at: url, placement: placement)
        let body = page.fields.map { Form.percentEncode($0.name) + "=" + Form.percentEncode($0.value) }
        let request = HTTPClient.Request(
            .post, page.url, headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: Array(body.joined(separator: "&").utf8), trust: .privateAllowed)
        return try await http.send(request)
    }

    /// The full authorization's redirect: a `code` that lives 30 seconds, as the query that the return address gets.
    /// Documentation: `settings/oauth/index.md`.
    public func authorizationCode(for clientID: String, as user: Int) throws -> String {
        let scope = try state.withLock { try $0.installation(clientID).application.scope }
        let code = authorization.code(
            clientID: clientID, memberID: settings.memberID, userID: user, now: WallClock.system.now)
        let server = String(authorization.origin.dropFirst("http://".count))
        return Form.encode([
            "code": .string(code), "domain": .string(domain), "member_id": .string(settings.memberID),
            "scope": .string(scope.joined(separator: ",")), "server_domain": .string(server),
        ])
    }

    /// Makes an inbound webhook and returns its address, ending with a slash: `…/rest/1/code/`.
    /// Documentation: `settings/how-to-call-rest-api/authorization.md`.
    public func addWebhook(of user: Int = 1, scope: [String] = ["imbot", "im", "imopenlines"]) -> Secret {
        let code = randomHexadecimal(digits: 16)
        state.withLock { $0.webhooks[code] = PortalState.Webhook(userID: user, code: code, scope: scope) }
        return Secret("\(clientEndpoint)\(user)/\(code)/")
    }

    /// Takes an inbound webhook back: calls get `NO_AUTH_FOUND` from now on.
    public func removeWebhook(_ address: Secret) {
        guard let code = address.reveal().split(separator: "/").last else { return }
        state.withLock { $0.webhooks[String(code)] = nil }
    }
}

/// Why the simulated portal did not do what was asked of it from inside.
public enum SimulatedPortalError: Error, Sendable, Equatable {
    case unknownApplication(String)
    case unknownUser(Int)
    case unknownDialog(Int)
    case unknownMessage(Int)
    case unknownLine(Int)
    case unknownBot(Int)
    case noInterface(String)
}
