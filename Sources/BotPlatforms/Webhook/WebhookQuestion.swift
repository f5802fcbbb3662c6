import Base
import Foundation

/// The body of a webhook's request (`docs/webhook-bots.md`).
struct WebhookQuestion: Sendable {
    let json: JSON

    /// Of one file, and of all of a question.
    private static let mostBytesOfFile = 5 * 1024 * 1024
    private static let mostBytes = 10 * 1024 * 1024

    /// - Throws: ``PlatformError`` of the kind `passing` when a file cannot be fetched now: nothing was asked yet.
    init(_ question: Question, _ options: WebhookOptions) async throws {
        var variables = question.variables
        if options.sendsTokens { variables.merge(question.tokens.mapValues { $0.reveal() }) }
        var files: [JSON] = []
        var left = Self.mostBytes
        for file in question.files { files.append(try await Self.described(file, options, left: &left)) }
        json = [
            "id": .string(question.id), "event": .string(question.kind.rawValue),
            "message": [
                "id": question.variables["MESSAGE_ID"].map(JSON.string) ?? .null, "text": .string(question.text),
            ],
            "chosen": .array(question.chosen.map { ["text": .string($0.label), "value": .string($0.value)] }),
            "variables": .object(variables.mapValues(JSON.string)), "files": .array(files),
            "session": question.session?.data[WebhookAnswer.sessionKey] ?? .null, "user": .string(question.user),
        ]
    }

    private static func described(
        _ file: QuestionFile, _ options: WebhookOptions, left: inout Int
    ) async throws -> JSON {
        var json: JSON = [
            "id": .string(file.id), "name": .string(file.name), "type": .string(file.mediaType.rawValue),
            "size": file.size.map { .integer(Int64($0)) } ?? .null,
        ]
        if options.sendsTokens, let link = try await unlessFinal({ try await file.access.link() }) {
            json["url"] = .string(link)
        }
        let limit = min(left, mostBytesOfFile)
        if options.sendsFiles, file.size ?? 0 <= limit, limit > 0,
            let content = try await unlessFinal({ try await file.access.content(atMost: limit) })
        {
            left -= content.count
            json["content"] = .string(Data(content).base64EncodedString())
        }
        return json
    }

    /// `nil` where a file cannot be had at all: then the bot gets the question without it.
    private static func unlessFinal<Value>(_ fetch: () async throws -> Value) async throws -> Value? {
        do {
            return try await fetch()
        } catch let error as PlatformError where error.kind == .final {
            return nil
        } catch let error as PlatformError {
            throw PlatformError(.passing, error.message, retryAfter: error.retryAfter)
        }
    }
}
