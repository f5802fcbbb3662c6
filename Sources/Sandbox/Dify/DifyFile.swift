import Base

/// A file that an app made, as its outputs and messages show it.
struct DifyFile: Sendable {
    let id = Vault.randomUUID()
    let url: String
    let type: String

    private var name: String {
        let path = url.prefix { $0 != "?" && $0 != "#" }
        return path.split(separator: "/").last.map(String.init) ?? "file"
    }

    private var ending: String { name.contains(".") ? "." + (name.split(separator: ".").last ?? "") : "" }

    private var mimeType: String {
        switch ending {
        case ".png": "image/png"
        case ".csv": "text/csv"
        case ".txt": "text/plain"
        case ".pdf": "application/pdf"
        default: "application/octet-stream"
        }
    }

    /// In the outputs of a run, its `files`, and those of `message_end`.
    var json: JSON {
        [
            "dify_model_identity": "__dify__file__", "id": nil, "related_id": .string(id), "type": .string(type),
            "transfer_method": "tool_file", "filename": .string(name), "extension": .string(ending),
            "mime_type": .string(mimeType), "size": 0, "remote_url": nil, "url": .string(url),
        ]
    }

    /// The members of the contract's `MessageFileItem`.
    var messageJSON: JSON {
        [
            "id": .string(id), "filename": .string(name), "type": .string(type), "url": .string(url),
            "mime_type": .string(mimeType), "size": 0, "transfer_method": "tool_file", "belongs_to": "assistant",
            "upload_file_id": nil,
        ]
    }
}
