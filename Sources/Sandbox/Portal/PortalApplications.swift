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
        fatalError("skeleton")
    }

    /// What `BX24.installFinish()` does in the installer's page.
    /// Documentation: `sdk/bx24-js-sdk/system-functions/bx24-install-finish.md`.
    public func installFinish(_ clientID: String) throws { fatalError("skeleton") }

    /// Installs the next version: event bindings are dropped, `ONAPPUPDATE` brings new tokens and, if asked for, a new
    /// application token. Documentation: `api-reference/common/events/on-app-update.md`.
    public func update(_ clientID: String, to version: Int, newApplicationToken: Bool = true) throws {
        fatalError("skeleton")
    }

    /// Removes an application with its bots, commands, bindings and tokens; `ONAPPUNINSTALL` goes to a bound handler.
    /// Documentation: `api-reference/common/events/on-app-uninstall.md`.
    public func uninstall(_ clientID: String, clean: Bool = false) throws { fatalError("skeleton") }

    /// The application token of an installation, for tests that forge events.
    public func applicationToken(of clientID: String) -> String? { fatalError("skeleton") }

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
    ) throws -> PageRequest { fatalError("skeleton") }

    /// Sends ``pageRequest(of:as:at:placement:)`` and returns the page.
    public func openPage(
        of clientID: String, as user: Int, at url: String? = nil, placement: String = "DEFAULT"
    ) async throws -> HTTPClient.Answer { fatalError("skeleton") }

    /// The full authorization's redirect: a `code` that lives 30 seconds, with the query that the return address gets.
    /// Documentation: `settings/oauth/index.md`.
    public func authorizationCode(for clientID: String, as user: Int) throws -> String { fatalError("skeleton") }

    /// Makes an inbound webhook and returns its address, ending with a slash: `…/rest/1/code/`.
    /// Documentation: `settings/how-to-call-rest-api/authorization.md`.
    public func addWebhook(of user: Int = 1, scope: [String] = ["imbot", "im", "imopenlines"]) -> Secret {
        fatalError("skeleton")
    }

    /// Takes an inbound webhook back: calls get `INVALID_CREDENTIALS` from now on.
    public func removeWebhook(_ address: Secret) { fatalError("skeleton") }
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
