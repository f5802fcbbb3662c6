import Base
import Synchronization

/// Where `/chat/completions` is on a server: servers, and those who write down their addresses, differ in `/v1`.
///
/// An address that ends in a version (`/v1`, `/v1beta`) or in `/chat/completions` is taken as it is; to any other `/v1` is
/// added. Where that is not found the other form is tried once, and the one that works is remembered.
final class OpenAIAddress: Sendable {
    private static let route = "/chat/completions"

    /// The more likely one first.
    let forms: [String]
    private let known = Mutex<Int?>(nil)

    init(_ url: String) {
        let query = url.firstIndex(of: "?").map { String(url[$0...]) } ?? ""
        var base = String(url.prefix { $0 != "?" })
        while base.hasSuffix("/") { base.removeLast() }
        let segments = base.split(separator: "/", omittingEmptySubsequences: false)
        if base.hasSuffix(Self.route) {
            forms = [base + query]
        } else if let last = segments.last, segments.count > 3, Self.isVersion(last) {
            forms = [base, String(base.dropLast(last.count + 1))].map { $0 + Self.route + query }
        } else {
            forms = [base + "/v1", base].map { $0 + Self.route + query }
        }
    }

    /// What is to be tried, in this order.
    var candidates: [String] { known.withLock { $0 }.map { [forms[$0]] } ?? forms }

    func remember(_ form: String) { known.withLock { $0 = forms.firstIndex(of: form) } }

    private static func isVersion(_ segment: Substring) -> Bool {
        let digits = segment.dropFirst()
        return segment.first?.lowercased() == "v" && digits.first?.isWholeNumber == true
            && digits.allSatisfy { $0.isLetter || $0.isNumber || $0 == "." }
    }
}
