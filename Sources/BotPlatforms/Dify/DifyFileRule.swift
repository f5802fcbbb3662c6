import Base

/// The types under which Dify takes files. Each has endings of its own; Dify refuses a file under a type that is not its.
/// Documentation: the contract's `InputFileObject`; `en/cloud/use-dify/nodes/user-input.mdx`.
enum DifyFileType: String, Sendable, CaseIterable {
    case image, document, audio, video, custom

    /// - Parameter ending: in small letters, without the dot.
    init(ending: String) {
        self = Self.allCases.first { $0.endings.contains(ending) } ?? .custom
    }

    private var endings: Set<String> {
        switch self {
        case .image: ["jpg", "jpeg", "png", "gif", "webp", "svg"]
        case .document:
            [
                "txt", "markdown", "md", "mdx", "pdf", "html", "htm", "xlsx", "xls", "vtt", "properties", "doc", "docx",
                "csv", "eml", "msg", "pptx", "ppt", "xml", "epub",
            ]
        case .audio: ["mp3", "m4a", "wav", "amr", "mpga"]
        case .video: ["mp4", "mov", "mpeg", "webm"]
        case .custom: []
        }
    }
}

/// Which files one place of an app takes: its messages, a variable, a field of a form.
struct DifyFileRule: Sendable, Hashable, Codable {
    /// Empty: any.
    var types: Set<String>
    /// What `custom` stands for, in small letters and without dots; empty: any.
    var endings: Set<String>
    var count: Int

    /// From a variable or a form's field; `nil` where files may come by link only.
    init?(_ field: JSON, count: Int) {
        let methods = field["allowed_file_upload_methods"]?.array ?? field["transfer_methods"]?.array
        if let methods, !methods.isEmpty, !methods.contains("local_file") { return nil }
        types = Set(field["allowed_file_types"]?.array?.compactMap(\.string) ?? [])
        let endings = field["allowed_file_extensions"]?.array?.compactMap(\.string) ?? []
        self.endings = Set(endings.map { String($0.drop { $0 == "." }).lowercased() })
        self.count = count
    }

    /// From `file_upload`: newer apps name the types at its top, older ones know images only.
    init?(upload: JSON) {
        let count = { (json: JSON) in (json["number_limits"]?.integer).flatMap { $0 > 0 ? Int(clamping: $0) : nil } ?? 3
        }
        if upload["enabled"]?.bool == true {
            self.init(upload, count: count(upload))
        } else if let image = upload["image"], image["enabled"]?.bool == true {
            self.init(image, count: count(image))
            types = ["image"]
        } else {
            return nil
        }
    }

    /// The type under which a file is taken; `nil`: it is not.
    func type(of file: QuestionFile) -> DifyFileType? {
        let ending = file.difyEnding
        let own = DifyFileType(ending: ending)
        if types.isEmpty || types.contains(own.rawValue), own != .custom { return own }
        guard types.isEmpty || types.contains("custom") else { return nil }
        return endings.isEmpty || endings.contains(ending) ? .custom : nil
    }
}

/// How large files may be, in bytes. Documentation: the contract's `/files/upload` and `system_parameters`.
struct DifyFileSizes: Sendable {
    private let megabytes: [DifyFileType: Int64]

    init(_ parameters: JSON) {
        func limit(_ name: String, else standard: Int64) -> Int64 {
            (parameters[name]?.integer).flatMap { (1...2048).contains($0) ? $0 : nil } ?? standard
        }
        let other = limit("file_size_limit", else: 15)
        megabytes = [
            .image: limit("image_file_size_limit", else: 10), .audio: limit("audio_file_size_limit", else: 50),
            .video: limit("video_file_size_limit", else: 100), .document: other, .custom: other,
        ]
    }

    func limit(of file: QuestionFile) -> Int {
        Int(megabytes[DifyFileType(ending: file.difyEnding)] ?? 15) * 1024 * 1024
    }
}

extension QuestionFile {
    /// In small letters, without the dot; by its kind where the name has none.
    var difyEnding: String {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count > 1, let last = parts.last, !last.isEmpty { return last.lowercased() }
        return mediaType.ending ?? ""
    }

    /// A name that Dify takes: it refuses `/` and `\`, and knows a file's type by the ending.
    var difyName: String {
        let plain = String(name.map { "/\\\0".contains($0) ? "_" : $0 })
        let name = plain.isEmpty ? "file" : plain
        guard !name.contains("."), let ending = mediaType.ending else { return name }
        return "\(name).\(ending)"
    }
}
