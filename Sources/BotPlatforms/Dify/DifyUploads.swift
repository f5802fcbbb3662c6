import Base
import Foundation

/// Files of a person on their way into a question.
struct DifyAttachments: Sendable {
    /// For the message itself.
    var files: [JSON] = []
    /// For variables.
    var inputs: Members<JSON> = [:]
    /// Names of those that the app does not take.
    var leftOut: [String] = []
}

/// A place for files that is being filled.
private struct DifyFileSlot {
    /// `nil`: the message.
    var variable: DifyInputForm.Field?
    var rule: DifyFileRule
    var taken: [JSON] = []

    func type(of file: QuestionFile) -> DifyFileType? { taken.count < rule.count ? rule.type(of: file) : nil }

    func put(into attachments: inout DifyAttachments) {
        guard let first = taken.first else { return }
        switch variable {
        case nil: attachments.files = taken
        case let field?: attachments.inputs[field.variable] = field.isList ? .array(taken) : first
        }
    }
}

extension DifyApp {
    /// Uploads what the app takes. A workflow's files go into the first variable for files, those of other apps with the
    /// message; each has the other way as its second choice. What the app does not take is left out.
    /// - Throws: as ``DifyApp/beforeAsking(_:_:)``.
    func attachments(of question: Question, _ parameters: DifyParameters?) async throws -> DifyAttachments {
        var attachments = DifyAttachments()
        guard !question.files.isEmpty else { return attachments }
        var slots: [DifyFileSlot] = []
        if let field = parameters?.form?.fileFields.first, let rule = field.files {
            slots.append(DifyFileSlot(variable: field, rule: rule))
        }
        if let rule = parameters?.files {
            slots.insert(DifyFileSlot(rule: rule), at: kind == .workflow ? slots.count : 0)
        }
        for file in question.files {
            guard let index = slots.firstIndex(where: { $0.type(of: file) != nil }),
                let type = slots[index].type(of: file),
                let uploaded = try await upload(file, as: type, of: question, parameters?.sizes)
            else {
                attachments.leftOut.append(file.name)
                continue
            }
            slots[index].taken.append(uploaded)
        }
        for slot in slots { slot.put(into: &attachments) }
        return attachments
    }

    /// - Returns: how the file is named in a request; `nil` where it is too large, gone, or refused.
    func upload(
        _ file: QuestionFile, as type: DifyFileType, of question: Question, _ sizes: DifyFileSizes?
    ) async throws -> JSON? {
        let limit = (sizes ?? DifyFileSizes([:])).limit(of: file)
        guard let content = try await content(of: file, atMost: limit, question) else { return nil }
        let parts = [
            Multipart.Part(
                name: "file", filename: file.difyName, contentType: file.mediaType.rawValue, body: content),
            Multipart.Part(name: "user", body: Array(question.user.utf8)),
        ]
        let answer = try await beforeAsking(question) { try await sent("/files/upload", parts) }
        guard let id = answer?["id"]?.string else { return nil }
        return ["type": .string(type.rawValue), "transfer_method": "local_file", "upload_file_id": .string(id)]
    }

    /// What was said in a voice message; `nil` where the question is none, or Dify cannot tell.
    /// Documentation: the contract's `/audio-to-text`.
    func transcript(of question: Question, _ parameters: DifyParameters?) async throws -> String? {
        guard parameters?.hearsSpeech == true, let file = question.voice, let type = file.speechType,
            let content = try await content(of: file, atMost: 30 * 1024 * 1024, question)
        else { return nil }
        let parts = [
            Multipart.Part(name: "file", filename: file.difyName, contentType: type, body: content),
            Multipart.Part(name: "user", body: Array(question.user.utf8)),
        ]
        let answer = try await beforeAsking(question) { try await sent("/audio-to-text", parts) }
        let text = answer?["text"]?.string?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        return text.isEmpty ? nil : text
    }

    private func content(of file: QuestionFile, atMost limit: Int, _ question: Question) async throws -> [UInt8]? {
        if let size = file.size, size > limit { return nil }
        return try await beforeAsking(question) {
            do {
                let content = try await file.access.content(atMost: limit)
                return content.count <= limit ? content : nil
            } catch let error as PlatformError where error.kind == .final {
                leftOut(error.message)
                return nil
            }
        }
    }

    /// - Returns: `nil` where Dify refuses this file; other refusals concern the question as well.
    private func sent(_ path: String, _ parts: [Multipart.Part]) async throws -> JSON? {
        do {
            return try await connection.upload(path, parts)
        } catch let refusal as DifyRefusal where [400, 413, 415].contains(refusal.status) {
            leftOut(refusal.error.message)
            return nil
        }
    }

    private func leftOut(_ reason: String) {
        log.warning("a file was not passed to the bot", ["reason": .text(reason)])
    }
}

extension Question {
    /// The audio file of a message that is nothing else.
    fileprivate var voice: QuestionFile? {
        guard files.count == 1, let file = files.first, file.mediaType.isAudio || file.speechType != nil else {
            return nil
        }
        return text.isEmpty || text.hasPrefix("File sent: ") ? file : nil
    }

    /// The text, with a line for each file that is not passed on and that it does not name.
    func difyText(leavingOut names: [String]) -> String {
        names.reduce(difyText) { text, name in
            if text.contains(name) { return text }
            return text.isEmpty ? "File sent: \(name)" : "\(text)\nFile sent: \(name)"
        }
    }
}

extension QuestionFile {
    /// The type under which Dify listens to it: it refuses the usual `audio/mpeg`.
    fileprivate var speechType: String? {
        Self.speechTypes[mediaType.rawValue] ?? (mediaType.isVideo ? nil : Self.speechTypes["audio/\(difyEnding)"])
    }

    private static let speechTypes = [
        "audio/mp3": "audio/mp3", "audio/mpeg": "audio/mp3", "audio/m4a": "audio/m4a", "audio/mp4": "audio/m4a",
        "audio/x-m4a": "audio/m4a", "audio/wav": "audio/wav", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav",
        "audio/vnd.wave": "audio/wav", "audio/amr": "audio/amr", "audio/mpga": "audio/mpga",
    ]
}
