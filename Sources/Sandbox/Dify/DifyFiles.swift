import Base

extension DifyCall {
    /// Documentation: the contract's `/files/upload`; its example of a file's name with a slash is an `invalid_param`.
    func upload() throws -> HTTPResponse {
        let parts: [Multipart.Part]
        do { parts = try Multipart.decode(request.body, contentType: request.headers["Content-Type"] ?? "") } catch {
            throw DifyError(status: 400, code: "no_file_uploaded", message: "Please upload your file.")
        }
        let files = parts.filter { $0.name == "file" }
        guard let file = files.first else {
            throw DifyError(status: 400, code: "no_file_uploaded", message: "Please upload your file.")
        }
        if files.count > 1 {
            throw DifyError(status: 400, code: "too_many_files", message: "Only one file is allowed.")
        }
        guard let name = file.filename, !name.isEmpty else {
            throw DifyError(
                status: 400, code: "filename_not_exists_error", message: "The specified filename does not exist.")
        }
        guard let type = file.contentType, !type.isEmpty else {
            throw DifyError(status: 415, code: "unsupported_file_type", message: "File type not allowed.")
        }
        guard !name.contains("/"), !name.contains("\\") else {
            throw DifyError.invalid("Filename contains invalid characters")
        }
        if file.body.count > limit(of: type) * 1024 * 1024 {
            throw DifyError(status: 413, code: "file_too_large", message: "")
        }
        let user = optionalUser(
            parts.first { $0.name == "user" }.map { String(decoding: $0.body, as: UTF8.self) })
        let id = Vault.randomUUID()
        dify.records.withLock { $0.addFile(id, .init(appID: app.id, user: user)) }
        return uploaded(file, id: id, name: name, type: type, user: user)
    }

    private func uploaded(_ file: Multipart.Part, id: String, name: String, type: String, user: String) -> HTTPResponse
    {
        .dify(status: 201) { out in
            out.member("id", id)
            out.member("reference", nil as String?)
            out.member("name", name)
            out.member("size", file.body.count)
            out.member("extension", name.contains(".") ? name.split(separator: ".").last.map(String.init) : nil)
            out.member("mime_type", type)
            out.member("created_by", SimulatedDify.endUserID(app: app, user: user))
            out.member("created_at", Int(dify.settings.clock.now.rawValue / 1000))
            out.member("preview_url", nil as String?)
            out.member("source_url", "\(dify.origin)/files/\(id)/file-preview")
            out.member("original_url", nil as String?)
            out.member("user_id", nil as String?)
            out.member("tenant_id", app.id)
            out.member("conversation_id", nil as String?)
            out.member("file_key", nil as String?)
        }
    }

    /// Megabytes.
    private func limit(of type: String) -> Int {
        switch type.prefix(while: { $0 != "/" }) {
        case "image": 10
        case "audio": 50
        case "video": 100
        default: 15
        }
    }
}
