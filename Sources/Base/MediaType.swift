/// What kind of file something is, by its MIME type.
public struct MediaType: RawRepresentable, Sendable, Hashable {
    /// In small letters, without parameters: `image/png`.
    public var rawValue: String
    public init(rawValue: String) {
        let essence = rawValue.prefix { $0 != ";" }
        self.rawValue = essence.filter { !$0.isWhitespace }.lowercased()
    }

    public static let unknown = MediaType(rawValue: "application/octet-stream")

    public var isImage: Bool { rawValue.hasPrefix("image/") }
    public var isAudio: Bool { rawValue.hasPrefix("audio/") }
    public var isVideo: Bool { rawValue.hasPrefix("video/") }

    /// What the ending of a file's name says.
    public init(ofFileNamed name: String) {
        let ending = name.split(separator: ".", omittingEmptySubsequences: false).dropFirst().last ?? ""
        self = Self.byEnding[ending.lowercased()].map(MediaType.init(rawValue:)) ?? .unknown
    }

    /// The usual ending of such a file's name, without the dot.
    public var ending: String? { Self.endings[rawValue] }

    private static let byEnding: [String: String] = [
        "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp",
        "svg": "image/svg+xml", "bmp": "image/bmp", "heic": "image/heic", "tiff": "image/tiff",
        "mp3": "audio/mp3", "m4a": "audio/m4a", "wav": "audio/wav", "amr": "audio/amr", "mpga": "audio/mpga",
        "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac",
        "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "avi": "video/x-msvideo",
        "mpeg": "video/mpeg", "mkv": "video/x-matroska", "3gp": "video/3gpp",
        "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html",
        "htm": "text/html", "xml": "application/xml", "json": "application/json", "zip": "application/zip",
        "rtf": "application/rtf", "doc": "application/msword", "xls": "application/vnd.ms-excel",
        "ppt": "application/vnd.ms-powerpoint", "epub": "application/epub+zip", "eml": "message/rfc822",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt": "application/vnd.oasis.opendocument.text", "ods": "application/vnd.oasis.opendocument.spreadsheet",
    ]

    private static let endings: [String: String] = {
        // Where several endings mean the same the shortest is the usual one, and then the first.
        let pairs = byEnding.sorted { ($0.key.count, $0.key) < ($1.key.count, $1.key) }
        var endings = Dictionary(pairs.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
        endings["audio/mpeg"] = "mp3"
        endings["audio/mp4"] = "m4a"
        endings["audio/x-wav"] = "wav"
        return endings
    }()
}
