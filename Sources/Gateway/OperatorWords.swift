import Base

/// The words by which a customer asks for an operator, by language: `{"en": ["operator"]}`. What is set is all there is;
/// an empty list switches them off. A word counts in whatever language the portal speaks.
public struct OperatorWords: Sendable, Equatable {
    public static let standard = OperatorWords([
        "operator", "human", "agent", "live agent", "real person", "talk to a human", "talk to an operator",
        "оператор", "человек", "живой человек", "позовите оператора", "соедините с оператором",
        "связаться с оператором",
    ])
    private let words: Set<String>

    private init(_ words: some Sequence<String>) {
        self.words = Set(words.prefix(1_000).map(Self.plain).filter { !$0.isEmpty })
    }

    /// What is wrong with a setting, or `nil`.
    static func fault(in json: JSON) -> String? {
        guard let languages = json.object, languages.count <= 50 else {
            return "must be an object with a list of words for each language"
        }
        let isRight = languages.values.allSatisfy { list in
            list.isNull
                || list.array.map { words in
                    words.count <= 100 && words.allSatisfy { ($0.string?.count ?? .max) <= 200 }
                } == true
        }
        return isRight ? nil : "must hold lists of at most 100 texts of at most 200 characters"
    }

    /// `nil` for what cannot be read.
    public init?(_ json: JSON) {
        guard let languages = json.object else { return nil }
        self.init(languages.values.flatMap { $0.array?.compactMap(\.string) ?? [] })
    }

    /// Whether the whole message is one of the words, whatever its case and punctuation.
    public func contain(_ message: String) -> Bool {
        !words.isEmpty && message.utf8.count <= 500 && words.contains(Self.plain(message))
    }

    private static func plain(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return plainASCII(text) }
        return text.lowercased().unicodeScalars.split { !$0.isInWord }.map { String($0) }.joined(separator: " ")
    }

    /// The same at less cost: it is done with each message.
    private static func plainASCII(_ text: String) -> String {
        var plain: [UInt8] = []
        plain.reserveCapacity(text.utf8.count)
        var endsWord = false
        for byte in text.utf8 {
            let small = byte | 0x20
            guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(small) || (0x30...0x39).contains(byte) else {
                endsWord = !plain.isEmpty
                continue
            }
            if endsWord { plain.append(0x20) }
            endsWord = false
            plain.append(small)
        }
        return String(decoding: plain, as: UTF8.self)
    }
}

extension Unicode.Scalar {
    /// Letters and digits, and the marks that are put on them.
    fileprivate var isInWord: Bool {
        if isASCII { return ("a"..."z").contains(self) || ("0"..."9").contains(self) }
        return switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber, .spacingMark:
            true
        // The others make pictures of characters.
        case .nonspacingMark: !properties.isVariationSelector
        default: false
        }
    }
}
