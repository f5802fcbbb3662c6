import Testing

@testable import Base

@Suite struct FormTests {
    private func decode(_ text: String) throws -> JSON { try Form.decode(Array(text.utf8)) }

    @Test(
        "a form is read as PHP reads it",
        arguments: [
            ("", [:]),
            ("a=1", ["a": "1"]),
            ("a", ["a": ""]),
            ("a=", ["a": ""]),
            ("a=b=c", ["a": "b=c"]),
            ("&&a=1&&", ["a": "1"]),
            ("a=1&a=2", ["a": "2"]),
            ("a+b=c+d", ["a b": "c d"]),
            ("a.b=1", ["a.b": "1"]),
            ("=x", [:]),
            ("[a]=x", [:]),
            ("++a=1", ["a": "1"]),
            (" a%5Bb%5D=1& a%5Bc%5D=2&+a%5Bd%5D=3", ["a": ["b": "1", "c": "2", "d": "3"]]),
            ("a[b]=1", ["a": ["b": "1"]]),
            ("a%5Bb%5D%5Bc%5D=1", ["a": ["b": ["c": "1"]]]),
            ("a%5Bb%5D=1&a%5Bc]d%5D=2", ["a": ["b": "1", "c": "2"]]),
            ("a%5Bb%5Dx%5Bc%5D=1&a%5Bb%5Dx%5Bd%5D=2", ["a": ["b": "2"]]),
            ("a[]=x&a[]=y", ["a": ["0": "x", "1": "y"]]),
            ("a[5]=x&a[]=y", ["a": ["5": "x", "6": "y"]]),
            ("a[05]=x&a[]=y", ["a": ["05": "x", "0": "y"]]),
            ("a[-3]=x&a[]=y", ["a": ["-3": "x", "0": "y"]]),
            ("a[k]=x&a[]=y", ["a": ["k": "x", "0": "y"]]),
            ("a[][x]=1&a[][x]=2", ["a": ["0": ["x": "1"], "1": ["x": "2"]]]),
            ("a[+]=x", ["a": ["0": "x"]]),
            ("a=1&a[b]=2", ["a": ["b": "2"]]),
            ("a[b]=1&a=2", ["a": "2"]),
            ("a[b]=1&a[b][c]=2&a[d]=3", ["a": ["b": ["c": "2"], "d": "3"]]),
            ("a[b=1", ["a_b": "1"]),
            ("a[=1", ["a_": "1"]),
            ("a[b][c=1", ["a": ["b": "1"]]),
            ("a[b]c=1", ["a": ["b": "1"]]),
            ("a[b]c[d]=1", ["a": ["b": "1"]]),
            ("a[[b]]=1", ["a": ["[b": "1"]]),
            ("a]=1", ["a]": "1"]),
            ("a=%", ["a": "%"]),
            ("a=%4", ["a": "%4"]),
            ("a=%4x%41", ["a": "%4xA"]),
            ("a=%zz", ["a": "%zz"]),
            ("a=%00", ["a": "\0"]),
            ("a=%D0%9F%d1%80", ["a": "Пр"]),
            ("a=%FF%41", ["a": "\u{FFFD}A"]),
            ("%FF=1", ["\u{FFFD}": "1"]),
        ] as [(String, JSON)])
    func asPHP(text: String, expected: JSON) throws {
        #expect(try decode(text) == expected)
    }

    @Test("an event of Bitrix24 keeps its bots and tokens apart")
    func event() throws {
        let form = try decode(
            "event=ONIMBOTMESSAGEADD&data%5BBOT%5D%5B55%5D%5BAUTH%5D%5Baccess_token%5D=t%2B1"
                + "&data%5BBOT%5D%5B56%5D%5BBOT_ID%5D=56&data%5BPARAMS%5D%5BMESSAGE%5D=Hello+%F0%9F%91%8B&ts=1")
        #expect(form["data"]?["BOT"]?["55"]?["AUTH"]?["access_token"] == "t+1")
        #expect(form["data"]?["BOT"]?["56"]?["BOT_ID"] == "56")
        #expect(form["data"]?["PARAMS"]?["MESSAGE"] == "Hello 👋")
    }

    @Test("invalid bytes in the body itself become replacement characters")
    func rawBytes() throws {
        #expect(try Form.decode([UInt8(ascii: "a"), UInt8(ascii: "="), 0xC3, 0x28]) == ["a": "\u{FFFD}("])
    }

    @Test("a body that is no contiguous memory is read as well")
    func lazyBytes() throws {
        #expect(try Form.decode(Array("b=1".utf8).lazy.map { $0 }) == ["b": "1"])
    }

    @Test("a form with more keys than allowed is refused, one with as many is read")
    func manyKeys() throws {
        let pairs = (0..<5_001).map { "k\($0)=v" }
        #expect(throws: FormError.tooManyKeys(limit: 5_000)) { try decode(pairs.joined(separator: "&")) }
        #expect(try decode(pairs.dropLast().joined(separator: "&")).object?.count == 5_000)
        #expect(try decode("x=1" + String(repeating: "&", count: 100_000)) == ["x": "1"])
    }

    @Test("a key nested deeper than allowed is refused, however deep")
    func deepKeys() throws {
        let allowed = "a" + String(repeating: "[b]", count: 32)
        var value = try decode(allowed + "=1")["a"]
        for _ in 0..<32 { value = value?["b"] }
        #expect(value == "1")
        #expect(throws: FormError.tooDeep(limit: 32)) { try decode(allowed + "[b]=1") }
        let escaped = (allowed + "[b]").replacing("[", with: "%5B").replacing("]", with: "%5D")
        #expect(throws: FormError.tooDeep(limit: 32)) { try decode(escaped + "=1") }
        #expect(throws: FormError.tooDeep(limit: 32)) { try Form.decode(Array((escaped + "=1").utf8), only: ["a"]) }
        #expect(throws: FormError.tooDeep(limit: 32)) {
            try decode("a" + String(repeating: "[]", count: 1_000_000) + "=1")
        }
    }

    @Test("the highest number of a list does not make the next one overflow")
    func highestNumber() throws {
        let form = try decode("a[9223372036854775807]=x&a[]=y")
        #expect(form["a"]?.object?.count == 1)
        #expect(try decode("a[99999999999999999999]=x&a[]=y") == ["a": ["99999999999999999999": "x", "0": "y"]])
    }

    @Test(
        "a value is written as http_build_query writes it",
        arguments: [
            ([:], ""),
            (["b": 1, "a": "x y&z"], "a=x%20y%26z&b=1"),
            (["a": true, "b": false, "c": nil, "d": [], "e": [:], "f": ""], "a=1&b=0&f="),
            (["a": ["b": ["c": "é"]]], "a%5Bb%5D%5Bc%5D=%C3%A9"),
            (["a": ["x", ["k": "y"]]], "a%5B0%5D=x&a%5B1%5D%5Bk%5D=y"),
            (["a": 1.5, "b": 2.0, "c": .number(.nan)], "a=1.5&b=2"),
            (["x", "y"], "0=x&1=y"),
            ("alone", ""),
        ] as [(JSON, String)])
    func written(value: JSON, expected: String) {
        #expect(Form.encode(value) == expected)
    }

    @Test("what was written is read back")
    func roundTrip() throws {
        let value: JSON = ["ключ": ["0": "a=b&c", "1": "%2B+\r\n", "deep": ["x": "😀"]], "~-._": "~-._"]
        #expect(try decode(Form.encode(value)) == value)
    }

    @Test("percent-encoding keeps unreserved characters alone")
    func percentEncoding() {
        #expect(Form.percentEncode("aZ09-._~ /?#é") == "aZ09-._~%20%2F%3F%23%C3%A9")
        #expect(Form.percentDecode("a%20b+c") == "a b+c")
        #expect(Form.percentDecode("a%20b+c", plusIsSpace: true) == "a b c")
        #expect(Form.percentDecode("%") == nil)
        #expect(Form.percentDecode("%4") == nil)
        #expect(Form.percentDecode("%+1") == nil)
        #expect(Form.percentDecode("%FF") == nil)
    }
}

@Suite("Forms: neighbouring keys")
struct NeighbouringKeysTests {
    @Test(
        "keys that share their beginning mean the same however they are written",
        arguments: [
            ["data[a][b]=1", "data[a][c]=2", "data[a][d][e]=3", "data[a][d][f]=4", "data[g]=5", "data[a][c]=6"],
            ["a[b][c]=1", "a[b][d]=2", "a[b]=x", "a[b][e]=3", "a[b][f]=4"],
            ["a[b][c]=1", "a[b][d]=2", "a[b][x=3", "a[b][e]=4", "a=5", "a[b][f]=6"],
            ["a[][b]=1", "a[][b]=2", "a[][c]=3", "a[0][d]=4", "a[5][x]=5", "a[][y]=6"],
            ["a[7]=x", "a[]=y", "a[9]=z", "a[]=w", "b[][]=1", "b[][]=2"],
            ["a[ ][x]=1", "a[ ][x]=2", "a[b c][d]=1", "a[b c][e]=2", "[x]=1", "[x][y]=2", "x[=3", "x[y=4"],
        ])
    func sameTree(pairs: [String]) throws {
        // Letters written as escapes take the way that knows no shortcut.
        let plain = pairs.map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return Form.percentEncode(String(parts[0])) + "=" + parts[1]
        }
        let escaped = pairs.map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return parts[0].utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "=" + parts[1]
        }
        #expect(
            try Form.decode(plain.joined(separator: "&").utf8) == Form.decode(escaped.joined(separator: "&").utf8))
    }

    @Test(
        "where only some values are wanted, the others are as if they had not been sent",
        arguments: [
            ("id=1&x=2&text=3", ["id": "1", "text": "3"]),
            ("a%5Bid%5D=1&a%5Bx%5D=2&a%5Btext%5D=3", ["a": ["id": "1", "text": "3"]]),
            ("a%5Bx%5D=2&a%5Btext%5D=3&a%5Bid%5D%5Bx%5D=4", ["a": ["text": "3"]]),
            ("a%5Bid%5D%5Btext%5D=1&a%5Bx%5D%5Bid%5D=2", ["a": ["id": ["text": "1"], "x": ["id": "2"]]]),
            ("a[x]=1&a[id]=2&b[x]=3", ["a": ["id": "2"]]),
            ("a%5Bid%5Dx%5Bc%5D=1&a%5Bc%5Dx%5Bid%5D=2", ["a": ["id": "1"]]),
            ("a%5B7%5D=x&a%5B%5D=y&a%5B-1%5D=z", ["a": ["7": "x", "8": "y", "-1": "z"]]),
            ("%69%64=1&a%5B%69d%5D=2&%78=3&a%5B%78%5D=4", ["id": "1", "a": ["id": "2"]]),
            ("a=1&a%5Bx%5D=2&id%5Bx=3", [:]),
        ] as [(String, JSON)])
    func wanted(text: String, expected: JSON) throws {
        let names: Names = ["id", "text"]
        let (tree, kept) = try Form.decode(Array(text.utf8), only: names)
        #expect(tree == expected)
        let again = try Form.decode(kept, only: names)
        #expect(again == (tree, kept))
    }
}
