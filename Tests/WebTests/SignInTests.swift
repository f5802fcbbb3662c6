import Base
import Storage
import TestSupport
import Testing

@Suite("Signing in")
struct SignInTests {
    private let password = "correct horse battery"

    @Test("a new server asks for a password, which the one-time link chooses and which then signs in")
    func firstStart() async throws {
        try await Stage.with { stage in
            #expect(try await stage.send(.get, "/api/v1/session").json["state"] == "set_up")
            let code = try await stage.oneTimeCode()
            let short = try await stage.send(
                .post, "/api/v1/password", body: (["code": .string(code), "password": "short"] as JSON).bytes)
            #expect(short.status == 422)
            #expect(short.fields.keys.sorted() == ["password"])
            let chosen = try await stage.send(
                .post, "/api/v1/password", body: (["code": .string(code), "password": .string(password)] as JSON).bytes)
            #expect(chosen.status == 200, "a password that was refused has used the code up")
            #expect(chosen.json["state"] == "signed_in")
            #expect(try await stage.send(.get, "/api/v1/session").json["state"] == "signed_out")
            let again = try await stage.send(
                .post, "/api/v1/password", body: (["code": .string(code), "password": .string(password)] as JSON).bytes)
            #expect(again.code == "wrong_code")
            let signedIn = try await signIn(stage, password)
            #expect(signedIn.status == 200)
            let browser = try Stage.Browser(stage, signedIn)
            #expect(try await browser.call(.get, "apps").status == 200)
            #expect(try await browser.call(.get, "session").json["kind"] == "admin")
        }
    }

    @Test("the cookie is for this server alone and no script can read it")
    func cookie() async throws {
        try await Stage.with { stage in
            _ = try await stage.browser()
            let cookie = try #require(try await signIn(stage, password).headers["Set-Cookie"])
            let attributes = Set(cookie.split(separator: ";").dropFirst().map { $0.drop { $0 == " " } })
            #expect(attributes.isSuperset(of: ["HttpOnly", "SameSite=Strict", "Path=/"]))
            #expect(!cookie.contains(password))
        }
    }

    @Test("a change that the page itself did not send is refused, reading is not")
    func forgedRequests() async throws {
        try await Stage.with { stage in
            let browser = try await stage.browser()
            let other = try Stage.Browser(stage, try await signIn(stage, password))
            for csrf in [nil, "", "wrong", other.csrf] {
                let forged = try await browser.call(.post, "apps", ["name": "Forged"], csrf: csrf)
                #expect(forged.status == 403)
                #expect(forged.code == "csrf")
            }
            #expect(try await browser.call(.delete, "session", csrf: nil).code == "csrf")
            #expect(try await browser.call(.get, "apps", csrf: nil).json["items"] == [])
            #expect(try await browser.call(.post, "apps", ["name": "Own"]).status == 201)
        }
    }

    @Test("what was stolen of a browser is worth nothing after it has signed out")
    func signedOut() async throws {
        try await Stage.with { stage in
            let browser = try await stage.browser()
            let other = try Stage.Browser(stage, try await signIn(stage, password))
            let out = try await browser.call(.delete, "session")
            #expect(out.status == 204)
            #expect(out.headers["Set-Cookie"]?.contains("Max-Age=0") == true)
            #expect(try await browser.call(.get, "apps").status == 401)
            #expect(try await other.call(.get, "apps").status == 200)
            let third = try Stage.Browser(stage, try await signIn(stage, password))
            #expect(try await third.call(.delete, "sessions").status == 204)
            #expect(try await other.call(.get, "apps").status == 401)
            #expect(try await third.call(.get, "apps").status == 401)
        }
    }

    @Test("another password takes the former one, and ends every other session")
    func anotherPassword() async throws {
        try await Stage.with { stage in
            let browser = try await stage.browser()
            let wrong = try await browser.call(
                .post, "password", ["current": "not the password", "password": "another long one"])
            #expect(wrong.code == "wrong_password")
            let neither = try await browser.call(.post, "password", ["password": "another long one"])
            #expect(neither.fields.keys.sorted() == ["current"])
            let changed = try await browser.call(
                .post, "password", ["current": .string(password), "password": "another long one"])
            #expect(changed.status == 200)
            #expect(try await browser.call(.get, "apps").status == 401)
            #expect(try await signIn(stage, password).code == "wrong_password")
            #expect(try await signIn(stage, "another long one").status == 200)
        }
    }

    @Test("whoever guesses passwords is slowed down, and told for how long")
    func guessing() async throws {
        try await Stage.with { stage in
            _ = try await stage.browser()
            for _ in 1...5 { #expect(try await signIn(stage, "guess").status == 403) }
            let slowed = try await signIn(stage, password)
            #expect(slowed.status == 429)
            #expect(slowed.code == "slow_down")
            #expect(slowed.headers["Retry-After"].flatMap { Int($0) }.map { $0 > 0 } == true)
            // The terminal is never slowed down.
            _ = try await stage.browser()
        }
    }

    @Test("tokens of programs are shown once, work until they are revoked, and say when they were used")
    func tokens() async throws {
        try await Stage.with { stage in
            let browser = try await stage.browser()
            let made = try await browser.call(.post, "tokens", ["name": "Monitoring"])
            #expect(made.status == 201)
            let token = try made.json.field("token")
            #expect(try await stage.api(.get, "apps", token: token).status == 200)
            let listed = try #require(try await browser.call(.get, "tokens").json["items"]?.array?.first)
            #expect(listed["token"]?.string == "••••" + token.suffix(4))
            #expect(listed["name"] == "Monitoring")
            #expect(listed["expires_at"] == .null)
            try await eventually {
                try await browser.call(.get, "tokens").json["items"]?.array?.first?["last_used_at"]?.string != nil
            }
            #expect(try await browser.call(.delete, "tokens/\(try made.json.field("id"))").status == 204)
            #expect(try await stage.api(.get, "apps", token: token).status == 401)
        }
    }

    @Test("the log of changes says who changed what, and holds no value")
    func changes() async throws {
        try await Stage.with { stage in
            let browser = try await stage.browser()
            _ = try await browser.call(.post, "apps", ["name": "Shop", "client_secret": "planted-secret-1"])
            _ = try await stage.api(.patch, "apps/1", ["client_secret": "planted-secret-2"])
            _ = try await stage.api(.post, "apps", ["name": ""])
            let log = try await browser.call(.get, "changes")
            let lines = try #require(log.json["items"]?.array).map {
                "\($0["who"]?.string ?? "") \($0["action"]?.string ?? "") \($0["target"]?.string ?? "")"
            }
            #expect(
                lines == [
                    "BITBOT_ADMIN_TOKEN change_app app 1 (Shop)", "administrator create_app app 1 (Shop)",
                    "one-time code or password choose_password password",
                ])
            #expect(log.json["items"]?.array?.first?["fields"] == ["client_secret"])
            #expect(!log.text.contains("planted"))
        }
    }

    private func signIn(_ stage: Stage, _ password: String) async throws -> Reply {
        try await stage.send(.post, "/api/v1/session", body: (["password": .string(password)] as JSON).bytes)
    }
}
