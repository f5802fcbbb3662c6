import Base
import Testing

@Suite("Searching bytes")
struct ByteSearchTests {
    @Test(
        "a text is found where its bytes occur, at any place, and only there",
        arguments: [
            ("say [[operator]]", "[[", true), ("[[", "[[", true), ("[ [", "[[", false), ("", "x", false),
            ("x", "", true),
            ("", "", true), ("привет", "вет", true), ("привет", "ветер", false), ("a\0b", "\0b", true),
        ])
    func found(text: String, needle: String, isThere: Bool) {
        #expect(text.hasBytes(of: needle) == isThere)
    }
}
