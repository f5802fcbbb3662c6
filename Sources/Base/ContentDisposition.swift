extension HTTPHeaders {
    /// The file's name in a `Content-Disposition`, without folders (RFC 6266); `nil` if there is none.
    public static func filename(in contentDisposition: String) -> String? {
        let parameters = HeaderValue(contentDisposition).parameters
        let extended = parameters["filename*"].flatMap { value -> String? in
            // Characters of another set than UTF-8 are not in use.
            let parts = value.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0].lowercased() == "utf-8" else { return nil }
            return Form.percentDecode(parts[2])
        }
        guard let name = extended ?? parameters["filename"] else { return nil }
        let last = name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? ""
        let shown = String(last.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F })
        return shown.isEmpty ? nil : String(shown.prefix(255))
    }
}
