import Testing

@testable import Bitrix24

@Suite("Markdown as BB code")
struct BBCodeTests {
    @Test(
        "each kind of markup has its counterpart",
        arguments: [
            ("plain text", "plain text"),
            ("**bold** and *italic* and ~~gone~~", "[b]bold[/b] and [i]italic[/i] and [s]gone[/s]"),
            ("***both***", "[i][b]both[/b][/i]"),
            ("run `make`", "run [code]make[/code]"),
            ("```swift\nlet a = b[0]\n\nprint(a)\n```", "[code]let a = b[0]\n\nprint(a)[/code]"),
            ("[Bitrix24](https://bitrix24.com)", "[url=https://bitrix24.com]Bitrix24[/url]"),
            ("see https://a.example/x_y_z*w now", "see https://a.example/x_y_z*w now"),
            ("<https://a.example>", "https://a.example"),
            ("[https://a.example](https://a.example)", "https://a.example"),
            ("[file](docs/a.md)", "file (docs/a.md)"),
            ("[x](javascript:alert)", "x"),
            ("[x](https://a.example/?q[0]=1)", "[url=https://a.example/?q%5B0%5D=1]x[/url]"),
            ("![A cat](https://a.example/cat.png)", "[url=https://a.example/cat.png]A cat[/url]"),
            ("![](https://a.example/cat.png)", "[url=https://a.example/cat.png]https://a.example/cat.png[/url]"),
            ("[![A cat](https://a.example/cat.png)](https://a.example)", "[url=https://a.example]A cat[/url]"),
            ("# Title\n\nText", "[b]Title[/b]\n\nText"),
            ("## **Title**\nText", "[b]Title[/b]\nText"),
            ("Title\n=====\nText", "[b]Title[/b]\nText"),
            ("- a\n- b\n  - c\n  - d\n- e", "• a\n• b\n    • c\n    • d\n• e"),
            ("3. a\n4. b", "3. a\n4. b"),
            ("Choose:\n1. one\n2. two\n\nThen go.", "Choose:\n1. one\n2. two\n\nThen go."),
            ("- [ ] open\n- [x] done", "☐ open\n☑ done"),
            ("- a\n  more", "• a\n  more"),
            ("> said\n> so\n\nI agree", ">>said\n>>so\n\nI agree"),
            ("> one\n>\n> two", ">>one\n>>\n>>two"),
            ("> one\n\n> two", ">>one\n\n>>two"),
            ("| A | B |\n|---|---|\n| 1 | 2 |\n| 3 | **4** |", "[b]A | B[/b]\n1 | 2\n3 | [b]4[/b]"),
            ("a\n\n\n\n\nb", "a\n\nb"),
            ("a  \nb\\\nc\nd", "a\nb\nc\nd"),
            ("a\n\n---\n\nb", "a\n\n———\n\nb"),
            ("5 < 6 && 7 > 2", "5 < 6 && 7 > 2"),
            ("&lt;b&gt; &amp; &copy;", "<b> & ©"),
            ("a <b>bold</b><br>line", "a <b>bold</b>\nline"),
            ("2 * 3 * 4 = 24, snake_case_name", "2 * 3 * 4 = 24, snake_case_name"),
            ("\\*not italic\\*", "*not italic*"),
            ("  \n text \n\n", "text"),
            ("line\r\nline", "line\nline"),
            ("", ""),
        ])
    func rendered(markdown: String, expected: String) async {
        #expect(await BBCode.render(markdown: markdown) == expected)
    }

    @Test(
        "Bitrix24's own markup, written by the bot, is kept",
        arguments: [
            "[b]bold[/b] [i]x[/i]", "[url=https://a.example/a_b_c]text[/url]", "[send=/help]Help[/send]",
            "[code]a * b * c\n\n# no title[/code]", "Use [code]x*y*z[/code] here", "[user=12]Anna[/user], hello",
            "an array[0] and [brackets] survive", "[note]: this is important", "[1]: https://a.example/nobody-refers",
            ">>quoted",
        ])
    func kept(text: String) async {
        #expect(await BBCode.render(markdown: text) == text)
    }

    @Test("a link's target may stand apart")
    func reference() async {
        let text = "See [the docs][1].\n\n[1]: https://a.example/docs"
        #expect(await BBCode.render(markdown: text) == "See [url=https://a.example/docs]the docs[/url].")
    }

    @Test("a table of 2,000 columns stays text")
    func wideTable() async {
        let row = "|" + String(repeating: " a |", count: 2_000)
        let table = row + "\n|" + String(repeating: "-|", count: 2_000) + "\n" + row
        let rendered = await BBCode.render(markdown: table)
        #expect(rendered == table)
    }

    @Test("a table of more than 200 rows stays text")
    func longTable() async {
        let table = "| a | b |\n|---|---|\n" + String(repeating: "| 1 | 2 |\n", count: 300)
        #expect(await BBCode.render(markdown: table).hasPrefix("| a | b |\n|---|---|\n| 1 | 2 |"))
    }

    @Test("a text above 100 KB is sent plain")
    func longText() async {
        let text = String(repeating: "**bold** ", count: 12_000)
        #expect(await BBCode.render(markdown: text) == String(text.dropLast()))
    }

    @Test("text of every kind comes back tidy, and nothing crashes")
    func randomText() async {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "*", "**", "_", "`", "```\n", "[", "](", ")", "!", "|", "|-|-|\n", "\n", "\n\n", "> ", "- ", "1. ", "# ",
            "~~",
            "<", ">", "&amp;", "\\", "\0", "\r", "é", "👩‍👩‍👧", "[b]", "[/b]", "[code]", "[/code]", "http://a.example/",
            "www.a.b",
            "a@b.c", "\t", "    ", "word ", "[x]: y", "<br>", "<!--", "[ ] ",
        ]
        for round in 0..<400 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &generator) {
                if round % 2 == 0 {
                    bytes += pieces.randomElement(using: &generator)!.utf8
                } else {
                    bytes.append(.random(in: 0...255, using: &generator))
                }
            }
            let rendered = await BBCode.render(markdown: String(decoding: bytes, as: UTF8.self))
            #expect(!rendered.contains("\n\n\n"))
            #expect(rendered.first != "\n" && rendered.last != "\n" && rendered.last != " ")
        }
    }

    @Test("deep nesting is rendered, not followed into the stack's end")
    func deepNesting() async {
        for piece in [">", "- ", "*a ", "[", "![", "1. ", "**a", "_a*", "<", "~~a", "`", "a@b.c "] {
            _ = await BBCode.render(markdown: String(repeating: piece, count: 3_000))
        }
    }
}

@Suite("Cutting long texts")
struct BBCodeSplitTests {
    @Test("a text that fits is left alone")
    func short() { #expect(BBCode.split("héllo", limit: 5) == ["héllo"]) }

    @Test("the cut is at a paragraph's end, else a line's, a sentence's, a word's")
    func places() {
        #expect(BBCode.split("aaaa bb.\n\ncccc dd", limit: 12) == ["aaaa bb.", "cccc dd"])
        #expect(BBCode.split("aaaa bb.\ncccc dd", limit: 12) == ["aaaa bb.", "cccc dd"])
        #expect(BBCode.split("aaaa bb. cccc dd", limit: 12) == ["aaaa bb.", "cccc dd"])
        #expect(BBCode.split("aaaa bbb cccc dd", limit: 12) == ["aaaa bbb", "cccc dd"])
        #expect(BBCode.split("aaaaaaaaaaaaaaaa", limit: 12) == ["aaaaaaaaaaaa", "aaaa"])
    }

    @Test("tags are closed at a cut and opened again")
    func tags() {
        let pieces = BBCode.split("[b]aaaaaaaaa bbbbbbbbb ccccccccc[/b]", limit: 20)
        #expect(pieces == ["[b]aaaaaaaaa[/b]", "[b]bbbbbbbbb[/b]", "[b]ccccccccc[/b]"])
    }

    @Test("a program keeps its indentation where it is cut, and other text begins without spaces")
    func code() {
        #expect(
            BBCode.split("[code]if x:\n    first line\n        second\n    third[/code]", limit: 40)
                == ["[code]if x:\n    first line[/code]", "[code]        second\n    third[/code]"])
        #expect(BBCode.split("[b]aaaaaaaaaa bbbbbbb\n    ccccccccccc[/b]", limit: 30).last == "[b]ccccccccccc[/b]")
    }

    @Test("no piece is too long and no word is lost, whatever the text")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let words = [
            "word", "[b]", "[/b]", "[code]", "[/code]", "[url=https://a.example/x]", "[/url]", "\n", "\n\n", ".",
            "👩‍👩‍👧", "longerword", "[", "é",
        ]
        for _ in 0..<200 {
            let text = (0..<120).map { _ in words.randomElement(using: &generator)! }.joined(separator: " ")
            let small = Int.random(in: 8...100, using: &generator)
            #expect(BBCode.split(text, limit: small).allSatisfy { $0.unicodeScalars.count <= small })
            let limit = Int.random(in: 100...400, using: &generator)
            let pieces = BBCode.split(text, limit: limit)
            #expect(pieces.allSatisfy { $0.unicodeScalars.count <= limit })
            func count(_ text: String, _ word: String) -> Int { text.ranges(of: word).count }
            for word in ["longerword", "é", "👩‍👩‍👧"] {
                #expect(count(pieces.joined(separator: " "), word) == count(text, word))
            }
        }
    }

    @Test("20,000 characters and more are cut quickly enough to be cut at all")
    func long() {
        let text = String(repeating: "A sentence of some words. ", count: 4_000)
        let pieces = BBCode.split(text)
        #expect(pieces.count == 6 && pieces.allSatisfy { $0.hasSuffix(".") && $0.hasPrefix("A") })
    }
}
