/// A few names that are looked for among many, by their bytes.
public struct Names: Sendable, ExpressibleByArrayLiteral {
    /// By their lengths.
    private let names: [[(mark: Mark, name: String)]]

    public init(arrayLiteral names: String...) { self.init(names) }

    public init(_ names: some Sequence<String>) {
        var ofLength: [[(Mark, String)]] = []
        for var name in names {
            let mark = name.withUTF8 { Mark($0) }
            while ofLength.count <= name.utf8.count { ofLength.append([]) }
            ofLength[name.utf8.count].append((mark, name))
        }
        self.names = ofLength
    }

    public static func + (_ some: Names, _ more: Names) -> Names {
        Names((some.names + more.names).joined().map(\.name))
    }

    /// The name that these bytes are, if it is one of them.
    func name(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard bytes.count < names.count else { return nil }
        let mark = Mark(bytes)
        for candidate in names[bytes.count] where candidate.mark == mark {
            if bytes.count <= 16 || candidate.name.utf8.elementsEqual(bytes) { return candidate.name }
        }
        return nil
    }

    /// The first and the last eight bytes of a name: of up to sixteen they are all, compared in two steps.
    private struct Mark: Equatable {
        let first: UInt64
        let last: UInt64

        init(_ bytes: UnsafeBufferPointer<UInt8>) {
            if bytes.count >= 8 {
                let bytes = UnsafeRawBufferPointer(bytes)
                first = bytes.loadUnaligned(as: UInt64.self)
                last = bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
            } else {
                first = bytes.reduce(0) { $0 << 8 | UInt64($1) }
                last = 0
            }
        }
    }
}
