import Testing

@testable import Base

@Suite struct RouterTests {
    private func answer(_ router: Router, _ method: HTTPMethod, _ path: String) async throws -> HTTPResponse {
        try await router.handler(HTTPRequest(method: method, path: path))
    }

    private func text(_ response: HTTPResponse) -> String {
        if case .bytes(let bytes) = response.body { String(decoding: bytes, as: UTF8.self) } else { "" }
    }

    private func router() -> Router {
        var router = Router()
        router.on(.get, "/") { _ in .text("root") }
        router.on(.get, "/bots/:id") { .text("bot \(try $0.parameter("id", as: Int.self))") }
        router.on(.get, "/bots/new") { _ in .text("new") }
        router.on(.delete, "/bots/:id") { .text("deleted \(try $0.parameter("id") as String)") }
        router.on(.get, "/bots/:id/commands/:command") {
            .text("\(try $0.parameter("id") as String) \(try $0.parameter("command") as String)")
        }
        router.on(.post, "/api/*rest") { .text("rest \(try $0.parameter("rest") as String)") }
        router.on(.post, "/api/known") { _ in .text("known") }
        return router
    }

    @Test(
        "a path finds its handler, the more exact pattern first",
        arguments: [
            (HTTPMethod.get, "/", "root"), (.get, "/bots/7", "bot 7"), (.get, "/bots/new", "new"),
            (.get, "/bots/%37", "bot 7"), (.get, "/bots/%6e%65w", "new"), (.delete, "/bots/new", "deleted new"),
            (.get, "/bots/a%2Fb/commands/%C3%A9", "a/b é"), (.post, "/api/", "rest "), (.post, "/api/a/b", "rest a/b"),
            (.post, "/api/known", "known"), (.post, "/api/known/", "rest known/"), (.head, "/bots/7", "bot 7"),
        ])
    func found(method: HTTPMethod, path: String, expected: String) async throws {
        #expect(text(try await answer(router(), method, path)) == expected)
    }

    @Test(
        "an unknown path, or a parameter that cannot be read, is 404",
        arguments: ["/nothing", "/bots", "/bots/", "/bots/7/", "/bots/seven", "//", "/Bots/7"])
    func notFound(path: String) async throws {
        let error = await #expect(throws: HTTPError.self) { try await answer(router(), .get, path) }
        #expect(error?.status == 404)
    }

    @Test(
        "a broken escape in the path is 400", arguments: ["/bots/%", "/bots/%4", "/bots/%zz", "/bots/%ff", "/bots/%00"])
    func brokenEscape(path: String) async throws {
        let error = await #expect(throws: HTTPError.self) { try await answer(router(), .get, path) }
        #expect(error?.status == 400)
    }

    @Test("another method on a known path is 405 and told what is allowed")
    func methodNotAllowed() async throws {
        let response = try await answer(router(), .put, "/bots/7")
        #expect(response.status == 405)
        #expect(response.headers["Allow"] == "DELETE, GET, HEAD")
    }

    @Test("middleware wraps every route and unknown paths, the first one outermost")
    func middleware() async throws {
        let seen = Recorder<String>()
        var router = Router()
        router.wrap { request, next in
            seen.add("outer")
            do { return try await next(request) } catch let error as HTTPError {
                return .text("mapped \(error.status)", status: error.status)
            }
        }
        router.on(.get, "/a") { _ in .text("a") }
        router.wrap { request, next in
            seen.add("inner")
            return try await next(request)
        }
        #expect(text(try await answer(router, .get, "/a")) == "a")
        #expect(seen.all == ["outer", "inner"])
        #expect(text(try await answer(router, .get, "/b")) == "mapped 404")
    }
}
