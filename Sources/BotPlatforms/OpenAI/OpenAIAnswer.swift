import Base
import Foundation

/// Puts an answer together from a stream's events, or from a whole one.
///
/// What clients trip over: `[DONE]` is no JSON; the last event may have no choices; the first text is empty, later ones may
/// be `null`; an error may come inside a 200.
struct OpenAIAnswer {
    private(set) var text = ""
    private var finishReason: String?
    private var isDone = false
    private let decoder = JSONDecoder()

    private struct Chunk: Decodable {
        struct Choice: Decodable {
            var delta: Said?
            var message: Said?
            var finishReason: String?
            var index: Int?

            private enum CodingKeys: String, CodingKey {
                case delta, message, index
                case finishReason = "finish_reason"
            }
        }
        var choices: [Choice]?
    }

    /// A piece, or a whole message.
    private struct Said: Decodable {
        var text: String

        private enum CodingKeys: String, CodingKey { case content, refusal }
        private struct Part: Decodable { var text: String? }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            text = (try? fields.decode(String.self, forKey: .content)) ?? ""
            if text.isEmpty, let parts = try? fields.decode([Part].self, forKey: .content) {
                text = parts.compactMap(\.text).joined()
            }
            if text.isEmpty { text = (try? fields.decode(String.self, forKey: .refusal)) ?? "" }
        }
    }

    /// Takes the data of the next event.
    /// - Returns: the text that it adds; `nil` when the answer is whole.
    /// - Throws: ``OpenAIRefusal``, ``PlatformError``.
    mutating func take(_ data: String) throws -> String? {
        if data.isEmpty { return "" }
        if data.utf8.elementsEqual("[DONE]".utf8) {
            isDone = true
            return nil
        }
        let bytes = Data(data.utf8)
        // Only what may be an error is read as such: of pieces there are many.
        if data.contains("\"error\"") || data.contains("\"detail\""), let json = try? JSON(parsing: bytes),
            json["choices"] == nil || json["error"]?.isNull == false, var refusal = OpenAIRefusal(event: json)
        {
            refusal.saidNothing = text.isEmpty
            throw refusal
        }
        guard let chunk = try? decoder.decode(Chunk.self, from: bytes) else {
            throw PlatformError(
                .uncertain,
                "An event of the server's stream could not be read: \(PlatformAnswers.excerpt(Array(bytes)))")
        }
        return add(chunk)
    }

    /// Takes an answer that was not streamed.
    /// - Throws: ``OpenAIRefusal``, ``PlatformError``.
    mutating func take(whole body: [UInt8]) throws -> String {
        guard let json = try? JSON(parsing: body), json.object != nil else {
            throw PlatformError(
                .final,
                "The server's answer is no JSON: this is no interface like OpenAI's; its address often ends with /v1.")
        }
        if json["choices"] == nil, let refusal = OpenAIRefusal(event: json) { throw refusal }
        guard json["choices"]?.array != nil, let chunk = try? decoder.decode(Chunk.self, from: Data(body)) else {
            throw PlatformError(.final, "The server's answer has no choices: this is no interface like OpenAI's.")
        }
        isDone = true
        return add(chunk)
    }

    private mutating func add(_ chunk: Chunk) -> String {
        guard let choice = chunk.choices?.first(where: { ($0.index ?? 0) == 0 }) else { return "" }
        if let reason = choice.finishReason, !reason.isEmpty { finishReason = reason }
        let more = (choice.delta ?? choice.message)?.text ?? ""
        text += more
        return more
    }

    /// Call when nothing follows.
    /// - Throws: ``PlatformError`` if the answer is not whole, or is none.
    func checkEnd() throws {
        guard isDone || finishReason != nil else {
            throw PlatformError(.uncertain, "The server's stream ended before the answer was whole.")
        }
        guard text.isEmpty, let finishReason, finishReason != "stop" else { return }
        switch finishReason {
        case "content_filter": throw PlatformError(.final, "The provider's content filter kept the answer back.")
        case "length": throw PlatformError(.final, "The model used up its tokens before it said anything.")
        default: throw PlatformError(.final, "The model gave no text (finish_reason \(finishReason.prefix(50))).")
        }
    }
}
