import Base
import Sandbox
import TestSupport
import Testing

@Suite("The simulated Typebot judges answers as Typebot does")
struct TypebotInputTests {
    private typealias Bench = TypebotBench
    private typealias Block = SimulatedTypebot.Block
    typealias Kind = SimulatedTypebot.Input.Kind

    /// What the flow keeps of an answer; `nil` if it asks again.
    private func kept(
        _ text: String, _ kind: Kind, _ options: Members<JSON> = [:], items: [JSON] = [], replyID: String? = nil
    ) async throws -> String? {
        var result: String?
        let input = Block.input(kind, into: "Answer", options: options, items: items)
        try await Bench.with([input.named("asked"), .input(.text)]) { bench in
            let chat = try await bench.start()
            #expect(chat.answer["input"]?["id"] == "asked" && chat.answer.waitingFor == kind.rawValue)
            let answer = try await chat.say(text, replyID: replyID)
            if answer["input"]?["id"] == "asked" {
                #expect(answer["messages"]?.array?.first?["id"] == "asked")
                #expect(answer["input"] == chat.answer["input"])
            } else {
                result = chat.variables?["Answer"]?.string ?? ""
                #expect(answer["lastMessageNewFormat"]?.string == (result == text ? nil : result))
            }
        }
        return result
    }

    @Test(
        "one kind of answer after another",
        arguments: [
            (Kind.email, "Ann@Example.com", "ann@example.com"), (.email, "ann", nil),
            (.number, "1,5", "1.5"), (.number, "12 apples", "12"), (.number, "007", "007"), (.number, "many", nil),
            (.url, "example.com/a", "example.com/a"), (.url, "nowhere", nil),
            (.date, "3/4/2027", "03/04/2027"), (.date, "April 3, 2027", "03/04/2027"), (.date, "soon", nil),
            (.time, "9:05", "09:05"), (.time, "9 pm", "21:00"), (.time, "late", nil),
            (.phone, "call +33 6 12 34 56 78", "+33612345678"), (.phone, "06 12 34 56 78", nil),
            (.rating, "10", "10"), (.rating, "", ""), (.rating, "-3", "-3"), (.rating, "11", nil),
            (.rating, "good", nil),
            (.payment, "paid", "paid"), (.payment, "fail", nil), (.text, "anything", "anything"),
        ] as [(Kind, String, String?)])
    func answers(_ kind: Kind, _ text: String, _ expected: String?) async throws {
        #expect(try await kept(text, kind) == expected)
    }

    @Test("options of an input count")
    func options() async throws {
        #expect(try await kept("6", .number, ["min": 5, "max": 10]) == "6")
        #expect(try await kept("4", .number, ["min": 5]) == nil)
        #expect(try await kept("-4", .number, ["min": 0]) == "-4")
        #expect(try await kept("04/03/2027", .date, ["format": "MM/dd/yyyy"]) == "04/03/2027")
        #expect(try await kept("2027-04-03 14:30", .date, ["hasTime": true]) == "03/04/2027 14:30")
        #expect(try await kept("1/4/2027 to 3/4/2027", .date, ["isRange": true]) == "01/04/2027 to 03/04/2027")
        #expect(try await kept("1/4/2027", .date, ["isRange": true]) == nil)
        #expect(try await kept("1/4/2027", .date, ["min": "2027-04-02"]) == nil)
        #expect(try await kept("06 12 34 56 78", .phone, ["defaultCountryCode": "FR"]) == "+33612345678")
        #expect(try await kept("4", .rating, ["length": 3]) == nil)
    }

    @Test("the text for a bad answer is the author's, the input's, or the bot's")
    func retries() async throws {
        var flow = SimulatedTypebot.Flow("bot", [.input(.email, options: ["retryMessageContent": "Again, please"])])
        try await Bench.with(flow) { bench in
            let answer = try await bench.startAndSay("x")
            #expect(answer.texts == ["Again, please"])
        }
        flow.groups[0].blocks = [.input(.number).named("n")]
        flow.invalidMessage = "What?"
        try await Bench.with(flow) { bench in
            let answer = try await bench.startAndSay("x")
            #expect(answer.texts == ["What?"])
        }
        flow.groups[0].blocks = [.input(.payment).named("p")]
        try await Bench.with(flow) { bench in
            let chat = try await bench.start()
            #expect(chat.answer["input"]?["runtimeOptions"]?["amountLabel"]?.string != nil)
            #expect(try await chat.say("fail").texts == ["Payment failed. Please, try again."])
        }
    }

    @Test("no message is a bad answer, but skips a file that need not be")
    func missing() async throws {
        try await Bench.with([.input(.text).named("a")]) { bench in
            let answer = try await bench.startAndSend([:])
            #expect(answer["input"]?["id"] == "a")
        }
        try await Bench.with([.input(.file, options: ["isRequired": false]).named("a"), .text("b")]) { bench in
            let answer = try await bench.startAndSend([:])
            #expect(answer.texts == ["b"])
        }
    }

    // MARK: Choices

    private let items: [JSON] = [
        ["id": "i1", "content": "Red"], ["id": "i2", "content": "Blue", "value": "B"],
        ["id": "i3", "content": "Dark red"],
    ]

    @Test("a single choice is its reply id, id, value or label, to the letter")
    func single() async throws {
        #expect(try await kept("Red", .choice, items: items) == "Red")
        #expect(try await kept(" Red ", .choice, items: items) == "Red")
        #expect(try await kept("i2", .choice, items: items) == "B")
        #expect(try await kept("Blue", .choice, items: items) == "B")
        #expect(try await kept("B", .choice, items: items) == "B")
        #expect(try await kept("whatever", .choice, items: items, replyID: "i3") == "Dark red")
        for text in ["red", "1", "Re"] { #expect(try await kept(text, .choice, items: items) == nil) }
    }

    @Test("several choices are found as whole words in any case, and by their numbers")
    func several() async throws {
        let options: Members<JSON> = ["isMultipleChoice": true]
        #expect(try await kept("blue, RED", .choice, options, items: items) == "Red, B")
        #expect(try await kept("Dark red", .choice, options, items: items) == "Dark red")
        // Only what is written to the letter is taken out before the next label is looked for.
        #expect(try await kept("dark red", .choice, options, items: items) == "Red, Dark red")
        #expect(try await kept("1 and 3", .choice, options, items: items) == "Red, Dark red")
        #expect(try await kept("i1, i2", .choice, options, items: items) == "Red, B")
        #expect(try await kept("Reddish", .choice, options, items: items) == nil)
    }

    @Test("labels have their variables filled in, hidden buttons are not there, lists make buttons")
    func buttons() async throws {
        let hidden: JSON = [
            "id": "i2", "content": "Secret",
            "displayCondition": ["isEnabled": true, "condition": Block.comparison("Name", "Equal to", "Boss")],
        ]
        let input = Block.input(.choice, into: "Answer", items: [["id": "i1", "content": "For {{Name}}"], hidden])
        let list = Block.input(.choice, options: ["dynamicVariableId": .string(Block.variableID("List"))])
        try await Bench.with([input, list]) { bench in
            let chat = try await bench.start(["prefilledVariables": ["Name": "Ann", "List": ["a", "b", "a", ""]]])
            #expect(chat.answer["input"]?["items"]?.array?.map { $0["content"] } == ["For Ann"])
            let next = try await chat.say("For Ann")
            let shown = next["input"]?["items"]?.array ?? []
            #expect(shown.map { $0["id"] } == ["choice0", "choice1"] && shown.map { $0["content"] } == ["a", "b"])
        }
    }

    @Test("pictures are chosen by title, or by their address where they have none")
    func pictures() async throws {
        let items: [JSON] = [
            ["id": "i1", "title": "Cat", "pictureSrc": "https://example.com/cat.png"],
            ["id": "i2", "pictureSrc": "https://example.com/dog.png"],
        ]
        #expect(try await kept("Cat", .pictureChoice, items: items) == "Cat")
        #expect(try await kept("x", .pictureChoice, items: items, replyID: "i2") == "https://example.com/dog.png")
    }

    @Test("a card's button is chosen by its id, the first one of it by its title")
    func cards() async throws {
        let items: [JSON] = [
            [
                "id": "c1", "title": "Tea", "imageUrl": nil, "description": "Hot",
                "paths": [["id": "p1", "text": "Buy"], ["id": "p2", "text": "Look"]],
            ],
            ["id": "c2", "imageUrl": "https://example.com/cup.png", "paths": [["id": "p3", "text": "Buy"]]],
        ]
        let saves: Members<JSON> = [
            "saveResponseMapping": [["field": "Button", "variableId": .string(Block.variableID("Name"))]]
        ]
        try await Bench.with([.input(.cards, options: saves, items: items), .input(.text)]) { bench in
            for (text, replyID, button) in [("p2", nil, "Look"), ("tea", nil, "Buy"), ("?", "p3", "Buy")] {
                let chat = try await bench.start()
                let answer = try await chat.say(text, replyID: replyID)
                #expect(answer.waitingFor == "text input" && chat.variables?["Name"] == .string(button))
            }
            #expect(try await bench.startAndSay("Coffee").waitingFor == "cards")
        }
    }

    @Test("what the variable holds already is suggested, not answered")
    func suggestion() async throws {
        try await Bench.with([.input(.text, into: "Name")]) { bench in
            let chat = try await bench.start(["prefilledVariables": ["Name": "Ann"]])
            #expect(chat.answer["input"]?["prefilledValue"] == "Ann" && chat.answer.waitingFor == "text input")
        }
    }

    @Test("audio clips and attachments go into their variables")
    func media() async throws {
        let options: Members<JSON> = [
            "audioClip": ["isEnabled": true, "saveVariableId": .string(Block.variableID("Name"))],
            "attachments": ["isEnabled": true, "saveVariableId": .string(Block.variableID("List"))],
        ]
        try await Bench.with([.input(.text, options: options), .input(.text, options: options), .input(.text)]) {
            bench in
            let chat = try await bench.start()
            try await chat.send(["message": ["type": "audio", "url": "https://example.com/a.ogg"]])
            #expect(chat.variables?["Name"] == "https://example.com/a.ogg")
            let urls: JSON = ["https://example.com/1.pdf", "https://example.com/2.pdf"]
            try await chat.send(["message": ["type": "text", "text": "see", "attachedFileUrls": urls]])
            #expect(chat.variables?["List"] == urls)
        }
    }
}
