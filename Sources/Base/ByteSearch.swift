import Foundation

extension String {
    /// Whether the bytes of `needle` occur in it. For the way of every message: Foundation's own search compares characters,
    /// which costs many times as much.
    public func hasBytes(of needle: String) -> Bool {
        var (text, needle) = (self, needle)
        return text.withUTF8 { bytes in needle.withUTF8 { bytes.holds($0) } }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Sound: reads within the bounds of both, while their owners lend them.
    fileprivate func holds(_ sought: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = sought.first, let whole = sought.baseAddress else { return true }
        guard let base = baseAddress else { return false }
        var start = 0
        while start + sought.count <= count,
            let found = memchr(base + start, Int32(first), count - sought.count - start + 1)
        {
            if memcmp(found, whole, sought.count) == 0 { return true }
            start = UnsafeRawPointer(found) - UnsafeRawPointer(base) + 1
        }
        return false
    }
}
