import Base

/// Brings a person's files to where a flow reads them (`packages/blocks/fileInput/src/api`). Nothing in the flow moves by it, so
/// it may be repeated.
struct TypebotUploads {
    let connection: TypebotConnection
    let session: String

    /// Held in memory while it is sent on.
    private static let longestFile = 32 * 1024 * 1024

    /// From megabytes, as Typebot counts a file's size.
    static func bytes(_ megabytes: Double) -> Int? {
        guard megabytes > 0 else { return nil }
        return Int(min(megabytes * 1024 * 1024, Double(longestFile)))
    }

    /// - Returns: what the flow knows each by. One that it does not take, or that is too large, is left out and logged.
    /// - Throws: ``PlatformError``, `CancellationError`.
    func upload(_ files: [QuestionFile], to input: TypebotInput) async throws -> [String] {
        var links: [String] = []
        for file in files {
            do {
                links.append(try await upload(file, to: input))
            } catch let error as NotTaken {
                connection.log.warning(
                    "a file was not taken by a Typebot flow", ["name": .text(file.name), "reason": .text(error.reason)])
            } catch let error as CancellationError {
                throw error
            } catch {
                var fault = connection.fault(error)
                if fault.kind == .uncertain { fault.kind = .passing }
                throw fault
            }
        }
        return links
    }

    private struct NotTaken: Error { var reason: String }

    private struct Place {
        var upload: String
        var fields: [(name: String, value: String)]
        var type: String?
        var link: String
    }

    private func upload(_ file: QuestionFile, to input: TypebotInput) async throws -> String {
        let limit = input.longestFile ?? Self.longestFile
        let tooLarge = NotTaken(reason: "It is larger than \(limit / 1024 / 1024) MB.")
        if let size = file.size, size > limit { throw tooLarge }
        let content: [UInt8]
        do {
            content = try await file.access.content(atMost: limit)
        } catch let error as PlatformError where error.kind == .final {
            throw NotTaken(reason: error.message)
        }
        guard content.count <= limit else { throw tooLarge }
        let place = try await place(for: file, content.count, input)
        try await send(content, of: file, to: place)
        return place.link
    }

    private func place(for file: QuestionFile, _ size: Int, _ input: TypebotInput) async throws -> Place {
        var body: JSON = [
            "sessionId": .string(session), "blockId": .string(input.id), "fileName": .string(file.name),
            "fileSize": .integer(Int64(size)),
        ]
        body["fileType"] = type(of: file).map(JSON.string)
        let address = try connection.reachable()
        let answer: JSON
        do {
            answer = try await connection.post(address.api + "/v3/generate-upload-url", body).json
        } catch let refusal as TypebotRefusal where refusal.status == 400 {
            throw NotTaken(reason: refusal.message)
        }
        guard let upload = answer["presignedUrl"]?.saying, let link = answer["fileUrl"]?.saying else {
            throw PlatformError(.final, "Typebot named no place to put a file to.")
        }
        if let most = answer["maxFileSize"]?.double.flatMap(Self.bytes), size > most {
            throw NotTaken(reason: "It is larger than \(most / 1024 / 1024) MB.")
        }
        let fields = answer["formData"]?.object?.compactMap { field in
            field.value.string.map { (name: field.key, value: $0) }
        }
        return Place(
            upload: upload.hasPrefix("/") ? address.origin + upload : upload,
            fields: (fields ?? []).sorted { $0.name < $1.name }, type: answer["fileType"]?.saying ?? type(of: file),
            link: link)
    }

    /// Without fields the bytes are put as they are; a form is refused there.
    private func send(_ content: [UInt8], of file: QuestionFile, to place: Place) async throws {
        var request: HTTPClient.Request
        if place.fields.isEmpty {
            request = HTTPClient.Request(.put, place.upload, body: content, trust: trust(place.upload))
            request.headers.add("Content-Type", place.type ?? MediaType.unknown.rawValue)
            request.headers.add("Cache-Control", "public, max-age=86400")
        } else {
            let fields = place.fields.map { Multipart.Part(name: $0.name, body: Array($0.value.utf8)) }
            let form = Multipart.encode(
                fields + [Multipart.Part(name: "file", filename: file.name, contentType: place.type, body: content)])
            request = HTTPClient.Request(.post, place.upload, body: form.body, trust: trust(place.upload))
            request.headers.add("Content-Type", form.contentType)
        }
        let answer = try await connection.http.send(request)
        switch answer.status {
        case 200..<300: return
        case 429, 500...: throw PlatformError(.passing, "Typebot's file store answered \(answer.status).")
        default: throw NotTaken(reason: "The file store answered \(answer.status).")
        }
    }

    /// An address found in an answer is trusted as Typebot itself only where it is of the same origin.
    private func trust(_ url: String) -> HTTPClient.Trust {
        HTTPClient.isSameOrigin(url, connection.address?.origin ?? "") ? connection.trust : .publicOnly
    }

    /// As Typebot knows it: a flow may allow only some types, and compares their names.
    private func type(of file: QuestionFile) -> String? {
        switch file.mediaType.rawValue {
        case MediaType.unknown.rawValue: nil
        case "audio/mp3", "audio/mpga": "audio/mpeg"
        case "audio/m4a": "audio/mp4"
        default: file.mediaType.rawValue
        }
    }
}
