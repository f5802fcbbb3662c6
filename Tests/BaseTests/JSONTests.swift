import Foundation
import Testing

@testable import Base

@Suite struct JSONTests {
    private func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    @Test(
        "each kind of value is told apart",
        arguments: [
            ("null", nil), ("true", true), ("false", false), ("0", 0), ("1", 1), ("-7", -7), ("1.0", 1), ("1e2", 100),
            ("0.1", 0.1), ("-2.5e-3", -0.0025), ("\"\"", ""), ("[]", []), ("{}", [:]),
            ("[true,1,1.5,\"1\",null]", [true, 1, 1.5, "1", nil]),
            ("{\"a\":{\"b\":[0,false]}}", ["a": ["b": [0, false]]]), (" \n[ 1 , 2 ]\t", [1, 2]),
            ("9223372036854775807", 9_223_372_036_854_775_807), ("-9223372036854775808", -9_223_372_036_854_775_808),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)),
            ("12345678901234567890123", .number(Double("12345678901234567890123")!)),
            ("0.7682376249867957", 0.7682376249867957), ("0.30000000000000004", 0.30000000000000004),
            ("1.7976931348623157e308", 1.7976931348623157e308), ("5e-324", .number(.leastNonzeroMagnitude)),
            ("0.1234567890123456789012345", 0.1234567890123456789012345),
        ] as [(String, JSON)])
    func kinds(text: String, expected: JSON) throws {
        #expect(try parse(text) == expected)
    }

    @Test(
        "escapes are resolved; half a surrogate pair and invalid UTF-8 become replacement characters",
        arguments: [
            (#""\u0000""#, "\0"), (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00 \\ud83d""#, "😀 \\ud83d"),
            (#""a\/\b\f\n\r\t""#, "a/\u{8}\u{c}\n\r\t"),
            (#""x\ud83d""#, "x\u{FFFD}"), (#""\ude00x""#, "\u{FFFD}x"), (#""\ude00\ud83d!""#, "\u{FFFD}\u{FFFD}!"),
            (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"), (#""\ud83d\n""#, "\u{FFFD}\n"),
        ])
    func escapes(text: String, expected: String) throws {
        #expect(try parse(text).string == expected)
        #expect(try JSON(parsing: [34, 0x61, 0xFF, 34]).string == "a\u{FFFD}")
    }

    @Test(
        "what is no JSON is refused",
        arguments: [
            "", " ", "nul", "01", "+1", "1.", "[1", "[1 2]", "{\"a\"}", "{a:1}", "'a'", "\"\u{1}\"", "\"\\x\"",
            "\"\\ud83",
            "[] x", "NaN", "1e999", "\\ud800",
        ])
    func refused(text: String) {
        #expect(throws: DecodingError.self) { try parse(text) }
    }

    @Test("a bomb of 100,000 nested lists or objects is refused and does no harm")
    func depthBomb() {
        let count = 100_000
        for bomb in [
            String(repeating: "[", count: count),
            String(repeating: "[", count: count) + String(repeating: "]", count: count),
            String(repeating: "{\"a\":", count: count) + "1" + String(repeating: "}", count: count),
        ] {
            #expect(throws: DecodingError.self) { try parse(bomb) }
        }
    }

    @Test(
        "values are written compactly with sorted names",
        arguments: [
            (nil, "null"), (true, "true"), (-5, "-5"), (0.1, "0.1"), (1.0, "1"), (.number(1e300), "1e+300"),
            (.number(.infinity), "null"), (.number(-.infinity), "null"), (.number(.nan), "null"), (.number(-0.0), "0"),
            ("a\"\\/\n\r\t\u{1}\u{7F}", #""a\"\\/\n\r\t\u0001\u007f""#), ("é — 😀 Привет", #""é — 😀 Привет""#),
            ("\u{85}\u{9B}\u{A0}\u{2028}\u{2029}\u{202A}", "\"\\u0085\\u009b\u{A0}\\u2028\\u2029\u{202A}\""),
            ([], "[]"), ([:], "{}"), ([1, [nil]], "[1,[null]]"), (["b": 1, "a": ["c": []]], #"{"a":{"c":[]},"b":1}"#),
        ] as [(JSON, String)])
    func written(value: JSON, expected: String) {
        #expect(value.text == expected)
    }

    @Test("what must be escaped is, wherever it stands in a text")
    func escapedAnywhere() {
        let expected = [
            "\u{0}": #"\u0000"#, "\u{1F}": #"\u001f"#, "\"": #"\""#, "\\": #"\\"#, "\u{7F}": #"\u007f"#,
            "\u{80}": #"\u0080"#, "\u{9F}": #"\u009f"#, "\u{2028}": #"\u2028"#, "\u{2029}": #"\u2029"#,
        ]
        for letter in [" ", "~", "я", "\u{A0}", "—", "😀"] {
            for count in 0..<10 {
                let (before, after) = (String(repeating: letter, count: count), String(repeating: letter, count: 9))
                #expect(JSON.string(before).text == "\"" + before + "\"")
                for (character, escaped) in expected {
                    #expect(JSON.string(before + character).text == "\"" + before + escaped + "\"")
                    #expect(JSON.string(before + character + after).text == "\"" + before + escaped + after + "\"")
                }
            }
        }
    }

    @Test("what was written is read back the same, by any reader")
    func roundTrip() throws {
        let members = (0..<2_000).map {
            (
                "name \($0) é\u{0}\u{2028}",
                JSON.array([.integer($0), .number((Double($0) + 0.5) / 7), .string("\($0)\n")])
            )
        }
        let value = JSON.object(Members(members))
        #expect(try JSON(parsing: value.bytes) == value)
        #expect(try JSONDecoder().decode(JSON.self, from: Data(value.bytes)) == value)
    }

    @Test("a value inside a decodable type keeps its kinds")
    func inDecodable() throws {
        struct Holder: Codable, Equatable { var value: JSON }
        let holder = Holder(value: [true, 1, 0, false, 1.5, "x", nil, ["a": []]])
        #expect(try JSONDecoder().decode(Holder.self, from: JSONEncoder().encode(holder)) == holder)
    }

    @Test("names of members are read in their order, whatever stands between them")
    func memberNames() {
        func names(_ text: String) -> [String] { JSON.names(at: ["data", "outputs"], in: Array(text.utf8)) }
        #expect(
            names(#" { "x" : [ {"data":1}, "}" ] , "data" : {"a":"\"{","outputs" : {"z":1 ,"é\n":[[]],"a":{"b":{}}}}}"#)
                == ["z", "é\n", "a"])
        #expect(names(#"{"data":{"outputs":null}}"#).isEmpty)
        #expect(names(#"{"data":{"outputs":{"a":1,"b":"#) == ["a", "b"])
        for broken in ["", "{", "[", #"{"data""#, #"{"data":{"outputs":{"a"#, #"{"data":}"#, "\"\\", "nul"] {
            #expect(names(broken).isEmpty)
        }
        let deep = String(repeating: "[", count: 200_000)
        #expect(names(#"{"data":{"x":\#(deep)"#).isEmpty)
    }

    @Test("where only some members are wanted, they are read and the others passed over, whatever is in them")
    func wantedMembers() throws {
        func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8), only: ["answer", "id"]) }
        #expect(try parse(#"{"event":"message","answer":"Hi","id":1}"#) == ["answer": "Hi", "id": 1])
        #expect(
            try parse(#" { "x" : [1,{"answer":"}\""}], "y":-1e3 ,"id":null, "answer" : {"a\n":["b"]} } "#)
                == ["id": nil, "answer": ["a\n": ["b"]]])
        #expect(try parse("{}") == [:])
        #expect(try parse(#"[{"a":1}]"#) == [["a": 1]])
        let deep = String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)
        #expect(try parse(#"{"x":\#(deep),"id":2}"#) == ["id": 2])
        for broken in [
            "", "{", #"{"x""#, #"{"x":"#, #"{"x":}"#, #"{"x":,"id":1}"#, #"{"x":]}"#, #"{"x":[}"#, #"{"x":"a}"#,
            #"{"id":1} x"#, #"{"id":1,}"#, #"{"id":[}"#,
        ] {
            #expect(throws: DecodingError.self) { try parse(broken) }
        }
    }
}
