import Base
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("What Dify refuses is told rightly", .keepsContracts)
struct DifyErrorsTests {
    /// What is heard when the question is answered so.
    private func error(_ answer: HTTPResponse) async throws -> PlatformError? {
        let server = try await ScriptedDify.answering { _, _ in answer }
        let heard = try await Stage.chatflow(server.url).hear(Stage.question("x"))
        await server.stop()
        return heard.error
    }

    @Test("too many at once passes, with Dify's own pause; a quota that is used up does not")
    func tooMany() async throws {
        let wait = try await error(.refusal(429, "too_many_requests", "Slow down", headers: ["Retry-After": "17"]))
        #expect(wait?.kind == .passing)
        #expect(wait?.retryAfter == .seconds(17))
        let quota = try await error(.refusal(429, "rate_limit_error", "Rate Limit Error"))
        #expect(quota?.kind == .final)
        #expect(quota?.message.contains("rate_limit_error") == true)
        let dify = try await Stage.dify { _ in
            [.refuse(status: 429, code: "too_many_requests", message: "", retryAfter: 3)]
        }
        let simulated = try await Stage.chatflow(dify.baseURL).hear(Stage.question("x"))
        #expect(simulated.error?.kind == .passing)
        #expect(simulated.error?.retryAfter == .seconds(3))
        await dify.shutdown()
    }

    @Test("a pause that is given as a date is understood")
    func retryDate() async throws {
        let clock = WallClock { Timestamp(rawValue: 784_111_777_000) }
        let refusal = DifyRefusal(
            status: 429, headers: ["Retry-After": "Sun, 06 Nov 1994 08:50:07 GMT"], body: [], clock: clock)
        #expect(refusal.retryAfter == .seconds(30))
        #expect(Timestamp(httpDate: "Thu, 29 Feb 2024 23:59:59 GMT")?.iso8601.hasPrefix("2024-02-29T23:59:59") == true)
        #expect(Timestamp(httpDate: "Fri, 01 Mar 2024 00:00:00 GMT")?.rawValue == 1_709_251_200_000)
        #expect(Timestamp(httpDate: "yesterday") == nil)
    }

    @Test(
        "what the administrator must mend is final and says what to do",
        arguments: [
            (400, "provider_not_initialize", "credentials"), (400, "provider_quota_exceeded", "quota"),
            (400, "model_currently_not_support", "model"), (400, "completion_request_error", "model"),
            (400, "app_unavailable", "Publish"), (400, "not_chat_app", "kind"), (400, "invalid_param", "variables"),
            (401, "unauthorized", "key is refused"), (403, "forbidden", "key is refused"),
        ])
    func final(status: Int, code: String, advice: String) async throws {
        let error = try await error(.refusal(status, code, "As Dify says"))
        #expect(error?.kind == .final)
        #expect(error?.message.contains(code) == true)
        #expect(error?.message.contains("As Dify says") == true)
        #expect(error?.message.contains(advice) == true)
    }

    @Test("a 5xx, Dify's own or a proxy's, may have been carried out; only 503 was not")
    func serverErrors() async throws {
        for status in [500, 502, 504] {
            #expect(try await error(.refusal(status, "internal_server_error"))?.kind == .uncertain)
        }
        #expect(try await error(.refusal(503, "service_unavailable"))?.kind == .passing)
        for status in [500, 502, 504, 520] {
            let proxy = HTTPResponse.text("<html>\(status)</html>", status: status, type: "text/html")
            #expect(try await error(proxy)?.kind == .uncertain)
        }
        #expect(try await error(.text("<html>", status: 503, type: "text/html"))?.kind == .passing)
    }

    @Test("an address that is not Dify's is said to be one")
    func notDify() async throws {
        let moved = HTTPResponse(status: 301, headers: ["Location": "https://elsewhere.example/"])
        for answer in [HTTPResponse.text("<html>Welcome", type: "text/html"), .text("no", status: 404), moved] {
            let error = try await error(answer)
            #expect(error?.kind == .final)
            #expect(error?.message.contains("address") == true)
        }
    }

    @Test("a server that is not there was surely not asked")
    func unreachable() async throws {
        let port = try freePort()
        let heard = try await Stage.chatflow("http://127.0.0.1:\(port)/v1").hear(Stage.question("x"))
        #expect(heard.error?.kind == .passing)
        let scheme = try await Stage.chatflow("ftp://127.0.0.1/v1").hear(Stage.question("x"))
        #expect(scheme.error?.kind == .final)
    }

    @Test("a connection that breaks before the answer begins leaves the outcome open")
    func reset() async throws {
        let dify = try await Stage.dify { _ in [.reset, .text("unheard")] }
        let heard = try await Stage.chatflow(dify.baseURL).hear(Stage.question("x"))
        #expect(heard.error?.kind == .uncertain)
        #expect(dify.runs(user: "member:chat7", query: "x") == 1)
        await dify.shutdown()
    }

    @Test("an error inside a stream is told by its code; a run that has failed is not run again")
    func insideStream() async throws {
        let dify = try await Stage.dify { ask in
            let words = ask.query.split(separator: " ").map(String.init)
            return [.text("Half"), .error(status: Int(words[0]) ?? 0, code: words[1], message: "As Dify says")]
        }
        let bot = Stage.chatflow(dify.baseURL)
        let refusals = [
            "400 provider_quota_exceeded", "500 internal_server_error", "400 invalid_param", "429 too_many_requests",
        ]
        for query in refusals {
            let heard = try await bot.hear(Stage.question(query))
            #expect(heard.error?.kind == .final, "\(query)")
            #expect(heard.error?.message.contains("As Dify says") == true)
            #expect(heard.traces.count == 1)
        }
        await dify.shutdown()
        let busy = #"data: {"event":"error","status":429,"code":"too_many_requests","message":""}"# + "\n\n"
        #expect(try await error(.events(busy))?.kind == .passing)
    }

    @Test("neither the key nor a token is in an error's text")
    func secrets() async throws {
        let token = Secret("portal-token-abcdef-123456")
        let server = try await ScriptedDify.answering { _, _ in
            .refusal(400, "invalid_param", "bad \(Stage.key.reveal()) and \(token.reveal())")
        }
        let heard = try await Stage.chatflow(server.url).hear(Stage.question("x", tokens: ["access_token": token]))
        let message = try #require(heard.error?.message)
        #expect(!message.contains(Stage.key.reveal()))
        #expect(!message.contains(token.reveal()))
        #expect(message.contains("bad ••••"))
        await server.stop()
    }

    @Test("a connector without a key says so and asks nobody")
    func noKey() async throws {
        let heard = try await Stage.chatflow("http://127.0.0.1:1/v1", key: nil).hear(Stage.question("x"))
        #expect(heard.error?.kind == .final)
        #expect(heard.error?.message.contains("no key") == true)
    }

    @Test("a wrong key is refused by Dify and told")
    func wrongKey() async throws {
        let dify = try await Stage.dify { _ in [.text("x")] }
        let heard = try await Stage.chatflow(dify.baseURL, key: Secret("app-wrong")).hear(Stage.question("x"))
        #expect(heard.error?.kind == .final)
        #expect(heard.error?.message.contains("401") == true)
        await dify.shutdown()
    }
}
