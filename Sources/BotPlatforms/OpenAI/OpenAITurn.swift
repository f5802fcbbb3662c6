import Base
import Foundation

/// What a person says now: text, and images where the model sees them.
struct OpenAITurn: Sendable {
    /// As the request has it.
    var content: JSON
    /// As the history keeps it: without images.
    var text: String

    /// Images in one question, each, and together.
    private static let mostImages = 4
    private static let mostBytesOfImage = 5 * 1024 * 1024
    private static let mostBytes = 10 * 1024 * 1024

    /// Files that cannot be shown to the model are named to it.
    /// - Throws: ``PlatformError`` of the kind `passing` when a file cannot be fetched now: nothing was asked yet.
    init(_ question: Question, seesImages: Bool) async throws {
        var images: [JSON] = []
        var names: [String] = []
        var left = Self.mostBytes
        for file in question.files {
            let image =
                seesImages && images.count < Self.mostImages
                ? try await Self.image(file, atMost: min(left, Self.mostBytesOfImage)) : nil
            if let image {
                left -= image.bytes
                images.append(["type": "image_url", "image_url": ["url": .string(image.url)]])
            }
            names.append("[\(image == nil ? "File" : "Image"): \(file.name)]")
        }
        let unnamed = zip(question.files, names).filter { !question.text.contains($0.0.name) }.map(\.1)
        text = ([question.text] + unnamed).filter { !$0.isEmpty }.joined(separator: "\n")
        content = images.isEmpty ? .string(text) : .array([["type": "text", "text": .string(text)]] + images)
    }

    /// As a `data:` link; `nil` if it is no image that models take, or cannot be had.
    private static func image(_ file: QuestionFile, atMost limit: Int) async throws -> (url: String, bytes: Int)? {
        guard file.mediaType.isImage || file.mediaType == .unknown, limit > 0, file.size ?? 0 <= limit else {
            return nil
        }
        do {
            let bytes = try await file.access.content(atMost: limit)
            guard let type = imageType(bytes) else { return nil }
            return ("data:\(type);base64,\(Data(bytes).base64EncodedString())", bytes.count)
        } catch let error as PlatformError where error.kind == .final {
            return nil
        } catch let error as PlatformError {
            throw PlatformError(.passing, error.message, retryAfter: error.retryAfter)
        }
    }

    /// By the first bytes: what a name says may be wrong.
    private static func imageType(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return "image/png" }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return "image/jpeg" }
        if bytes.starts(with: Array("GIF8".utf8)) { return "image/gif" }
        if bytes.starts(with: Array("RIFF".utf8)), bytes.dropFirst(8).starts(with: Array("WEBP".utf8)) {
            return "image/webp"
        }
        return nil
    }
}
