import Base
import Foundation
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("A question whose answer was lost is found, not asked again", .keepsContracts)
struct DifyOutcomeTests {
    private let now = WallClock.system.now

    @Test("the answer of a stream that was cut is found, with text, files and conversation, while the run goes on")
    func cut() async throws {
        let dify = try await Stage.dify { _ in
            [.text("Half "), .cut, .wait(.milliseconds(300)), .text("and half"), .file(url: "https://d.example/a.png")]
        }
        let bot = Stage.chatflow(dify.baseURL)
        let question = Stage.question("x")
        let heard = try await bot.hear(question)
        #expect(heard.error?.kind == .uncertain)
        let trace = try #require(heard.traces.last)
        let outcome = try await bot.outcome(of: question, trace: trace, askedAt: now)
        #expect(outcome.heard?.text == "Half and half")
        #expect(outcome.heard?.session?.id == trace.conversationID)
        #expect(outcome.heard?.session?.data[PlatformSession.newestMessage]?.string == trace.messageID)
        #expect(dify.runs(user: question.user, query: "x") == 1)
        await dify.shutdown()
    }

    @Test("a run that failed after the stream was cut is told as failed, with the reason")
    func failed() async throws {
        let dify = try await Stage.dify { _ in [.text("a"), .cut, .wait(.milliseconds(50)), .failRun("out of tokens")] }
        let bot = Stage.chatflow(dify.baseURL)
        let heard = try await bot.hear(Stage.question("x"))
        let outcome = try await bot.outcome(of: Stage.question("x"), trace: heard.traces.last, askedAt: now)
        #expect(outcome.failure?.kind == .final)
        #expect(outcome.failure?.message.contains("out of tokens") == true)
        await dify.shutdown()
    }

    @Test("each id alone leads to the answer", arguments: 0..<3)
    func partsOfTrace(which: Int) async throws {
        let dify = try await Stage.dify { _ in [.text("found")] }
        let bot = Stage.chatflow(dify.baseURL)
        var trace = try #require(try await bot.hear(Stage.question("x")).traces.last)
        switch which {
        case 0: trace.runID = nil
        case 1: trace = AskTrace(runID: trace.runID)
        default: trace = AskTrace(conversationID: trace.conversationID)
        }
        let outcome = try await bot.outcome(of: Stage.question("x"), trace: trace, askedAt: now)
        #expect(outcome.heard?.text == "found")
        await dify.shutdown()
    }

    @Test(
        "a question of which nothing was seen is found in its conversation or in a new one", arguments: [true, false])
    func unseen(inSession: Bool) async throws {
        let dify = try await Stage.dify { ask in
            ask.query == "lost" ? [.reset, .wait(.milliseconds(150)), .text("turn \(ask.turn)")] : [.text("hello")]
        }
        let bot = Stage.chatflow(dify.baseURL)
        let before = try await bot.hear(Stage.question("before"))
        let question = Stage.question("lost", session: inSession ? before.session : nil)
        #expect(try await bot.hear(question).error?.kind == .uncertain)
        let outcome = try await bot.outcome(of: question, trace: nil, askedAt: now)
        #expect(outcome.heard?.text == (inSession ? "turn 2" : "turn 1"))
        #expect((outcome.heard?.session?.id == before.session?.id) == inSession)
        #expect(dify.runs(user: question.user, query: "lost") == 1)
        await dify.shutdown()
    }

    @Test("the same words said before are not taken for the lost question")
    func sameWords() async throws {
        let dify = try await Stage.dify { ask in [.text("turn \(ask.turn)")] }
        let bot = Stage.chatflow(dify.baseURL)
        let first = try await bot.hear(Stage.question("yes"))
        let again = Stage.question("yes", session: first.session)
        // Nothing arrived of the second one.
        #expect(try await bot.outcome(of: again, trace: nil, askedAt: now).isNeverArrived)
        let second = try await bot.hear(again)
        #expect(second.text == "turn 2")
        // Now it did.
        #expect(try await bot.outcome(of: again, trace: nil, askedAt: now).heard?.text == "turn 2")
        await dify.shutdown()
    }

    @Test("old words are not taken for the lost question either when the last message is not known")
    func oldWords() async throws {
        let clock = SetClock()
        clock.advance(.seconds(-60))
        var settings = SimulatedDify.Settings()
        settings.clock = clock.clock
        let dify = try await Stage.dify(settings: settings) { ask in [.text("turn \(ask.turn)")] }
        let bot = Stage.chatflow(dify.baseURL)
        let first = try await bot.hear(Stage.question("yes"))
        let session = PlatformSession(id: try #require(first.session?.id))
        let question = Stage.question("yes", session: session)
        #expect(try await bot.outcome(of: question, trace: nil, askedAt: now).isNeverArrived)
        await dify.shutdown()
    }

    @Test("a conversation that was begun anew in place of a forgotten one is found")
    func begunAnew() async throws {
        let dify = try await Stage.dify { ask in ask.query == "lost" ? [.reset, .text("here")] : [.text("hello")] }
        let bot = Stage.chatflow(dify.baseURL)
        let before = try await bot.hear(Stage.question("before"))
        dify.forgetConversations()
        let question = Stage.question("lost", session: before.session)
        #expect(try await bot.hear(question).error?.kind == .uncertain)
        let outcome = try await bot.outcome(of: question, trace: nil, askedAt: now)
        #expect(outcome.heard?.text == "here")
        #expect(outcome.heard?.session?.id != before.session?.id)
        await dify.shutdown()
    }

    @Test("what never arrived is told so only when it cannot be on its way any more")
    func neverArrived() async throws {
        let dify = try await Stage.dify { ask in [.text("late, but there")] }
        var timing = Stage.timing
        timing.arrival = .seconds(40)
        let bot = Stage.chatflow(dify.baseURL, timing: timing)
        // The request arrives while the outcome is being looked for.
        async let outcome = bot.outcome(of: Stage.question("slow"), trace: nil, askedAt: now)
        try await eventually { dify.counts.requests["GET /conversations"] == 1 }
        _ = try await bot.hear(Stage.question("slow"))
        #expect(try await outcome.heard?.text == "late, but there")
        let old = now - .seconds(120)
        #expect(try await bot.outcome(of: Stage.question("never"), trace: nil, askedAt: old).isNeverArrived)
        await dify.shutdown()
    }

    @Test("another clock at Dify's does not hide the question")
    func clockSkew() async throws {
        let dify = try await Stage.dify { _ in [.text("found")] }
        let ahead = SetClock()
        ahead.advance(.seconds(3600))
        let bot = Stage.chatflow(dify.baseURL, clock: ahead.clock)
        let session = try await bot.hear(Stage.question("before")).session
        _ = try await bot.hear(Stage.question("lost", session: session))
        let outcome = try await bot.outcome(
            of: Stage.question("lost", session: session), trace: nil, askedAt: ahead.clock.now)
        #expect(outcome.heard?.text == "found")
        await dify.shutdown()
    }

    @Test("messages are found in whichever order Dify lists them", arguments: [true, false])
    func listOrder(newestFirst: Bool) async throws {
        let seconds = now.rawValue / 1000
        func message(_ id: String, _ created: Int64, _ answer: String) -> JSON {
            [
                "id": .string(id), "query": "yes", "answer": .string(answer), "status": "normal",
                "created_at": .integer(created),
            ]
        }
        let list = [
            message("m3", seconds + 1, "mine"), message("m2", seconds, "known"),
            message("b0000000-0000-4000-8000-000000000001", seconds, "old"),
        ]
        let server = try await ScriptedDify.answering { request, _ in
            .json(["data": .array(request.path != "/v1/messages" ? [] : newestFirst ? list : list.reversed())])
        }
        let session = PlatformSession(conversation: Wire.conversation, message: "m2", following: nil)
        let question = Stage.question("yes", session: session)
        let outcome = try await Stage.chatflow(server.url).outcome(of: question, trace: nil, askedAt: now)
        #expect(outcome.heard?.text == "mine")
        #expect(outcome.heard?.session?.data == ["message_id": "m3"])
        await server.stop()
    }

    @Test("a run's text that is only in its outputs is found; what moderation made of it comes first")
    func outputs() async throws {
        for answer in ["", "moderated"] {
            let server = try await ScriptedDify.answering { request, count in
                switch request.path {
                case "/v1/workflows/run/a0000000-0000-4000-8000-000000000001":
                    return count == 1
                        ? .json(["status": "running", "outputs": [:], "inputs": "{\"a\":1}"])
                        : .json(["status": "succeeded", "outputs": ["answer": "raw"], "inputs": "{\"a\":1}"])
                default:
                    // The answer is stored some time after the run's end.
                    let stored: JSON = count > 1 ? .string(answer) : ""
                    return .json([
                        "data": [
                            [
                                "id": "b0000000-0000-4000-8000-000000000001", "query": "x", "answer": stored,
                                "status": "normal",
                            ]
                        ]
                    ])
                }
            }
            let outcome = try await Stage.chatflow(server.url)
                .outcome(of: Stage.question("x"), trace: Wire.trace, askedAt: now)
            #expect(outcome.heard?.text == (answer.isEmpty ? "raw" : answer))
            await server.stop()
        }
    }

    @Test("a Dify that does not tell a chatflow's runs is asked for its messages")
    func oldDify() async throws {
        let server = try await ScriptedDify.answering { request, count in
            guard request.path == "/v1/messages" else { return .refusal(400, "not_workflow_app") }
            return .json([
                "data": [
                    [
                        "id": "b0000000-0000-4000-8000-000000000001", "answer": count < 3 ? "" : "there",
                        "status": "normal",
                    ]
                ]
            ])
        }
        let outcome = try await Stage.chatflow(server.url)
            .outcome(of: Stage.question("x"), trace: Wire.trace, askedAt: now)
        #expect(outcome.heard?.text == "there")
        await server.stop()
    }

    @Test("files that the bot made are found; those that the person sent are not sent back")
    func files() async throws {
        let files: JSON = [
            ["url": "/files/a.png?sign=1", "filename": "a.png", "type": "image", "belongs_to": "assistant"],
            ["url": "https://d.example/own.png", "filename": "own.png", "type": "image", "belongs_to": "user"],
        ]
        let server = try await ScriptedDify.answering { request, _ in
            request.path == "/v1/messages"
                ? .json([
                    "data": [
                        [
                            "id": "b0000000-0000-4000-8000-000000000001", "answer": "", "status": "normal",
                            "message_files": files,
                        ]
                    ]
                ])
                : .json(["status": "succeeded", "outputs": nil])
        }
        let outcome = try await Stage.chatflow(server.url)
            .outcome(of: Stage.question("x"), trace: Wire.trace, askedAt: now)
        let origin = server.url.dropLast(3)
        #expect(outcome.heard?.files == [.file(ReplyFile(url: "\(origin)/files/a.png?sign=1", name: "a.png"))])
        await server.stop()
    }

    @Test("a run that was seen and is gone counts as failed, for it was asked")
    func gone() async throws {
        let dify = try await Stage.dify { _ in [.text("x")] }
        let bot = Stage.chatflow(dify.baseURL)
        let trace = try #require(try await bot.hear(Stage.question("x")).traces.last)
        dify.forgetConversations()
        let outcome = try await bot.outcome(of: Stage.question("x"), trace: trace, askedAt: now)
        #expect(outcome.failure?.kind == .final)
        await dify.shutdown()
    }

    @Test("a run that pauses or stops without words is told as what it is")
    func pausedOrStopped() async throws {
        for (status, expected) in [("paused", PlatformError.pausesForHumanInput), ("stopped", .stoppedUnsaid)] {
            let server = try await ScriptedDify.answering { request, _ in
                request.path == "/v1/messages"
                    ? .json([
                        "data": [["id": "b0000000-0000-4000-8000-000000000001", "answer": "", "status": "normal"]]
                    ])
                    : .json(["status": .string(status), "outputs": [:]])
            }
            let outcome = try await Stage.chatflow(server.url)
                .outcome(of: Stage.question("x"), trace: Wire.trace, askedAt: now)
            #expect(outcome.failure == expected)
            await server.stop()
        }
    }

    @Test("a run that never ends is given up at the answer's total limit")
    func endless() async throws {
        let dify = try await Stage.dify { _ in [.text("a"), .cut, .wait(.seconds(600))] }
        var timing = Stage.timing
        timing.answer = .milliseconds(600)
        let bot = Stage.chatflow(dify.baseURL, timing: timing)
        let heard = try await bot.hear(Stage.question("x"))
        let outcome = try await bot.outcome(of: Stage.question("x"), trace: heard.traces.last, askedAt: now)
        #expect(outcome.failure?.kind == .final)
        await dify.shutdown()
    }

    @Test("a Dify that cannot be reached, is busy or answers nonsense tells nothing: the outcome stays open")
    func cannotTell() async throws {
        let port = try freePort()
        var errors: [PlatformError?] = []
        func look(_ url: String, _ trace: AskTrace?) async -> PlatformError? {
            do {
                _ = try await Stage.chatflow(url).outcome(of: Stage.question("x"), trace: trace, askedAt: now)
                return nil
            } catch { return error as? PlatformError }
        }
        for trace in [AskTrace?.none, Wire.trace] {
            errors.append(await look("http://127.0.0.1:\(port)/v1", trace))
            for answer in [HTTPResponse.refusal(500, "internal_server_error"), .refusal(429, "too_many_requests")] {
                let server = try await ScriptedDify.answering { _, _ in answer }
                errors.append(await look(server.url, trace))
                await server.stop()
            }
        }
        #expect(errors.allSatisfy { $0?.kind == .uncertain }, "\(errors)")
    }
}
