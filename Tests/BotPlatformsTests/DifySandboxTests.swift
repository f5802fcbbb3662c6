import Base
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("With the simulated Dify forms, files and voice messages work from end to end", .keepsContracts)
struct DifySandboxTests {
    private func start(_ app: SimulatedDify.App) async throws -> SimulatedDify {
        var settings = SimulatedDify.Settings()
        settings.watch = Stage.watch
        return try await SimulatedDify.start(apps: [app], settings: settings, loops: Stage.loops, log: .silent)
    }

    private struct Portal: FileAccess {
        func link() async throws -> String { "https://portal.example/file" }
        func content(atMost limit: Int) async throws -> [UInt8] { Array("bytes".utf8) }
    }

    private func sending(_ name: String) -> Question {
        var question = Stage.question("File sent: \(name)")
        question.files = [
            QuestionFile(id: "1", name: name, mediaType: MediaType(ofFileNamed: name), size: 5, access: Portal())
        ]
        return question
    }

    private static let form = SimulatedDify.HumanForm(
        "Please review.", inputs: [["type": "paragraph", "output_variable_name": "comment"]],
        actions: [("approve", "Approve"), ("reject", "Request changes")])

    @Test("two forms in a row are asked, filled in and followed", arguments: [true, false])
    func forms(isWorkflow: Bool) async throws {
        var last = Self.form
        last.inputs = []
        last.content = "Really?"
        let app = SimulatedDify.App(key: Stage.key, mode: isWorkflow ? .workflow : .chatflow) { [last] _ in
            [
                .askHuman(Self.form) { first in
                    [
                        .askHuman(last) { second in
                            [.text("\(first?.inputs["comment"]?.string ?? "-"), \(second?.action ?? "-")")]
                        }
                    ]
                }
            ]
        }
        let dify = try await start(app)
        let bot: any BotPlatform =
            isWorkflow ? Stage.workflow(dify.baseURL, ["outputs": "plain"]) : Stage.chatflow(dify.baseURL)
        let asked = try await bot.hear(Stage.question("Write it"))
        #expect(asked.error == nil)
        #expect(asked.text == "Please review.\n\nPlease write: comment")
        let choose = try await bot.hear(Stage.question("Well done", session: asked.session))
        #expect(choose.text == "Please choose.")
        let second = try await bot.hear(Stage.question("Approve", session: choose.session))
        #expect(second.error == nil)
        #expect(second.text == "Really?\n\nPlease choose.")
        let end = try await bot.hear(Stage.question("Request changes", session: second.session))
        #expect(end.error == nil)
        #expect(end.text == "Well done, reject")
        #expect(end.session?.difyForm == nil)
        #expect(dify.counts.runs == 1)
        await dify.shutdown()
    }

    @Test("an answer to a form whose stream was lost is found, and one that was not given may be given")
    func outcome() async throws {
        var form = Self.form
        form.inputs = []
        let app = SimulatedDify.App(key: Stage.key) { [form] _ in
            [.text("Draft. "), .askHuman(form) { _ in [.wait(.milliseconds(200)), .text("Published")] }]
        }
        let dify = try await start(app)
        let bot = Stage.chatflow(dify.baseURL)
        let asked = try await bot.hear(Stage.question("Write it"))
        let answer = Stage.question("Approve", session: asked.session)
        let now = WallClock.system.now
        #expect(try await bot.outcome(of: answer, trace: nil, askedAt: now).isNeverArrived)
        // The listener goes away when the form has been submitted.
        for try await part in bot.reply(to: answer) { if case .trace = part { break } }
        let outcome = try await bot.outcome(of: answer, trace: nil, askedAt: now)
        #expect(outcome.heard?.text == "Published")
        #expect(outcome.heard?.session?.difyForm == nil)
        await dify.shutdown()
    }

    @Test("a pause whose stream was lost is found with its form", arguments: [true, false])
    func lostPause(isWorkflow: Bool) async throws {
        let app = SimulatedDify.App(key: Stage.key, mode: isWorkflow ? .workflow : .chatflow) { _ in
            [.text("Draft"), .cut, .askHuman(Self.form) { _ in [.text("End")] }]
        }
        let dify = try await start(app)
        let bot: any FindsOutcome = isWorkflow ? Stage.workflow(dify.baseURL) : Stage.chatflow(dify.baseURL)
        let now = WallClock.system.now
        let heard = try await bot.hear(Stage.question("x"))
        #expect(heard.error?.kind == .uncertain)
        let outcome = try await bot.outcome(of: Stage.question("x"), trace: heard.traces.last, askedAt: now)
        #expect(outcome.heard?.text.hasSuffix("Please review.\n\nPlease write: comment") == true)
        #expect(outcome.heard?.session?.difyForm?.fields.map(\.name) == ["comment"])
        await dify.shutdown()
    }

    @Test("a form that went out by e-mail ends quietly; one that has expired lets the run go on")
    func mailAndExpiry() async throws {
        var mail = Self.form
        mail.isByMail = true
        let app = SimulatedDify.App(key: Stage.key) { [mail] ask in
            [.askHuman(ask.query == "mail" ? mail : Self.form) { $0 == nil ? [.text("Too late")] : [.text("In time")] }]
        }
        let dify = try await start(app)
        let bot = Stage.chatflow(dify.baseURL)
        let told = try await bot.hear(Stage.question("mail"))
        #expect(told.error == nil)
        #expect(told.text == "The request was sent to somebody else by e-mail.")
        let asked = try await bot.hear(Stage.question("chat", user: "member:chat8"))
        dify.timeOutForms()
        let late = try await bot.hear(Stage.question("Approve", user: "member:chat8", session: asked.session))
        #expect(late.error == nil)
        #expect(late.text == "Too late")
        await dify.shutdown()
    }

    @Test("files go with the message, and a voice message becomes its words")
    func files() async throws {
        var app = SimulatedDify.App(key: Stage.key) { ask in [.text("\(ask.query): \(ask.fileCount)")] }
        app.fileUpload.types = ["image", "document"]
        app.transcribe = { bytes in "heard \(bytes.count)" }
        let dify = try await start(app)
        let bot = Stage.chatflow(dify.baseURL)
        #expect(try await bot.hear(sending("a.pdf")).text == "File sent: a.pdf: 1")
        #expect(try await bot.hear(sending("a.zip")).text == "File sent: a.zip: 0")
        #expect(try await bot.hear(sending("a.mp3")).text == "heard 5: 0")
        await dify.shutdown()
    }

    @Test("a workflow's named outputs, files and partial success arrive")
    func outputs() async throws {
        let app = SimulatedDify.App(key: Stage.key, mode: .workflow) { _ in
            [
                .namedOutput("total", 7), .namedOutput("bitbot_action", "finish"),
                .outputFile("paper", url: "https://d.example/paper.pdf"), .partial,
            ]
        }
        let dify = try await start(app)
        let heard = try await Stage.workflow(dify.baseURL).hear(Stage.question("x"))
        #expect(heard.error == nil)
        #expect(heard.text == "total: 7")
        #expect(heard.files.count == 1)
        #expect(heard.parts.last == .action(.finish))
        await dify.shutdown()
    }
}
