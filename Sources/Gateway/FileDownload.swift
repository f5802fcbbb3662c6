import Base
import Bitrix24
import Foundation
import Storage

/// Fetches a file that a bot sends, so that it can be uploaded.
struct FileDownload: Sendable {
    struct Content: Sendable {
        /// With its ending.
        var name: String
        var bytes: [UInt8]
        /// Kept until the file is gone.
        var memory: MemoryBudget.Share
    }
    enum Outcome: Sendable {
        case content(Content)
        /// It cannot be had, or is no file that one would upload: its link is shown instead.
        case unavailable(String)
        /// Worth trying again.
        case later(String)
    }

    /// Larger ones are sent as links: a file is in memory while it is on its way. The portal would take 100 MB.
    static let largest = 20 * 1024 * 1024
    private static let mostRedirects = 5

    let platforms: Platforms
    /// Of all files on their way; what is made of one for its upload takes a few times as much.
    let memory = MemoryBudget(3 * Self.largest)

    /// - Parameters:
    ///   - connector: whose bot sends it, with its provider.
    ///   - memory: what is taken already for a file that is inside of its address.
    func fetch(
        _ file: OutgoingFile, from connector: (ConnectorRecord, ProviderRecord)?, memory: MemoryBudget.Share? = nil
    ) async throws -> Outcome {
        if DataURL.isOne(file.url) { return await content(ofDataURL: file, memory) }
        // Who holds memory must not wait for more of it.
        if memory != nil { return .unavailable("the file's address is too long") }
        var url = file.url
        do {
            for _ in 0...Self.mostRedirects {
                var request = HTTPClient.Request(.get, url)
                request.trust = connector.map { platforms.trust(url, from: $0.0, $0.1) } ?? .publicOnly
                request.maximumBytes = Self.largest
                let answer = try await platforms.http.stream(request)
                switch answer.status {
                case 200..<300: return try await content(of: answer, for: file)
                case 301, 302, 303, 307, 308:
                    guard let next = answer.headers["Location"].flatMap({ HTTPClient.redirect(to: $0, from: url) })
                    else { return .unavailable("the file's address leads nowhere") }
                    url = next
                case 408, 429, 500...: return .later("status \(answer.status)")
                default: return .unavailable("status \(answer.status)")
                }
            }
            return .unavailable("the file's address leads on and on")
        } catch let error as HTTPClientError {
            return error.isPassing ? .later("\(error)") : .unavailable("\(error)")
        }
    }

    private func content(of answer: HTTPClient.StreamedAnswer, for file: OutgoingFile) async throws -> Outcome {
        let type = answer.headers["Content-Type"].map(MediaType.init(rawValue:)) ?? .unknown
        let promised = MediaType(ofFileNamed: file.name)
        // Where a file was promised a page tells of an error; where nothing was, a link to the page says more.
        if type.rawValue == "text/html" || type.rawValue == "application/xhtml+xml", promised.rawValue != "text/html" {
            return .unavailable("a page came instead of the file")
        }
        let length = answer.headers["Content-Length"].flatMap { Int($0) } ?? Self.largest
        guard length <= Self.largest else { return .unavailable("the file is too large") }
        let share = await memory.take(length)
        var bytes: [UInt8] = []
        for try await piece in answer.body {
            bytes += piece
            guard bytes.count <= Self.largest else { return .unavailable("the file is too large") }
        }
        guard !bytes.isEmpty else { return .unavailable("the file is empty") }
        share.shrink(to: bytes.count)
        return .content(Content(name: named(file.name, type), bytes: bytes, memory: share))
    }

    private func content(ofDataURL file: OutgoingFile, _ taken: MemoryBudget.Share?) async -> Outcome {
        guard file.url.utf8.count <= Self.largest * 3 / 2 else { return .unavailable("the file is too large") }
        let share: MemoryBudget.Share
        if let taken { share = taken } else { share = await memory.take(file.url.utf8.count) }
        let data = DataURL(file.url)
        guard !data.bytes.isEmpty else { return .unavailable("the file is empty, or cannot be read") }
        return .content(Content(name: named(file.name, data.mediaType), bytes: data.bytes, memory: share))
    }

    /// With an ending, if its kind is known.
    private func named(_ name: String, _ type: MediaType) -> String {
        guard MediaType(ofFileNamed: name) == .unknown, !hasEnding(name), let ending = type.ending else { return name }
        return "\(name).\(ending)"
    }

    private func hasEnding(_ name: String) -> Bool {
        name.wholeMatch(of: /.+\.[A-Za-z0-9]{1,5}/) != nil
    }
}

extension HTTPClientError {
    fileprivate var isPassing: Bool {
        switch self {
        case .cannotResolve, .cannotConnect, .connectTimeout, .answerTimeout, .connectionLost: true
        case .invalidURL, .invalidHeader, .schemeNotAllowed, .addressNotAllowed, .tls, .tooLarge: false
        }
    }
}

/// `data:image/png;base64,…` (RFC 2397).
struct DataURL {
    var mediaType: MediaType
    var bytes: [UInt8]

    static func isOne(_ url: String) -> Bool { url.prefix(5).lowercased() == "data:" }

    /// Without content if it cannot be read.
    init(_ url: String) {
        let rest = url.utf8.dropFirst(5)
        guard let comma = rest.prefix(300).firstIndex(of: UInt8(ascii: ",")) else {
            (mediaType, bytes) = (.unknown, [])
            return
        }
        let head = String(decoding: rest[..<comma], as: UTF8.self).lowercased()
        let body = String(decoding: rest[rest.index(after: comma)...], as: UTF8.self)
        mediaType = head.hasPrefix(";") || head.isEmpty ? MediaType(rawValue: "text/plain") : MediaType(rawValue: head)
        let plain = body.utf8.contains(UInt8(ascii: "%")) ? body.removingPercentEncoding ?? "" : body
        bytes =
            head.hasSuffix(";base64")
            ? Data(base64Encoded: plain, options: .ignoreUnknownCharacters).map { Array($0) } ?? [] : Array(plain.utf8)
    }
}
