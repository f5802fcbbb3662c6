/// A key, token or password. Printing, logging or interpolating it shows `••••1234`; only ``reveal()`` gives the text,
/// so that each place where a secret leaves can be found by that name. Deliberately not `Codable`.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    public init(_ text: String) { self.text = text }

    /// The secret itself.
    public func reveal() -> String { text }

    public var isEmpty: Bool { text.isEmpty }

    /// `••••` and the last four characters; only the dots if the text has fewer than twelve.
    public var masked: String { text.count < 12 ? "••••" : "••••" + text.suffix(4) }

    public var description: String { masked }
    public var debugDescription: String { masked }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension StringProtocol {
    /// The beginning, cut where no word is: half a secret would not be found again where secrets are hidden.
    public func cutBetweenWords(at most: Int) -> String {
        var beginning = prefix(most)
        guard beginning.endIndex < endIndex else { return String(self) }
        while let last = beginning.last, last.isLetter || last.isNumber || "-_.~+/%".contains(last) {
            beginning.removeLast()
        }
        return beginning + "…"
    }
}
