import Base
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("A Dify app gets the variables that it declares", .keepsContracts)
struct DifyInputsTests {
    private typealias Field = SimulatedDify.App.Field

    private static let variables: Members<String> = [
        "BOT_ID": "7", "DIALOG_ID": "chat7", "IS_BOT": "N", "FIRST_NAME": "Анна", "LANGUAGE": "de",
        "MESSAGE": "12345678",
    ]
    private static let tokens: Members<Secret> = ["access_token": Secret("t0ken-of-the-portal-9999")]

    private func question(_ user: String = "u") -> Question {
        Stage.question("x", user: user, variables: Self.variables, tokens: Self.tokens)
    }

    /// The `inputs` that the app got for a form of these fields.
    private func inputs(_ form: [JSON]) async throws -> JSON? {
        let server = try await ScriptedDify.start { request, _ in
            request.path == "/v1/parameters"
                ? .json(["user_input_form": .array(form)]) : .events(Wire.answer("ok"))
        }
        _ = try await Stage.chatflow(server.url).hear(question())
        let request = try #require(server.requests("/chat-messages").first)
        await server.stop()
        return try JSON(parsing: request.body)["inputs"]
    }

    @Test("declared variables arrive as strings, tokens too if they are declared, others not at all")
    func declared() async throws {
        let got = try await inputs([
            ["text-input": ["variable": "BOT_ID", "required": true]],
            ["paragraph": ["variable": "access_token", "required": false, "max_length": nil]],
            ["text-input": ["variable": "city"]],
        ])
        #expect(got == ["BOT_ID": "7", "access_token": "t0ken-of-the-portal-9999"])
    }

    @Test("no NUL reaches Dify's database, whether the app's form is known or not")
    func noNUL() async throws {
        for form: JSON in [[["text-input": ["variable": "FIRST_NAME"]]], "unreadable"] {
            let server = try await ScriptedDify.start { request, _ in
                request.path == "/v1/parameters" ? .json(["user_input_form": form]) : .events(Wire.answer("ok"))
            }
            _ = try await Stage.chatflow(server.url).hear(
                Stage.question("a\0b", variables: ["FIRST_NAME": "A\0nn"]))
            let body = try JSON(parsing: try #require(server.requests("/chat-messages").first).body)
            #expect(body["query"] == "ab" && body["inputs"] == ["FIRST_NAME": "Ann"])
            await server.stop()
        }
    }

    @Test("no variable of BitBot's makes an app refuse the question")
    func accepted() async throws {
        let form: [Field] = [
            Field("FIRST_NAME", .text(maximum: 4)), Field("MESSAGE", .paragraph(maximum: 8)),
            Field("LANGUAGE", .select(["en", "ru"])), Field("BOT_ID", .number, isRequired: true),
            Field("DIALOG_ID", .number), Field("IS_BOT", .checkbox),
            Field("file_id", .text(maximum: 5), isRequired: true),
            Field("city", .select(["x"])),
        ]
        let got = Box<Members<JSON>>([:])
        let dify = try await Stage.dify(form: form) { ask in
            got.value = ask.inputs
            return [.text("ok")]
        }
        let heard = try await Stage.chatflow(dify.baseURL).hear(question())
        #expect(heard.error == nil)
        #expect(
            got.value == [
                "FIRST_NAME": "Анна", "MESSAGE": "12345678", "BOT_ID": 7, "IS_BOT": false, "file_id": "",
            ])
        await dify.shutdown()
    }

    @Test(
        "a value that is longer than the app takes is told before anything is asked",
        arguments: ["text-input", "paragraph"])
    func tooLong(kind: String) async throws {
        let server = try await ScriptedDify.start { request, _ in
            request.path == "/v1/parameters"
                ? .json(["user_input_form": [[kind: ["variable": "access_token", "max_length": 10]]]])
                : .events(Wire.answer("ok"))
        }
        let heard = try await Stage.chatflow(server.url).hear(question())
        #expect(heard.error?.kind == .final)
        #expect(
            heard.error?.message.contains(
                "lengthen the field `access_token` (10 characters) in the app's start node in Dify to at least 24")
                == true)
        #expect(server.requests("/chat-messages").isEmpty)
        await server.stop()
    }

    @Test("a variable that Dify itself refuses is named to the administrator, with what to do")
    func refused() async throws {
        for (message, advice) in [
            (
                "FIRST_NAME in input form must be less than 2 characters",
                "lengthen the field `FIRST_NAME` (2 characters)"
            ),
            ("city is required in input form", "Make the field `city` optional"),
        ] {
            let server = try await ScriptedDify.answering { _, _ in .refusal(400, "invalid_param", message) }
            let heard = try await Stage.chatflow(server.url).hear(question())
            #expect(heard.error?.kind == .final)
            #expect(heard.error?.message.contains(advice) == true)
            await server.stop()
        }
    }

    @Test("a value that does not fit gives way to the app's own default, else it is left out")
    func defaults() async throws {
        let got = try await inputs([
            ["select": ["variable": "LANGUAGE", "required": true, "options": ["en", "ru"], "default": "en"]],
            ["number": ["variable": "DIALOG_ID", "required": true, "default": "3.5"]],
            ["number": ["variable": "count", "default": 4]], ["checkbox": ["variable": "agreed", "required": true]],
            ["text-input": ["variable": "city", "required": true, "default": "Paris"]],
            ["text-input": ["variable": "country", "required": false, "default": "France"]],
            ["file": ["variable": "upload"]], ["file-list": ["variable": "uploads"]], ["json": ["variable": "extra"]],
            ["select": ["variable": "other", "options": ["a"]]], ["checkbox": ["variable": "FIRST_NAME"]],
            ["brand-new-kind": ["variable": "BOT_ID"]], ["text-input": ["label": "no variable"]],
        ])
        #expect(
            got == ["LANGUAGE": "en", "DIALOG_ID": 3.5, "count": 4, "agreed": false, "city": "Paris", "BOT_ID": "7"])
    }

    @Test("an app whose form cannot be read gets all variables but the tokens")
    func unreadable() async throws {
        for answer in [HTTPResponse.refusal(500, "internal_server_error"), .text("<html>"), .json(["a": 1])] {
            let server = try await ScriptedDify.start { request, _ in
                request.path == "/v1/parameters" ? answer : .events(Wire.answer("ok"))
            }
            let heard = try await Stage.chatflow(server.url).hear(question())
            #expect(heard.text == "ok")
            let body = try JSON(parsing: try #require(server.requests("/chat-messages").first).body)
            #expect(body["inputs"] == .object(Self.variables.mapValues(JSON.string)))
            await server.stop()
        }
    }

    @Test("the form is read once a minute, and once for all who ask at the same time")
    func cached() async throws {
        let server = try await ScriptedDify.start { request, _ in
            request.path == "/v1/parameters"
                ? .json(["user_input_form": [["text-input": ["variable": "BOT_ID"]]]]) : .events(Wire.answer("ok"))
        }
        let time = SetClock()
        let bot = Stage.chatflow(server.url, clock: time.clock)
        try await withThrowingTaskGroup { group in
            for number in 0..<20 { group.addTask { try await bot.hear(question("u\(number)")) } }
            for try await heard in group { #expect(heard.text == "ok") }
        }
        #expect(server.requests("/parameters").count == 1)
        time.advance(.seconds(59))
        _ = try await bot.hear(question())
        #expect(server.requests("/parameters").count == 1)
        time.advance(.seconds(2))
        _ = try await bot.hear(question())
        #expect(server.requests("/parameters").count == 2)
        await server.stop()
    }

    @Test("a form that could not be read is tried again soon, but not at every message")
    func triedAgain() async throws {
        let server = try await ScriptedDify.start { request, count in
            if request.path != "/v1/parameters" { return .events(Wire.answer("ok")) }
            return count == 1 ? .refusal(503, "unavailable") : .json(["user_input_form": []])
        }
        let time = SetClock()
        let bot = Stage.chatflow(server.url, clock: time.clock)
        _ = try await bot.hear(question())
        _ = try await bot.hear(question())
        #expect(server.requests("/parameters").count == 1)
        time.advance(.seconds(11))
        _ = try await bot.hear(question())
        #expect(server.requests("/parameters").count == 2)
        let body = try JSON(parsing: try #require(server.requests("/chat-messages").last).body)
        #expect(body["inputs"] == [:])
        await server.stop()
    }

    @Test("all inputs go with every turn")
    func everyTurn() async throws {
        let dify = try await Stage.dify(form: [Field("BOT_ID")]) { ask in
            [.text(ask.inputs["BOT_ID"]?.string ?? "none")]
        }
        let bot = Stage.chatflow(dify.baseURL)
        let first = try await bot.hear(question())
        var second = question()
        second.session = first.session
        #expect(try await bot.hear(second).text == "7")
        await dify.shutdown()
    }
}
