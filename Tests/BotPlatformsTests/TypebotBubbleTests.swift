import Base
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("Bubbles of a Typebot flow arrive in order, each as what it is", .keepsContracts)
struct TypebotBubbleTests {
    private func bubble(_ type: String, _ content: JSON, id: String = "b") -> JSON {
        ["id": .string(id), "type": .string(type), "content": content]
    }

    @Test("pictures, sounds and videos are files, by their name or their kind")
    func files() {
        let image = TypebotBubble.parts(bubble("image", ["url": "https://a.example/i/My%20cat.png?s=1#x"]))
        #expect(
            image == [
                .file(ReplyFile(url: "https://a.example/i/My%20cat.png?s=1#x", name: "My cat.png")), .nextMessage,
            ])
        let audio = TypebotBubble.parts(bubble("audio", ["url": "https://a.example/", "isAutoplayEnabled": true]))
        #expect(audio == [.file(ReplyFile(url: "https://a.example/", name: "audio")), .nextMessage])
        let video = TypebotBubble.parts(bubble("video", ["url": "http://a.example/v.mp4", "type": "url"]))
        #expect(video == [.file(ReplyFile(url: "http://a.example/v.mp4", name: "v.mp4")), .nextMessage])
        let data = TypebotBubble.parts(bubble("image", ["url": "data:image/png;base64,AAAA"]))
        #expect(data == [.file(ReplyFile(url: "data:image/png;base64,AAAA", name: "image.png")), .nextMessage])
    }

    @Test("a picture with a link shows both")
    func clickLink() {
        let parts = TypebotBubble.parts(
            bubble(
                "image",
                ["url": "https://a.example/x.png", "clickLink": ["url": "https://b.example", "alt": "Our *shop*"]]))
        #expect(parts.count == 3 && parts[1] == .text(#"[Our \*shop\*](<https://b.example>)"#))
    }

    @Test("what is a page is a link")
    func links() {
        func text(_ type: String, _ content: JSON) -> ReplyPart? { TypebotBubble.parts(bubble(type, content)).first }
        #expect(
            text("video", ["type": "youtube", "id": "abc", "url": "https://youtu.be/abc"])
                == .text("<https://youtu.be/abc>"))
        #expect(text("video", ["type": "youtube", "id": "a b"]) == .text("<https://www.youtube.com/watch?v=a%20b>"))
        #expect(text("video", ["type": "vimeo", "id": "7"]) == .text("<https://vimeo.com/7>"))
        #expect(text("video", ["url": "https://a.example/watch"]) == .text("<https://a.example/watch>"))
        #expect(text("embed", ["url": "https://a.example/form", "height": 400]) == .text("<https://a.example/form>"))
        #expect(
            text("custom-embed", ["url": "https://a.example", "initFunction": [:]]) == .text("<https://a.example>"))
    }

    @Test(
        "what has nothing to show is no message",
        arguments: [
            ["type": "text", "content": ["type": "richText", "richText": []]],
            [
                "type": "text",
                "content": ["type": "richText", "richText": [["type": "p", "children": [["text": " "]]]]],
            ],
            ["type": "text", "content": ["type": "richText"]], ["type": "text"], ["type": "text", "content": nil],
            ["type": "text", "content": ["type": "markdown", "markdown": "\n "]], ["type": "image", "content": [:]],
            ["type": "image", "content": ["url": ""]], ["type": "image", "content": ["url": 7]],
            ["type": "image", "content": ["url": "/relative.png"]], ["type": "video", "content": ["type": "tiktok"]],
            ["type": "audio", "content": []], ["type": "embed", "content": ["url": "javascript:alert(1)"]],
            ["type": "custom-embed", "content": ["initFunction": ["content": "x", "args": [:]]]],
            ["type": "unheard-of"],
            [:], nil, 7, "x", [],
        ] as [JSON])
    func nothing(bubble: JSON) {
        #expect(TypebotBubble.parts(bubble).isEmpty)
    }

    @Test("pauses and redirects stand where the flow has them; what a chat cannot do is left out")
    func actions() async throws {
        func wait(_ seconds: JSON, after id: JSON) -> JSON {
            ["type": "wait", "wait": ["secondsToWaitFor": seconds], "lastBubbleBlockId": id]
        }
        let answer = TypebotAnswer(
            Flow.next(
                [Flow.says("a", id: "1"), Flow.rich([], id: "2"), Flow.says("c", id: "3")],
                actions: [
                    ["type": "wait", "wait": ["secondsToWaitFor": 3]], wait(1.5, after: "1"), wait(0, after: "1"),
                    wait("2", after: "2"), wait(1e300, after: "3"), wait(nil, after: "3"), wait(1, after: "elsewhere"),
                    [
                        "type": "redirect", "redirect": ["url": "shop.example/x", "isNewTab": true],
                        "lastBubbleBlockId": "3",
                    ],
                    ["type": "pixel", "pixel": [:]], ["type": "scriptToExecute"], ["type": "new"], [:], 7,
                ]))
        #expect(
            answer?.parts == [
                .pause(.seconds(3)), .pause(.seconds(1)), .text("a"), .nextMessage, .pause(.milliseconds(1500)),
                .pause(.seconds(2)), .text("c"), .nextMessage, .pause(.seconds(3600)),
                .text("<https://shop.example/x>"), .nextMessage,
            ])
    }

    @Test("one odd bubble loses none of the others, and a hundred are no trouble")
    func hundred() async throws {
        let bubbles: [JSON] = (0..<100).map {
            $0 % 10 == 3 ? ["id": 5, "type": []] : Flow.says("Number \($0)", id: "\($0)")
        }
        let server = try await ScriptedTypebot.playing(Flow.start(bubbles, input: Flow.asksText))
        let heard = try await server.bot().hear(Stage.question("hello"))
        #expect(heard.texts.count == 90)
        #expect(heard.texts.first == "Number 0" && heard.texts.last == "Number 99")
        await server.stop()
    }

    @Test(
        "wrong types in the answer are read as far as they can be",
        arguments: [
            ["sessionId": "s1", "messages": nil, "input": nil], ["sessionId": "s1", "messages": "x", "logs": 7],
            ["sessionId": "s1", "messages": [], "clientSideActions": [:], "input": ["type": 7]],
            ["sessionId": "s1", "messages": [:], "input": "x", "unheardOf": [nil]],
        ] as [JSON])
    func wrongTypes(answer: JSON) async throws {
        let server = try await ScriptedTypebot.playing(answer)
        let heard = try await server.bot().hear(Stage.question("hello"))
        #expect(heard.error == nil && heard.texts.isEmpty && heard.hasEnded)
        await server.stop()
    }
}
