import Base
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("What a Typebot flow asks is offered, and answered as it expects", .keepsContracts)
struct TypebotInputTests {
    /// What the flow is told when a person says this to an input; `null` for no message.
    private func said(_ question: Question, to input: JSON) async throws -> JSON {
        let server = try await ScriptedTypebot.playing(Flow.start(), Flow.next([Flow.says("ok")]))
        var question = question
        question.session = .waiting(for: input)
        #expect(try await server.bot().hear(question).texts == ["ok"])
        let message = server.continued.first?.json["message"] ?? .null
        await server.stop()
        return message
    }

    private func choosing(_ choices: Choice...) -> Question {
        var question = Stage.question("2")
        question.chosen = choices
        return question
    }

    private func parts(_ input: JSON) -> [ReplyPart] { TypebotInput(input)?.parts(payment: nil) ?? [] }
    private func choices(_ input: JSON) -> Choices? { Heard(parts: parts(input)).choices }
    private func texts(_ input: JSON) -> [String] { Heard(parts: parts(input)).texts }

    @Test("a button is answered by its label and its id, a free text as it is")
    func single() async throws {
        let input = Flow.buttons("Red", "Blue")
        #expect(
            choices(input)
                == Choices([Choice(label: "Red", value: "item0"), Choice(label: "Blue", value: "item1")]))
        #expect(
            try await said(choosing(Choice(label: "Blue", value: "item1")), to: input)
                == ["type": "text", "text": "Blue", "metadata": ["replyId": "item1"]])
        #expect(try await said(Stage.question("Green"), to: input) == ["type": "text", "text": "Green"])
    }

    @Test("several buttons are answered by their ids, the shortest first")
    func several() async throws {
        let input = Flow.buttons("Red", "Blue", "Green", several: true)
        #expect(choices(input)?.several == true)
        let answer = try await said(
            choosing(Choice(label: "Green", value: "item2"), Choice(label: "Red", value: "item0")), to: input)
        #expect(answer == ["type": "text", "text": "item2, item0"])
        // Typebot takes "item1" out of "item10" where that comes first.
        let many = try await said(
            choosing(Choice(label: "K", value: "item10"), Choice(label: "B", value: "item1")), to: input)
        #expect(many["text"] == "item1, item10")
        #expect(try await said(Stage.question("1 and 2"), to: input)["text"] == "1 and 2")
    }

    @Test("a button without words is called by its value, else its number; one without id is left out")
    func wordless() {
        let input = Flow.input(
            "choice input",
            items: [["id": "a", "value": "v"], ["id": "b"], ["content": "x"], 7, ["id": "c", "content": "  "]])
        #expect(choices(input)?.options.map(\.label) == ["v", "2", "5"])
        #expect(choices(Flow.input("choice input", items: [])) == nil)
        #expect(choices(["id": "i", "type": "choice input", "items": "x"]) == nil)
    }

    @Test("pictures come before their buttons, with what is told of them")
    func pictures() async throws {
        let input = Flow.input(
            "picture choice input", options: ["isMultipleChoice": true],
            items: [
                ["id": "a", "title": "Cat", "description": "purrs", "pictureSrc": "https://a.example/cat.png"],
                ["id": "b", "pictureSrc": "https://a.example/dog.png"], ["id": "c", "title": "None"],
            ])
        #expect(
            parts(input) == [
                .file(ReplyFile(url: "https://a.example/cat.png", name: "cat.png")), .text("[b]Cat[/b]\npurrs"),
                .nextMessage, .file(ReplyFile(url: "https://a.example/dog.png", name: "dog.png")), .text("[b]2[/b]"),
                .nextMessage,
                .choices(
                    Choices(
                        [
                            Choice(label: "Cat", value: "a"), Choice(label: "2", value: "b"),
                            Choice(label: "None", value: "c"),
                        ], several: true)),
            ])
        let answer = try await said(
            choosing(Choice(label: "Cat", value: "a"), Choice(label: "2", value: "b")), to: input)
        #expect(answer["text"] == "a, b")
    }

    @Test("cards are shown with their buttons, named apart, and answered by the button's id")
    func cards() async throws {
        let input = Flow.input(
            "cards",
            items: [
                [
                    "id": "1", "title": "Tea", "description": "hot", "imageUrl": "https://a.example/tea.png",
                    "paths": [["id": "p1", "text": "Buy"], ["id": "p2", "text": "More"], ["text": "no id"]],
                ],
                [
                    "id": "2", "title": "Ice", "description": nil, "imageUrl": nil,
                    "paths": [["id": "p3", "text": "Buy"]],
                ],
                ["id": "3", "title": "Alone"], ["id": "4", "title": nil, "paths": nil], 7,
            ])
        #expect(
            choices(input)?.options == [
                Choice(label: "Tea: Buy", value: "p1"), Choice(label: "More", value: "p2"),
                Choice(label: "Ice: Buy", value: "p3"), Choice(label: "Alone", value: "Alone"),
            ])
        #expect(parts(input).first == .file(ReplyFile(url: "https://a.example/tea.png", name: "tea.png")))
        #expect(texts(input) == ["[b]Tea[/b]\nhot"])
        #expect(
            try await said(choosing(Choice(label: "Ice: Buy", value: "p3")), to: input)
                == ["type": "text", "text": "p3"])
    }

    @Test("a rating that starts at one is offered as buttons, another one by its ends")
    func rating() async throws {
        let stars = Flow.input("rating input", options: ["length": 5, "buttonType": "Icons"])
        #expect(choices(stars)?.options.map(\.label) == ["1", "2", "3", "4", "5"])
        #expect(texts(stars).isEmpty)
        #expect(try await said(choosing(Choice(label: "4", value: "4")), to: stars)["text"] == "4")
        let usual = Flow.input("rating input", options: ["labels": ["left": "Bad", "right": "Good"]])
        #expect(choices(usual) == nil)
        #expect(texts(usual) == [TypebotRichText.escaped("0 (Bad) – 10 (Good)")])
        let odd = Flow.input("rating input", options: ["length": 1e300, "startsAt": "{{x}}", "buttonType": 7])
        #expect(texts(odd) == ["0 – 10"])
        #expect(choices(Flow.input("rating input", options: ["length": -4, "startsAt": "1"]))?.options.count == 1)
        #expect(texts(Flow.input("rating input", options: ["length": 20, "startsAt": "1"])) == ["1 – 20"])
    }

    @Test("the form of a date or time is told where the author chose one")
    func dates() {
        #expect(parts(Flow.input("date input")).isEmpty)
        #expect(texts(Flow.input("date input", options: ["format": "yyyy/MM/dd"])) == ["yyyy/MM/dd"])
        #expect(
            texts(Flow.input("date input", options: ["isRange": true, "labels": ["separator": "until"]]))
                == ["dd/MM/yyyy until dd/MM/yyyy"])
        #expect(texts(Flow.input("date input", options: ["hasTime": true])) == ["dd/MM/yyyy HH:mm"])
        #expect(texts(Flow.input("time input", options: ["format": "hh:mm a"])) == ["hh:mm a"])
    }

    @Test(
        "plain questions take the text as it is and show nothing of their own",
        arguments: [
            "text input", "number input", "email input", "url input", "date input", "time input", "phone number input",
            "input of tomorrow",
        ])
    func plain(type: String) async throws {
        var input = Flow.input(type, options: ["labels": ["placeholder": "Type here", "button": "Send"]])
        input["prefilledValue"] = "Ann"
        #expect(parts(input).isEmpty)
        #expect(try await said(Stage.question(" 12, \0a "), to: input) == ["type": "text", "text": " 12, a "])
    }

    @Test("a bad answer brings Typebot's words and the same question again")
    func retry() async throws {
        let server = try await ScriptedTypebot.playing(
            Flow.start(), Flow.next([Flow.says("Invalid message.", id: "i1")], input: Flow.buttons("Red")))
        let heard = try await server.bot().hear(
            Stage.question("Green", session: .waiting(for: Flow.buttons("Red"))))
        #expect(heard.texts == [#"Invalid message."#])
        #expect(heard.choices?.options.count == 1)
        #expect(heard.session?.id == "s1")
        await server.stop()
    }

    @Test("a payment is named, and never taken for made: only Typebot's page can make one")
    func payment() async throws {
        var input = Flow.input(
            "payment input",
            options: ["amount": "30", "currency": "EUR", "additionalInformation": ["description": "Shoes"]])
        #expect(texts(input) == ["Shoes: 30 EUR"])
        input["runtimeOptions"] = ["paymentIntentSecret": "s3cret", "amountLabel": "30,00 €", "publicKey": "pk"]
        #expect(texts(input) == ["Shoes: 30,00 €"])
        #expect(TypebotInput(input)?.parts(payment: "Pay: <x>").first == .text("Shoes: 30,00 €\nPay: <x>"))
        let stored = try #require(TypebotInput(input)).stored.text
        #expect(!stored.contains("s3cret"))
        #expect(try await said(Stage.question("paid"), to: input) == ["type": "text", "text": "fail"])
    }

    @Test("a file that is not required can be skipped, by the author's word or a button")
    func skip() async throws {
        let input = Flow.input("file input", options: ["isRequired": false, "labels": ["skip": "Later"]])
        #expect(choices(input)?.options == [Choice(label: "Later", value: "skip")])
        #expect(try await said(Stage.question(" later "), to: input) == nil)
        #expect(try await said(choosing(Choice(label: "Later", value: "skip")), to: input) == nil)
        #expect(try await said(Stage.question("why?"), to: input)["text"] == "why?")
        let required = Flow.input("file input")
        #expect(choices(required) == nil)
        #expect(try await said(Stage.question("skip"), to: required)["text"] == "skip")
    }

    @Test("an input whose every field is odd is still a question")
    func odd() {
        for type in TypebotInputTests.types {
            for value: JSON in [nil, 7, "x", "nan", "inf", 1e300, [], [:], [nil], [[:]], -1, true] {
                let input: JSON = [
                    "id": value, "type": .string(type), "items": [value, ["id": "a", "title": value, "paths": value]],
                    "options": [
                        "format": value, "length": value, "startsAt": value, "labels": value, "isRange": value,
                        "isRequired": value, "sizeLimit": value, "attachments": value, "amount": value,
                    ], "runtimeOptions": value,
                ]
                let read = TypebotInput(input)
                _ = read?.parts(payment: nil)
                #expect(read?.stored["type"] == .string(type))
                _ = TypebotInput(["id": "i", "type": .string(type), "options": value, "items": value])?.parts(
                    payment: nil)
            }
        }
    }

    private static let types = [
        "text input", "number input", "email input", "url input", "date input", "time input", "phone number input",
        "choice input", "picture choice input", "payment input", "rating input", "file input", "cards",
    ]
}
