import Base

/// The types that a file input allows: endings (`.pdf`), MIME types, or whole kinds (`image/*`).
struct TypebotFileTypes {
    let allowed: [String]

    /// MIME types with the ending that a stored file gets first.
    private static let known: KeyValuePairs<String, [String]> = [
        "image/jpeg": ["jpeg", "jpg"], "image/png": ["png"], "image/gif": ["gif"], "image/webp": ["webp"],
        "audio/mpeg": ["mp3"], "audio/ogg": ["ogg", "oga"], "audio/wav": ["wav"], "audio/mp4": ["m4a"],
        "video/mp4": ["mp4"], "application/pdf": ["pdf"], "text/plain": ["txt"], "text/csv": ["csv"],
        "application/zip": ["zip"],
    ]

    init(_ allowed: [String]) { self.allowed = allowed.map { $0.lowercased() } }

    static func ending(of type: String) -> String? { known.first { $0.key == type }?.value.first }

    func allows(type: String) -> Bool {
        Self.known.contains { known, endings in known == type && allows(known, endings) } || allowed.contains(type)
    }

    func allowsEnding(of url: String) -> Bool {
        let ending = url.split(separator: ".").last.map { $0.lowercased() } ?? ""
        return Self.known.contains { type, endings in endings.contains(ending) && allows(type, endings) }
            || allowed.contains("." + ending)
    }

    private func allows(_ type: String, _ endings: [String]) -> Bool {
        allowed.contains { allowed in
            allowed == type || endings.contains { "." + $0 == allowed }
                || (allowed.hasSuffix("/*") && type.hasPrefix(allowed.dropLast()))
        }
    }
}
