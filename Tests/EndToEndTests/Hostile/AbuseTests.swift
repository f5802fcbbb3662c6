import Base
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Abuse")
    struct Abuse {
        @Test("each abusive request gets its answer and changes nothing for the next client")
        func requests() async throws {
            try await Stage.with { stage in
                let target = try await stage.target()
                for abuse in AbusiveRequest.all {
                    do { try await Self.hold(abuse, target, port: stage.bitbot.port) } catch {
                        Issue.record("\(abuse.name): \(error)")
                    }
                }
                try await Self.stillServes(stage)
            }
        }

        private static func hold(_ abuse: AbusiveRequest, _ target: AbusiveRequest.Target, port: Int) async throws {
            let client = try RawClient(port: port)
            // A refusal may come, and the connection end, before the last byte is out.
            try? client.send(abuse.bytes(target))
            let answer = try await client.answer()
            #expect(answer.status == abuse.status, "\(abuse.name): \(answer.text.prefix(300))")
            let names = answer.headers.fields.map(\.name)
            #expect(!names.contains("X-Injected"), "\(abuse.name)")
            #expect(answer.headers["Location"]?.contains("evil") != true, "\(abuse.name)")
            #expect(answer.body.count < 20_000, "\(abuse.name)")
            if answer.headers["Content-Type"]?.contains("html") != false {
                #expect(!answer.text.contains("<script>"), "\(abuse.name)")
            }
            #expect(!answer.text.contains(target.applicationToken), "\(abuse.name)")
            if abuse.kept {
                try client.send(target.get("/healthz"))
                let next = try await client.answer()
                #expect(next.status == 200 && next.text == #"{"status":"ok"}"#, "after \(abuse.name): \(next.text)")
            } else {
                #expect(try await client.isClosedQuietly(), "\(abuse.name)")
                try await isServed(port)
            }
        }

        @Test("bytes that are no HTTP are refused by the program as they are by its server alone")
        func malformed() async throws {
            try await Stage.with { stage in
                _ = try await stage.target()
                for request in MalformedRequest.all {
                    let client = try RawClient(port: stage.bitbot.port)
                    try? client.send(request.bytes)
                    #expect(try await client.answer().status == request.status, "\(request.name)")
                    #expect(try await client.isClosedQuietly(), "\(request.name)")
                    try await Self.isServed(stage.bitbot.port)
                }
                try await Self.stillServes(stage)
            }
        }

        @Test(
            "good and bad requests in one packet are answered in their order, up to the first that breaks the framing")
        func pipelined() async throws {
            try await Stage.with { stage in
                let target = try await stage.target()
                let kept = AbusiveRequest.all.filter { $0.kept && $0.bytes(target).utf8.count < 5_000 }
                let broken = target.request("POST /nowhere", ["Content-Length: 1", "Content-Length: 2"]) + "ab"
                let client = try RawClient(port: stage.bitbot.port)
                let all = kept.map { $0.bytes(target) }.joined() + broken + target.get("/healthz")
                try client.send(all)
                for abuse in kept {
                    #expect(try await client.answer().status == abuse.status, "\(abuse.name)")
                }
                #expect(try await client.answer().status == 400)
                #expect(try await client.isClosedQuietly())
                try await Self.stillServes(stage)
            }
        }

        private static func isServed(_ port: Int) async throws {
            let client = try RawClient(port: port)
            try client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.answer().status == 200)
        }

        /// A customer is answered, and nothing that was sent before has become work.
        private static func stillServes(_ stage: Stage) async throws {
            let chat = try stage.customer()
            try stage.portal.customerWrites("hello", in: chat)
            try await stage.untilAnswers(1, in: chat)
            try await stage.untilNoWork()
            #expect(stage.answers(in: chat) == ["You said hello."])
            #expect(stage.dify.counts.runs == 2)
        }
    }
}

extension Stage {
    /// Where abuse is aimed at, once a first customer was answered.
    fileprivate func target() async throws -> AbusiveRequest.Target {
        let chat = try customer()
        try portal.customerWrites("hello", in: chat)
        try await untilAnswers(1, in: chat)
        func path(_ url: String?) -> String { url?.replacing(bitbot.url, with: "") ?? "" }
        let app = try await bitbot.items("apps").first
        return AbusiveRequest.Target(
            app: path(app?["events_url"]?.string), bot: path(try await firstAccepted().url),
            installer: path(app?["install_url"]?.string), adminToken: bitbot.adminToken.reveal(),
            memberID: portal.settings.memberID,
            applicationToken: portal.applicationToken(of: application.clientID) ?? "")
    }
}
