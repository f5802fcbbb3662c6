import Base
import Sandbox
import TestSupport
import Testing

@Suite("What the simulated Typebot shows has Typebot's shapes")
struct TypebotBubbleTests {
    private typealias Bench = TypebotBench
    private typealias Block = SimulatedTypebot.Block

    @Test("bubbles of every kind are there, their addresses filled in or missing")
    func kinds() async throws {
        let blocks: [Block] = [
            .text("a"), .image("https://example.com/{{Name}}.png", link: "https://example.com"), .image(nil),
            .video("https://example.com/a.mp4"), .video(nil, type: "youtube", id: "dQw4"),
            .audio("data:audio/wav;base64,AA=="),
            .embed("https://example.com/page"), .input(.text),
        ]
        try await Bench.with(blocks) { bench in
            let chat = try await bench.start(["prefilledVariables": ["Name": "ann"]])
            #expect(chat.answer.bubbles == ["text", "image", "image", "video", "video", "audio", "embed"])
            let image = chat.answer["messages"]?.array?[1]["content"]
            #expect(image?["url"] == "https://example.com/ann.png")
            #expect(image?["clickLink"]?["url"] == "https://example.com")
            #expect(chat.answer["messages"]?.array?[2]["content"]?["url"] == nil)
        }
    }

    @Test("the format of texts is what each request asks for, rich text without a word")
    func formats() async throws {
        let rich: [JSON] = [
            .paragraph([.leaf("plain "), .leaf("bold", "bold"), .leaf(" it", "italic"), .leaf("u", "underline")]),
            .paragraph(""), .paragraph([.link("here", "https://example.com/?a=1")]),
            .list([
                [.line(.leaf("one"))], [.line(.leaf("two")), .list(numbered: true, [[.line(.leaf("inner"))]])],
            ]),
            .paragraph([.leaf("gone", "strikethrough")]),
        ]
        try await Bench.with([.richText(rich), .input(.text), .text("*a_b*"), .input(.text)]) { bench in
            let chat = try await bench.start(["textBubbleContentFormat": "markdown"])
            #expect(
                chat.answer.texts == [
                    """
                    plain **bold**_ it_<u>u</u>

                    [here](https://example.com/?a=1)
                    * one
                    * two
                      1. inner
                    ~~gone~~
                    """
                ])
            let next = try await chat.say("x")
            #expect(next["messages"]?.array?[0]["content"]?["richText"] == [.paragraph("*a_b*")])
        }
    }

    @Test("a variable among words keeps the paragraph; alone, it is read as Markdown; an unset one leaves nothing")
    func variables() async throws {
        let blocks: [Block] = [.text("Hi {{Name}}!"), .text("{{Name}}"), .text("{{Answer}}"), .input(.text)]
        try await Bench.with(blocks) { bench in
            let chat = try await bench.start(["prefilledVariables": ["Name": "**Ann**\n\nLee"]])
            let texts = (chat.answer["messages"]?.array ?? []).map { $0["content"]?["richText"] }
            #expect(
                texts == [
                    [
                        .paragraph([
                            .leaf("Hi "), .leaf("Ann", "bold"), .leaf("\n\n"), .leaf("Lee"), .leaf("!"),
                        ])
                    ],
                    [.paragraph([.leaf("Ann", "bold")]), .paragraph(""), .paragraph("Lee")], [],
                ])
        }
    }

    // MARK: Client-side actions

    @Test("an action says behind which bubble it belongs")
    func order() async throws {
        let blocks: [Block] = [
            .script("1"), .text("a").named("first"), .wait(2), .text("b"), .redirect("https://example.com/{{Name}}"),
            .input(.text),
        ]
        try await Bench.with(blocks) { bench in
            let answer = try await bench.start(["prefilledVariables": ["Name": "x"]]).answer
            #expect(answer.actions == ["scriptToExecute", "wait", "redirect"])
            let actions = answer["clientSideActions"]?.array ?? []
            #expect(actions.map { $0["lastBubbleBlockId"]?.string } == [nil, "first", "start-4"])
            #expect(actions[1]["wait"]?["secondsToWaitFor"] == 2)
            #expect(actions[2]["redirect"]?["url"] == "https://example.com/x")
            #expect(answer.texts == ["a", "b"] && answer.waitingFor == "text input")
        }
    }

    @Test("an action that wants a reply stops the flow until it comes, with no input meanwhile")
    func dedicated() async throws {
        let blocks: [Block] = [
            .wait(1, pauses: true), .text("waited"), .setOnClient("Answer", "return 7"), .text("set {{Answer}}"),
            .requestOnClient("https://example.com", method: "POST", body: ["a": 1], saves: ["data.name": "Name"]),
            .text("asked {{Name}}"), .listenForWebhook(), .text("heard"), .input(.text),
        ]
        try await Bench.with(blocks) { bench in
            let chat = try await bench.start()
            #expect(chat.answer.actions == ["wait"] && chat.answer.texts == [] && chat.answer["input"] == nil)
            let waited = try await chat.send([:])
            #expect(waited.texts == ["waited"] && waited.actions == ["setVariable"])
            let set = try await chat.say("7")
            #expect(set.texts == ["set 7"] && set.actions == ["httpRequestToExecute"])
            let bad = try await bench.proceed(chat.id, Bench.text("<html>"))
            #expect(bad.status == 400 && bad.body["message"] == "Provided response is not valid JSON")
            let asked = try await chat.say(#"{"statusCode":200,"data":{"name":"Ann"}}"#)
            #expect(asked.texts == ["asked Ann"] && asked.actions == ["listenForWebhook"])
            #expect(try await chat.send([:]).texts == ["heard"])
        }
    }

    @Test("an embed that waits stops the flow with neither input nor action, and keeps the next text")
    func embeds() async throws {
        try await Bench.with([
            .embed("https://example.com", waitsInto: "Answer"), .text("Got {{Answer}}"),
            .customEmbed("https://example.com"), .text("Bye"), .input(.text),
        ]) { bench in
            let chat = try await bench.start()
            #expect(chat.answer.bubbles == ["embed"] && chat.answer["input"] == nil && chat.answer.actions == [])
            let next = try await chat.say("done")
            #expect(next.texts == ["Got done"] && next.bubbles == ["text", "custom-embed"])
            #expect(try await chat.say("x").texts == ["Bye"])
        }
    }

    @Test("an action that no version has, and logs, can be played too")
    func others() async throws {
        try await Bench.with([.log("error", "HTTP request failed"), .text("a"), .input(.text)]) { bench in
            let answer = try await bench.start().answer
            #expect(answer["logs"]?.array?.first?["description"] == "HTTP request failed")
        }
    }
}
