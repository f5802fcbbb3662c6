import Base

/// Files: where they may be put, and putting them there.
/// Documentation: `packages/blocks/fileInput/src/api`, `packages/lib/src/s3`.
extension SimulatedTypebot {
    func generateUploadURL(_ request: HTTPRequest) throws -> HTTPResponse {
        let body = (try? JSON(parsing: request.body)) ?? .null
        for name in ["sessionId", "blockId", "fileName"] where body[name]?.string == nil {
            throw TypebotMessage.invalid(name)
        }
        guard let state = records.withLock({ $0.sessions[body["sessionId"]?.string ?? ""] })?.state else {
            throw TypebotError.badRequest("Can't find session")
        }
        guard let block = state.current else {
            throw TypebotError.badRequest("Can't find currentBlockId in session state")
        }
        guard case .input(let input) = block.kind, input.takesUploads else {
            throw TypebotError.badRequest("Current block does not expect file upload")
        }
        let type = body["fileType"]?.string ?? "application/octet-stream"
        let allowed = input.options["allowedFileTypes"]
        if allowed?["isEnabled"]?.bool == true, let types = allowed?["types"]?.array?.compactMap(\.string),
            !types.isEmpty,
            !TypebotFileTypes(types).allows(type: type)
        {
            throw TypebotError.badRequest("File type \(type) not allowed")
        }
        let limit = input.options["sizeLimit"]?.integer.flatMap { Int(exactly: $0) } ?? settings.uploadLimit
        if let size = body["fileSize"]?.integer, size > Int64(limit) * 1024 * 1024 {
            throw TypebotError.badRequest("File size exceeds the \(limit)MB limit")
        }
        return ticket(for: block, of: state, type: type, limit: limit)
    }

    private func ticket(for block: Block, of state: TypebotState, type: String, limit: Int) -> HTTPResponse {
        let name = Self.randomID() + (TypebotFileTypes.ending(of: type).map { "." + $0 } ?? "")
        let path = "public/typebots/\(state.flow.id)/results/\(state.resultID ?? "preview")/blocks/\(block.id)/\(name)"
        let url = "\(origin)/files/\(path)"
        let token = Vault.randomToken()
        records.withLock { $0.tickets[token] = .init(url: url, type: type, megabytes: limit) }
        let form: JSON =
            settings.uploadsByForm
            ? ["key": .string(path), "Content-Type": .string(type), "policy": .string(token)] : [:]
        return .json(
            [
                "presignedUrl": .string(settings.uploadsByForm ? "\(origin)/bucket" : "\(origin)/api/uploads/\(token)"),
                "formData": form, "fileType": .string(type), "maxFileSize": .integer(Int64(limit)),
                "fileUrl": .string(url),
            ], status: 200)
    }

    /// The raw bytes by `PUT`.
    func upload(_ request: HTTPRequest) throws -> HTTPResponse {
        let token: String = try request.parameter("token")
        guard let ticket = records.withLock({ $0.tickets[token] }) else {
            return .text("Invalid upload URL", status: 403)
        }
        return keep(request.body, ticket)
    }

    /// A form by `POST`: the fields that were given first, the file last.
    func uploadForm(_ request: HTTPRequest) throws -> HTTPResponse {
        let parts = (try? Multipart.decode(request.body, contentType: request.headers["Content-Type"] ?? "")) ?? []
        let fields = Dictionary(
            parts.dropLast().map { ($0.name, String(decoding: $0.body, as: UTF8.self)) }, uniquingKeysWith: { $1 })
        guard let file = parts.last, file.name == "file", let token = fields["policy"],
            let ticket = records.withLock({ $0.tickets[token] }), fields["Content-Type"] == ticket.type,
            let key = fields["key"], ticket.url.hasSuffix(key)
        else {
            return .text("<Error><Code>AccessDenied</Code></Error>", status: 403, type: "application/xml")
        }
        return keep(file.body, ticket)
    }

    private func keep(_ body: [UInt8], _ ticket: TypebotRecords.Ticket) -> HTTPResponse {
        if body.count > ticket.megabytes * 1024 * 1024 { return .text("File size limit exceeded", status: 413) }
        records.withLock {
            $0.keep(Upload(url: ticket.url, type: ticket.type, body: body), bound: settings.uploads)
        }
        return HTTPResponse(status: 204)
    }

    /// An uploaded file.
    func file(_ request: HTTPRequest) throws -> HTTPResponse {
        let url = origin + request.path
        guard let file = records.withLock({ $0.uploads.last { $0.url == url } }) else {
            return .text("Not found", status: 404)
        }
        return HTTPResponse(status: 200, headers: ["Content-Type": file.type], body: .bytes(file.body))
    }
}

extension SimulatedTypebot.Input {
    fileprivate var takesUploads: Bool {
        kind == .file
            || kind == .text && (isOn("attachments") || isOn("audioClip"))
    }

    private func isOn(_ option: String) -> Bool { options[option]?["isEnabled"]?.bool == true }
}
