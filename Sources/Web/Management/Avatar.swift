import Base
import Bitrix24
import Foundation

/// A bot's picture as the management API takes it.
enum Avatar {
    /// What a read shows in its place; sent back it changes nothing.
    static let shown = "••••"
    /// A request holds it in Base64 beside everything else.
    static let mostBytes = 512 * 1024

    static let schema: Members<JSON> = [
        "type": "string", "contentEncoding": "base64", "maxLength": .integer(Int64(mostBytes) * 4 / 3 + 100),
        "writeOnly": true,
    ]

    /// What is wrong with a value, or `nil`.
    static func fault(in value: JSON) -> String? {
        guard let text = value.string else { return "must be a text" }
        if text.isEmpty || text == shown { return nil }
        guard text.utf8.count <= mostBytes * 2, let image = image(in: text) else {
            return "must be Base64 of at most 512 KB"
        }
        if image.count > mostBytes { return "must not be larger than 512 KB" }
        return BotProfile.kind(ofImage: image) == nil ? "must be a PNG, JPEG, GIF or WebP image" : nil
    }

    /// The image of a text that has no fault; `nil` for an empty one. A page's `data:image/png;base64,` is taken off.
    static func image(in text: String) -> [UInt8]? {
        let encoded =
            text.hasPrefix("data:") ? text.firstIndex(of: ",").map { text[text.index(after: $0)...] } ?? "" : text[...]
        guard let data = Data(base64Encoded: String(encoded), options: .ignoreUnknownCharacters), !data.isEmpty else {
            return nil
        }
        return Array(data)
    }
}
