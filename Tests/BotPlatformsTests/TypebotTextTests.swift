import Base
import Bitrix24
import Testing

@testable import BotPlatforms

@Suite("A text bubble is shown in Bitrix24 as it was written")
struct TypebotTextTests {
    private typealias F = Flow

    private func shown(_ elements: [JSON]) async -> String {
        await BBCode.render(markdown: TypebotRichText.markdown(elements))
    }

    private func item(_ children: JSON...) -> JSON { F.element("li", children) }
    private func words(_ text: String) -> JSON { F.element("lic", [F.leaf(text)]) }

    @Test(
        "signs that mean something in Markdown stay signs",
        arguments: [
            "2 * 3 * 4 and **not bold**, snake_case_name, _x_", "# no heading", "- no list", "+ no list", "1. no list",
            "1) no list", "> no quote", "---", "===", "a | b\n--- | ---\n1 | 2", "`no code` ~~~ ```", "<b>no tag</b>",
            "&amp; &copy; AT&T", "[no](link) ![no](picture)", "[x]: https://a.example", "back\\slash \\* end\\",
            "~~not struck~~", "Hello!", "5 < 6 > 2", "a@b_c.example", "1\n2. two", "[b]bold[/b]", "x [code]a*b[/code]",
            "Wait... what?! (yes)", "C:\\temp\\_x_", "100% $5 ^2 {a} \"q\" 'p'", "naïve 👩‍👩‍👧 текст",
        ])
    func plain(text: String) async {
        #expect(await shown([F.p([F.leaf(text)])]) == text)
        #expect(await BBCode.render(markdown: TypebotRichText.escaped(text)) == text)
    }

    @Test(
        "addresses stay whole",
        arguments: [
            "see https://a.example/x_y_z*w?a=1&b=2#c now", "(https://a.example/a_(b))", "https://a.example.",
            "http://a.example/_x_, https://b.example/_y_!", "www.a.example/x_y_z", "«https://a.example/ж»",
        ])
    func addresses(text: String) async {
        #expect(await shown([F.p([F.leaf(text)])]) == text)
        #expect(await shown([F.p([F.leaf(text, "bold")])]) == "[b]\(text)[/b]")
    }

    @Test("marks hold wherever a word is cut, and may cover each other")
    func marks() async {
        let text = F.p([
            F.leaf("a"), F.leaf("b*", "bold"), F.leaf("c"), F.leaf(" (d) ", "italic"), F.leaf("e", "underline"),
            F.leaf("f", "strikethrough"), F.leaf("g", "bold", "italic", "underline", "strikethrough"),
            F.leaf("", "bold"), F.leaf("h", "italic"), F.leaf("i\nj", "italic"),
        ])
        #expect(
            await shown([text])
                == "a[b]b*[/b]c[i] (d) [/i][u]e[/u][s]f[/s][b][i][u][s]g[/s][/u][/i][/b][i]hi\nj[/i]")
        #expect(await shown([F.p([F.leaf("1) "), F.leaf("Hello world <3", "bold")])]) == "1) [b]Hello world <3[/b]")
        #expect(await shown([F.p([F.leaf("x", "bold"), F.leaf("(y): z")])]) == "[b]x[/b](y): z")
        #expect(
            await shown([F.p([F.leaf("(y)", "bold"), F.leaf("!"), F.link("https://a.example", "z")])])
                == "[b](y)[/b]![url=https://a.example]z[/url]")
    }

    @Test("links have their text, also a marked one; one that leads nowhere is its text")
    func links() async {
        let marked: JSON = ["type": "a", "url": "https://a.example/a b(c)_d_", "children": [F.leaf("x_[1]", "bold")]]
        #expect(
            await shown([F.p([F.leaf("see "), marked, F.leaf("!")])])
                == "see [url=https://a.example/ab(c)_d_][b]x_[1][/b][/url]!")
        #expect(await shown([F.p([F.link("https://a.example", "")])]) == "https://a.example")
        #expect(await shown([F.p([F.link("a.example/x", "here")])]) == "[url=https://a.example/x]here[/url]")
        #expect(await shown([F.p([F.link("mailto:a@b.example", "mail")])]) == "[url=mailto:a@b.example]mail[/url]")
        #expect(await shown([F.p([F.link("javascript:x", "text")])]) == "text")
        #expect(await shown([F.p([["type": "a", "children": [F.leaf("text")]]])]) == "text")
        #expect(await shown([F.p([F.link("https://a.example/?q=1", "https://a.example/?q=1")])]).contains("q=1"))
    }

    @Test("paragraphs are lines, and an empty one is an empty line")
    func paragraphs() async {
        #expect(await shown([F.p([F.leaf("a")]), F.p([F.leaf("b")])]) == "a\nb")
        #expect(await shown([F.p([F.leaf("a")]), F.p([F.leaf("")]), F.p([F.leaf("b")])]) == "a\n\nb")
        #expect(await shown([F.p([F.leaf("a\nb")]), F.p([]), F.p([F.leaf("  c\r\nd")])]) == "a\nb\n\nc\nd")
    }

    @Test("lists keep their numbers and their lists within")
    func lists() async {
        let inner = F.element("ul", [item(words("x")), item(words("y*"))])
        let list = F.element("ol", [item(words("one")), item(words("two"), inner), item(words("three"))])
        #expect(
            await shown([F.p([F.leaf("Choose:")]), list]) == "Choose:\n1. one\n2. two\n    • x\n    • y*\n3. three")
        #expect(await shown([list, F.p([F.leaf("end")])]).hasSuffix("3. three\n\nend"))
        let short = F.element("ol", [item(words("a"))])
        #expect(await shown([short, short, F.element("ul", [item(words("b"))])]) == "1. a\n1. a\n• b")
        let deep = F.element(
            "ul", [item(words("1"), F.element("ul", [item(words("2"), F.element("ol", [item(words("3"))]))]))])
        #expect(await shown([deep]) == "• 1\n    • 2\n        1. 3")
        #expect(
            await shown([F.element("ul", [F.element("li", [F.leaf("bare")]), item(F.p([F.leaf("p")]))])])
                == "• bare\n• p")
    }

    @Test("what a variable brought is shown where it stands")
    func variables() async {
        let name = F.p([F.leaf("Ann")])
        #expect(await shown([F.p([F.leaf("Hi "), name, F.leaf("!")])]) == "Hi Ann!")
        #expect(await shown([F.p([F.leaf("Hi "), name, F.p([F.leaf("Bob")])])]) == "Hi Ann\nBob")
        #expect(await shown([name, F.element("ul", [item(words("a"))])]) == "Ann\n• a")
        #expect(await shown([F.p([F.leaf("List: "), F.element("ul", [item(words("a"))])])]) == "List:\n• a")
        #expect(await shown([F.leaf("bare "), F.leaf("text", "bold")]) == "bare [b]text[/b]")
        #expect(await shown([F.element("h2", [F.leaf("Title")]), F.p([F.leaf("text")])]) == "[b]Title[/b]\ntext")
        #expect(await shown([F.element("blockquote", [F.p([F.leaf("said")])]), F.p([F.leaf("so")])]) == ">>said\n\nso")
        let code = F.element(
            "code_block", [F.element("code_line", [F.leaf("a * b")]), F.element("code_line", [F.leaf("c_d_")])])
        #expect(await shown([code]) == "[code]a * b\nc_d_[/code]")
        #expect(await shown([F.p([F.leaf("run "), F.leaf("a_b_c", "code")])]) == "run [code]a_b_c[/code]")
        let styled: JSON = ["type": "p", "indent": 1, "listStyleType": "disc", "children": [F.leaf("dot")]]
        #expect(await shown([styled, styled]) == "• dot\n• dot")
        let row = F.element("tr", [F.element("td", [F.p([F.leaf("a")])]), F.element("td", [F.p([F.leaf("b")])])])
        #expect(await shown([F.element("table", [row, row])]) == "a | b\na | b")
        #expect(await shown([F.p([F.leaf("a")]), F.element("hr", []), F.p([F.leaf("b")])]) == "a\n———\nb")
    }

    @Test("a word to BitBot on a line of its own stays one")
    func directive() {
        #expect(
            TypebotRichText.markdown([F.p([F.leaf("Bye")]), F.p([F.leaf("[[operator:17]]")])]) == "Bye\n[[operator:17]]"
        )
    }

    @Test("odd elements lose nothing else")
    func odd() async {
        let odd: [JSON] = [7, nil, [], "x", ["type": 5], ["type": "p"], ["type": "p", "children": "no"], ["text": 3]]
        #expect(await shown(odd + [F.p([F.leaf("still here")])] + odd) == "still here")
        let style: JSON = ["type": "p", "listStyleType": "decimal", "indent": "nan", "children": [F.leaf("dot")]]
        #expect(await shown([style]) == "1. dot")
        var nested = F.p([F.leaf("deep")])
        for type in ["p", "ul", "li", "blockquote"] {
            for _ in 0..<100 { nested = F.element(type, [nested]) }
        }
        #expect(await shown([nested]).contains("deep"))
        var list = F.leaf(String(repeating: "x\n", count: 1_000))
        for _ in 0..<100 { list = F.element("ul", [F.element("li", [list])]) }
        #expect(TypebotRichText.markdown([list]).utf8.count < 100_000)
    }

    @Test("the markdown form is taken as it is, underlines included")
    func markdownForm() async throws {
        let parts = TypebotBubble.parts([
            "id": "b", "type": "text", "content": ["type": "markdown", "markdown": "**a** <u>b</u> ~~c~~"],
        ])
        #expect(parts == [.text("**a** [u]b[/u] ~~c~~"), .nextMessage])
        #expect(await BBCode.render(markdown: "**a** [u]b[/u] ~~c~~") == "[b]a[/b] [u]b[/u] [s]c[/s]")
    }
}
