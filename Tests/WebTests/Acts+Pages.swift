import Base
import Bitrix24
import Sandbox
import Storage
import Testing

@testable import Web

/// What people do who sign in, or open the application in Bitrix24.
extension Stage {
    /// What the terminal prints for the administrator.
    func oneTimeCode() async throws -> String {
        let link = try await command(.post, "/admin/reset").field("link")
        return String(try #require(link.split(separator: "code=").last))
    }

    /// What the application page begins with, for a user of the simulated portal.
    func openedPage(of installed: Installed, as user: Int = 1) async throws -> JSON {
        let page = try await portal.openPage(of: installed.clientID, as: user)
        try #require(page.status == 200)
        let html = String(decoding: page.body, as: UTF8.self)
        let start = try #require(html.split(separator: #"id="start">"#).dropFirst().first?.split(separator: "</").first)
        return try JSON(parsing: start.utf8)
    }

    /// The application page's token.
    func ticket(of installed: Installed, as user: Int = 1) async throws -> String {
        try await openedPage(of: installed, as: user).field("token")
    }

    /// A browser that has chosen the password with a one-time code.
    func browser(password: String = "correct horse battery") async throws -> Browser {
        let reply = try await send(
            .post, "/api/v1/password",
            body: (["code": .string(try await oneTimeCode()), "password": .string(password)] as JSON).bytes)
        return try Browser(self, reply)
    }

    /// What a browser keeps of an administrator who has signed in.
    struct Browser {
        let stage: Stage
        /// `name=value`
        let cookie: String
        let csrf: String

        init(_ stage: Stage, _ reply: Reply) throws {
            self.stage = stage
            cookie = String(try #require(reply.headers["Set-Cookie"]?.split(separator: ";").first))
            csrf = try reply.json.field("csrf")
        }

        /// - Parameter csrf: what is sent as proof that the page itself asks; `nil` for none.
        func call(
            _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, csrf: String?
        ) async throws -> Reply {
            var headers: HTTPHeaders = ["Cookie": cookie]
            headers["X-CSRF-Token"] = csrf
            return try await stage.send(method, "/api/v1/" + path, headers: headers, body: body?.bytes ?? [])
        }

        func call(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil) async throws -> Reply {
            try await call(method, path, body, csrf: csrf)
        }
    }
}
