import Foundation

/// Mends what programs write as JSON though no parser takes it: a text that was cut inside a character.
enum JSONRepair {
    /// The same text with U+FFFD for invalid UTF-8 and for escapes of half a surrogate pair; `nil` if it has neither.
    static func repair(_ data: Data) -> Data? {
        var bytes = Array(String(decoding: data, as: UTF8.self).utf8)
        let escapes = replaceLoneSurrogates(in: &bytes)
        let result = Data(bytes)
        return escapes || result != data ? result : nil
    }

    private static func replaceLoneSurrogates(in bytes: inout [UInt8]) -> Bool {
        var found = false
        var index = 0
        while index + 1 < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            switch unit(bytes, index) {
            case .some(0xD800..<0xDC00) where (0xDC00..<0xE000).contains(unit(bytes, index + 6) ?? 0):
                index += 12
            case .some(0xD800..<0xE000):
                bytes.replaceSubrange(index + 2..<index + 6, with: "fffd".utf8)
                found = true
                index += 6
            default:
                index += 2
            }
        }
        return found
    }

    /// The UTF-16 unit of the escape `\uXXXX` at `index`.
    private static func unit(_ bytes: [UInt8], _ index: Int) -> UInt16? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        return UInt16(String(decoding: bytes[index + 2..<index + 6], as: UTF8.self), radix: 16)
    }
}
