import Base
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

/// A person in a dialog with a flow on a simulated Typebot.
private struct Dialog {
    let bot: Typebot
    var session: PlatformSession?
    /// What the last answer offered.
    var offered: [Choice] = []

    init(_ typebot: SimulatedTypebot, answer: Duration = .seconds(30)) {
        var timing = TypebotTiming()
        timing.pause = .milliseconds(5)
        timing.answer = answer
        bot = Typebot(
            PlatformConfiguration(
                url: typebot.startURL("bot"), key: nil, options: [:], trust: .privateAllowed, http: Stage.http,
                clock: .system, log: .silent), timing: timing)
    }

    mutating func say(
        _ text: String, files: [QuestionFile] = [], variables: Members<String> = [:]
    ) async throws -> Heard {
        var question = Stage.question(text, variables: variables, session: session)
        question.files = files
        return try await ask(question)
    }

    mutating func choose(_ labels: String...) async throws -> Heard { try await choose(labels) }

    mutating func choose(_ labels: [String]) async throws -> Heard {
        var question = Stage.question("?", session: session)
        question.chosen = offered.filter { labels.contains($0.label) }
        #expect(question.chosen.count == labels.count)
        return try await ask(question)
    }

    mutating func command(_ name: String) async throws -> Heard {
        var question = Stage.question("", variables: ["COMMAND": name], session: session)
        question.kind = .command
        return try await ask(question)
    }

    private mutating func ask(_ question: Question) async throws -> Heard {
        let heard = try await bot.hear(question)
        if case .session(let session)? = heard.parts.last { self.session = session }
        offered = heard.choices?.options ?? []
        return heard
    }
}

@Suite("A Typebot flow is played through", .keepsContracts)
struct TypebotFlowTests {
    private typealias Flow = SimulatedTypebot.Flow
    private typealias Block = SimulatedTypebot.Block

    private func play(
        _ flow: Flow, settings: SimulatedTypebot.Settings = .init(),
        _ body: (SimulatedTypebot, inout Dialog) async throws -> Void
    ) async throws {
        var settings = settings
        settings.watch = ContractWatch.typebot.map { PlatformWatch(exchange: $0.exchange) }
        let typebot = try await SimulatedTypebot.start(
            flows: [flow], settings: settings, loops: Stage.loops, log: .silent)
        var dialog = Dialog(typebot)
        try await body(typebot, &dialog)
        await typebot.shutdown()
    }

    private func play(
        _ blocks: [Block], settings: SimulatedTypebot.Settings = .init(),
        _ body: (SimulatedTypebot, inout Dialog) async throws -> Void
    ) async throws {
        let variables = ["Name", "Mail", "Way", "Toppings", "Card", "Stars", "Day", "File", "USER_ID", "Value"]
        try await play(Flow("bot", variables: variables, blocks), settings: settings, body)
    }

    @Test("every kind of question is asked, answered, and comes out right at the end")
    func allInputs() async throws {
        let cards: [JSON] = [
            ["id": "c1", "title": "Tea", "paths": [["id": "p1", "text": "Buy"]]],
            ["id": "c2", "title": "Ice", "paths": [["id": "p2", "text": "Buy"]]],
        ]
        let pictures: [JSON] = [
            ["id": "x1", "title": "Cat", "pictureSrc": "https://a.example/cat.png"],
            ["id": "x2", "title": "Dog", "pictureSrc": "https://a.example/dog.png"],
        ]
        let blocks: [Block] = [
            .input(.text, into: "Name"), .text("Hello {{Name}}"), .input(.email, into: "Mail"),
            .buttons(["Pickup", "Delivery"], into: "Way"),
            .buttons(["Cheese", "Ham", "Corn"], into: "Toppings", multiple: true),
            .input(.cards, into: "Card", items: cards),
            .input(.pictureChoice, into: "Value", items: pictures),
            .input(.rating, into: "Stars", options: ["length": 5, "buttonType": "Icons"]),
            .input(.date, into: "Day", options: ["format": "yyyy-MM-dd"]), .input(.number), .input(.phone),
            .input(.url),
            .input(.time), .text("{{Name}}, {{Mail}}, {{Way}}, {{Toppings}}, {{Card}}, {{Value}}, {{Stars}}, {{Day}}"),
        ]
        try await play(blocks) { (typebot: SimulatedTypebot, dialog: inout Dialog) async throws in
            #expect(try await dialog.say("Ann_*").texts == [#"Hello Ann\_\*"#])
            let retry = try await dialog.say("no mail")
            #expect(retry.texts.count == 1 && retry.session != nil)
            #expect(try await dialog.say("ann@shop.example").choices?.options.count == 2)
            #expect(try await dialog.choose("Delivery").choices?.several == true)
            #expect(
                try await dialog.choose("Corn", "Cheese").choices?.options.map(\.label) == ["Tea: Buy", "Ice: Buy"])
            #expect(try await dialog.choose("Ice: Buy").files.count == 2)
            #expect(try await dialog.choose("Dog").choices?.options.count == 5)
            #expect(try await dialog.choose("4").texts == ["yyyy-MM-dd"])
            for answer in ["24 December 2026", "12", "+33 6 12 34 56 78", "https://a.example"] {
                #expect(try await dialog.say(answer).session != nil)
            }
            let end = try await dialog.say("12:30")
            #expect(end.hasEnded)
            let all = try #require(end.texts.last).replacing("\\", with: "")
            #expect(all.contains("ann@shop.example, Delivery, Cheese, Corn, Ice, Dog, 4, 2026-12-24"))
            #expect(typebot.sessions.isEmpty && typebot.counts.sessionsStarted == 1)
        }
    }

    /// What the flow keeps when these of its buttons are pressed.
    private func kept(_ labels: String..., of items: [JSON], kind: Block.Input.Kind = .choice, several: Bool = false)
        async throws -> String?
    {
        let options: Members<JSON> = several ? ["isMultipleChoice": true] : [:]
        var kept: String?
        try await play([
            .input(kind, into: "Value", options: options, items: items), .text("{{Value}}"), .input(.text),
        ]) { (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            _ = try await dialog.say("hello")
            kept = try await dialog.choose(labels).texts.last
        }
        return kept
    }

    @Test("what is kept of several is what was chosen, whatever the items are called")
    func severalToTheLetter() async throws {
        let spaces: [JSON] = [
            ["id": "ck1", "content": "2 weeks "], ["id": "ck2", "content": "1 month"],
            ["id": "ck3", "content": "3 months"],
        ]
        #expect(try await kept("2 weeks ", of: spaces, several: true) == "2 weeks")
        let values: [JSON] = [
            ["id": "ck1", "content": "Option A and B", "value": "both"],
            ["id": "ck2", "content": "Only A", "value": "A"],
            ["id": "ck3", "content": "Only B", "value": "B"],
        ]
        #expect(try await kept("Option A and B", of: values, several: true) == "both")
        #expect(try await kept("Only B", "Option A and B", of: values, several: true) == "both, B")
        let listed: [JSON] = (0...11).map { ["id": .string("choice\($0)"), "content": .string("\(20 - $0)")] }
        #expect(try await kept("19", "10", of: listed, several: true) == "19, 10")
    }

    @Test("what is kept of one is what was chosen, though another is called the same")
    func oneToTheLetter() async throws {
        let values: [JSON] = [
            ["id": "ck1", "content": "Something else", "value": "A"], ["id": "ck2", "content": "A", "value": "first"],
        ]
        #expect(try await kept("A", of: values) == "first")
        let twins: [JSON] = [
            ["id": "ck1", "content": "Yes", "value": "1"], ["id": "ck2", "content": "Yes ", "value": "2"],
        ]
        #expect(try await kept("Yes", of: twins) == "1")
        #expect(try await kept("Yes ", of: twins) == "2")
        // As a variable makes them: numbered ids, and here no titles.
        let pictures: [JSON] = [
            ["id": "0", "pictureSrc": "first", "title": ""], ["id": "1", "pictureSrc": "second", "title": ""],
        ]
        #expect(try await kept("1", of: pictures, kind: .pictureChoice) == "first")
        let numbers: [JSON] = (0...2).map {
            ["id": .string("\($0)"), "pictureSrc": "https://a.example/a.png", "title": .string("\($0 + 1)")]
        }
        #expect(try await kept("2", of: numbers, kind: .pictureChoice) == "2")
    }

    @Test("a button that the first message names, however written, is the one that is pressed")
    func namedAtOnce() async throws {
        try await play([.buttons(["Pickup", "Delivery"], into: "Way"), .text("{{Way}}"), .input(.text)]) {
            (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            #expect(try await dialog.say(" delivery ").texts == ["Delivery"])
        }
        let cards: [JSON] = [["id": "c1", "title": "Tea", "paths": [["id": "p1", "text": "Buy"]]]]
        try await play([.input(.cards, into: "Card", items: cards), .text("Got {{Card}}"), .input(.text)]) {
            (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            #expect(try await dialog.say("BUY").texts.last == "Got Tea")
        }
    }

    @Test("variables reach the flow at its start")
    func variables() async throws {
        try await play([.text("You are {{USER_ID}}."), .input(.text)]) {
            (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            let heard = try await dialog.say("x", variables: ["USER_ID": "u_7", "NOBODYS": "x"])
            #expect(heard.texts == [#"You are u\_7."#])
        }
    }

    @Test("a session that was deleted or ran out starts anew and takes the message")
    func gone() async throws {
        try await play([.input(.text, into: "Name"), .text("Hi {{Name}}"), .input(.text), .text("Bye")]) {
            (typebot: SimulatedTypebot, dialog: inout Dialog) async throws in
            #expect(try await dialog.say("Ann").texts == ["Hi Ann"])
            typebot.deleteSessions()
            #expect(try await dialog.say("Bob").texts == ["Hi Bob"])
            typebot.expireSessions()
            #expect(try await dialog.say("Eve").texts == ["Hi Eve"])
            #expect(try await dialog.say("x").hasEnded)
            #expect(typebot.counts.sessionsStarted == 3 && typebot.counts.sessionsEnded == 1)
        }
    }

    @Test("a flow of bubbles alone is shown for each message, and leaves no session")
    func bubblesAlone() async throws {
        try await play([.text("Closed today"), .image("https://a.example/x.png")]) {
            (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            for _ in 0..<2 {
                let heard = try await dialog.say("hello")
                #expect(heard.texts == ["Closed today"] && heard.files.count == 1 && heard.hasEnded)
            }
        }
    }

    @Test("commands of the flow are run and the question comes back; others are said as text")
    func commands() async throws {
        let flow = Flow(
            "bot", variables: ["Name"],
            commands: [.init("help", next: "help", resumesAfter: true), .init("restart", next: "again")],
            groups: [
                .init("start", [.text("Name?"), .input(.text, into: "Name"), .text("Hi {{Name}}"), .input(.text)]),
                .init("help", [.text("Just say it.")]), .init("again", [.text("Anew."), .input(.text)]),
            ])
        try await play(flow) { (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            #expect(try await dialog.say("hello").texts == ["Name?"])
            #expect(try await dialog.command("help").texts == ["Just say it."])
            #expect(try await dialog.command("Ann").texts == ["Hi /Ann"])
            let again = try await dialog.command("restart")
            #expect(again.texts == ["Anew."] && again.session != nil)
        }
        try await play(flow) { (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            let help = try await dialog.command("help")
            #expect(help.texts == ["Name?", "Just say it."])
            #expect(try await dialog.say("Ann").texts == ["Hi Ann"])
        }
    }

    @Test("what only a browser could do does not stop the flow, and pauses stand in their places")
    func actions() async throws {
        try await play([
            .text("One"), .wait(1.5), .text("Two"), .wait(2, pauses: true), .setOnClient("Value", "return 1"),
            .requestOnClient("https://a.example"), .listenForWebhook(), .script("alert(1)"),
            .action(["type": "chatwoot", "chatwoot": ["scriptToExecute": ["content": "x", "args": []]]]),
            .text("Three"),
            .redirect("https://shop.example/x"), .text("Four"), .input(.text),
        ]) { (typebot: SimulatedTypebot, dialog: inout Dialog) async throws in
            let heard = try await dialog.say("hello")
            let seen = heard.parts.filter { if case .nextMessage = $0 { false } else { true } }.dropLast()
            #expect(
                Array(seen) == [
                    .text("One"), .pause(.milliseconds(1500)), .text("Two"), .pause(.seconds(2)), .text("Three"),
                    .text("<https://shop.example/x>"), .text("Four"),
                ])
            #expect(heard.session != nil)
        }
    }

    @Test("an embedded page that waits takes the next text")
    func embed() async throws {
        try await play([
            .embed("https://a.example/form", waitsInto: "Value"), .text("Got {{Value}}"), .input(.text),
        ]) { (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            let first = try await dialog.say("hello")
            #expect(first.texts == ["<https://a.example/form>"])
            #expect(try await dialog.say("done").texts == ["Got done"])
        }
    }

    private struct Sent: FileAccess {
        func link() async throws -> String { "https://portal.example/file" }
        func content(atMost limit: Int) async throws -> [UInt8] { [1, 2, 3] }
    }

    private func file(_ name: String) -> QuestionFile {
        QuestionFile(id: name, name: name, mediaType: MediaType(ofFileNamed: name), size: 3, access: Sent())
    }

    @Test(
        "a person's files reach the flow, put or sent as a form; a type that it does not take is told",
        arguments: [false, true])
    func files(byForm: Bool) async throws {
        var settings = SimulatedTypebot.Settings()
        settings.uploadsByForm = byForm
        let picky: Members<JSON> = ["allowedFileTypes": ["isEnabled": true, "types": ["image/png"]]]
        let blocks: [Block] = [
            .input(.file, into: "File", options: picky), .text("Thanks"),
            .input(.file, options: ["isRequired": false]), .input(.text, options: ["attachments": ["isEnabled": true]]),
            .input(.text, into: "Value", options: ["audioClip": ["isEnabled": true]]), .text("Bye"),
        ]
        try await play(blocks, settings: settings) { (typebot: SimulatedTypebot, dialog: inout Dialog) async throws in
            let wrong = try await dialog.say("File sent: a.txt", files: [file("a.txt")])
            #expect(wrong.error == nil && wrong.texts.count == 1 && typebot.uploads.isEmpty)
            let thanks = try await dialog.say("File sent: a.png", files: [file("a.png")])
            #expect(thanks.texts == ["Thanks"] && thanks.choices?.options.map(\.label) == ["Skip"])
            #expect(typebot.uploads.map(\.body) == [[1, 2, 3]] && typebot.uploads.first?.type == "image/png")
            #expect(try await dialog.choose("Skip").error == nil)
            #expect(try await dialog.say("look", files: [file("b.pdf"), file("c.pdf")]).error == nil)
            let end = try await dialog.say("File sent: v.mp3", files: [file("v.mp3")])
            #expect(end.texts == ["Bye"] && end.hasEnded)
            #expect(typebot.uploads.count == 4 && typebot.uploads.last?.type == "audio/mpeg")
        }
    }

    @Test("a payment is not made by saying so")
    func payment() async throws {
        try await play([.input(.payment, options: ["amount": "30", "currency": "EUR"]), .text("Paid")]) {
            (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            let asked = try await dialog.say("hello").texts
            #expect(
                asked.count == 1 && asked[0].contains("30") && asked[0].contains("Payment is possible on this page"))
            #expect(asked[0].hasSuffix("/bot>"))
            let answer = try await dialog.say("paid", variables: ["LANGUAGE": "ru"])
            #expect(answer.texts.last?.contains("Оплатить можно только на этой странице") == true)
            #expect(!answer.texts.contains("Paid") && answer.session != nil)
        }
    }

    @Test("faults are told apart: refused, passing, open")
    func faults() async throws {
        let busy = SimulatedTypebot.Fault.error(
            status: 429, code: "TOO_MANY_REQUESTS", message: "Slow down", retryAfter: 7)
        try await play([.input(.text, into: "Name"), .text("Hi {{Name}}"), .input(.text)]) {
            (typebot: SimulatedTypebot, dialog: inout Dialog) async throws in
            typebot.fail(busy, on: .startChat)
            let first = try await dialog.say("Ann")
            #expect(first.error?.kind == .passing && first.error?.retryAfter == .seconds(7))
            #expect(try await dialog.say("Ann").texts == ["Hi Ann"])
            typebot.fail(.cut(after: 0), on: .continueChat)
            #expect(try await dialog.say("x").error?.kind == .uncertain)
            typebot.fail(.cut(after: 20), on: .startChat)
            dialog.session = nil
            #expect(try await dialog.say("x").error?.kind == .uncertain)
            typebot.fail(.page("<html>", status: 200), on: .startChat)
            #expect(try await dialog.say("x").error?.kind == .final)
            typebot.fail(.page("<html>", status: 503), on: .startChat)
            #expect(try await dialog.say("x").error?.kind == .passing)
        }
        var closed = Flow("bot", [.text("x")])
        closed.closedMessage = "Back on Monday"
        try await play(closed) { (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            let heard = try await dialog.say("x")
            #expect(heard.error?.kind == .final && heard.error?.message.contains("Back on Monday") == true)
        }
        var suspended = Flow("bot", [.text("x")])
        suspended.isSuspended = true
        try await play(suspended) { (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            let heard = try await dialog.say("x")
            #expect(heard.error?.message.contains("403") == true)
        }
        try await play(Flow("another", [.text("x")])) { (_: SimulatedTypebot, dialog: inout Dialog) async throws in
            let heard = try await dialog.say("x")
            #expect(heard.error?.message.contains("public id") == true)
        }
    }
}
