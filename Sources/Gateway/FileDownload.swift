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

    /// - Parameter connector: whose bot sends it, with its provider.
    func fetch(
        _ file: OutgoingFile, from connector: (ConnectorRecord, ProviderRecord)?
    ) async throws -> Outcome {
        if let data = DataURL(file.url) {
            guard !data.bytes.isEmpty else { return .unavailable("the file is empty") }
            guard data.bytes.count <= Self.largest else { return .unavailable("the file is too large") }
            return .content(Content(name: named(file.name, data.mediaType), bytes: data.bytes))
        }
        var url = file.url
        for _ in 0...Self.mostRedirects {
            var request = HTTPClient.Request(.get, url)
            request.trust = connector.map { platforms.trust(url, from: $0.0, $0.1) } ?? .publicOnly
            request.maximumBytes = Self.largest
            let answer: HTTPClient.Answer
            do {
                answer = try await platforms.http.send(request)
            } catch let error as HTTPClientError {
                return error.isPassing ? .later("\(error)") : .unavailable("\(error)")
            }
            switch answer.status {
            case 200..<300: return content(answer, of: file)
            case 301, 302, 303, 307, 308:
                guard let next = answer.headers["Location"].flatMap({ HTTPClient.redirect(to: $0, from: url) })
                else { return .unavailable("the file's address leads nowhere") }
                url = next
            case 408, 429, 500...: return .later("status \(answer.status)")
            default: return .unavailable("status \(answer.status)")
            }
        }
        return .unavailable("the file's address leads on and on")
    }

    private func content(_ answer: HTTPClient.Answer, of file: OutgoingFile) -> Outcome {
        let type = answer.headers["Content-Type"].map(MediaType.init(rawValue:)) ?? .unknown
        let promised = MediaType(ofFileNamed: file.name)
        // A page where something else was promised tells of an error; where nothing was, a link to it says more.
        if type.rawValue == "text/html" || type.rawValue == "application/xhtml+xml", promised.rawValue != "text/html" {
            return .unavailable("a page came instead of the file")
        }
        guard !answer.body.isEmpty else { return .unavailable("the file is empty") }
        return .content(Content(name: named(file.name, type), bytes: answer.body))
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

    /// `nil` for another kind of URL; without content if it cannot be read.
    init?(_ url: String) {
        guard url.utf8.starts(with: "data:".utf8) || url.prefix(5).lowercased() == "data:" else { return nil }
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
