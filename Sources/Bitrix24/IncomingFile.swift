import Base

/// What is known of a person's file without its content.
public struct FileDescription: Sendable, Hashable {
    /// With its ending.
    public var name: String
    /// In bytes.
    public var size: Int64?
}

/// Files that people send, on the portal's drive.
///
/// Documentation: `…/imbot.v2/files/file-download.md`, `api-reference/disk/file/disk-file-get.md`.
extension Portal {
    private static let mostRedirects = 5

    /// A link by which a file can be fetched, once and soon. It holds a token.
    /// - Throws: ``PortalError``.
    public func link(toFile fileID: Int64, botID: Int64, as account: Account) async throws -> String {
        let refusal: PortalError
        do {
            let result = try await call(
                PortalCall("imbot.v2.File.download", ["botId": .integer(botID), "fileId": .integer(fileID)]),
                as: account)
            if let link = result["downloadUrl"]?.looseText { return link }
            refusal = .notBitrix24(status: 200)
        } catch let error as PortalError where error.isForThisFileOnly {
            refusal = error
        }
        // A portal without the second generation, or a file that its bots may not have.
        do {
            let result = try await call(PortalCall("disk.file.get", ["id": .integer(fileID)]), as: account)
            if let link = result["DOWNLOAD_URL"]?.looseText { return link }
        } catch let error as PortalError where error.isForThisFileOnly {
            throw refusal.code == "ERROR_METHOD_NOT_FOUND" ? error : refusal
        }
        throw refusal
    }

    /// The content of a file. A link that has expired is made anew once.
    /// - Throws: ``PortalError``; `unreachable(.tooLarge)` for more than `limit` bytes.
    public func content(
        ofFile fileID: Int64, botID: Int64, atMost limit: Int, as account: Account
    ) async throws -> [UInt8] {
        do {
            return try await content(at: try await link(toFile: fileID, botID: botID, as: account), limit, account)
        } catch let error as ExpiredLink {
            do {
                return try await content(at: try await link(toFile: fileID, botID: botID, as: account), limit, account)
            } catch is ExpiredLink {
                throw PortalError(
                    .notBitrix24(status: error.status), message: "the portal does not give the file out by its link",
                    isPassing: false)
            }
        }
    }

    /// What a file is that an event only numbers; `nil` where the portal does not tell.
    /// - Parameter hasDrive: whether the application may ask the drive (scope `disk`).
    /// - Throws: ``PortalError`` when it cannot be told now.
    public func description(
        ofFile fileID: Int64, botID: Int64, hasDrive: Bool, as account: Account
    ) async throws -> FileDescription? {
        if hasDrive, let known = try await driveDescription(ofFile: fileID, as: account) { return known }
        // The beginning of a download tells it too.
        do {
            let link = try await link(toFile: fileID, botID: botID, as: account)
            let answer = try await answer(at: link, limit: 1 << 40, account)
            guard let value = answer.headers["Content-Disposition"], let name = HTTPHeaders.filename(in: value) else {
                return nil
            }
            return FileDescription(name: name, size: answer.headers["Content-Length"].flatMap { Int64($0) })
        } catch let error as PortalError where error.isForThisFileOnly {
            return nil
        } catch is ExpiredLink {
            return nil
        }
    }

    private func driveDescription(ofFile fileID: Int64, as account: Account) async throws -> FileDescription? {
        do {
            let result = try await call(PortalCall("disk.file.get", ["id": .integer(fileID)]), as: account)
            guard let name = result["NAME"]?.looseText else { return nil }
            return FileDescription(name: name, size: result["SIZE"]?.looseInteger)
        } catch let error as PortalError where error.isForThisFileOnly {
            return nil
        }
    }

    // MARK: By link

    /// The portal does not take the link (any more).
    private struct ExpiredLink: Error { var status: Int }

    private func content(at link: String, _ limit: Int, _ account: Account) async throws -> [UInt8] {
        let answer = try await answer(at: link, limit: limit, account)
        var bytes: [UInt8] = []
        do {
            for try await piece in answer.body { bytes += piece }
        } catch let error as HTTPClientError {
            throw PortalError.unreachable(error)
        }
        return bytes
    }

    /// What is on the portal itself may be where the portal is; all else must be public.
    private func answer(
        at link: String, limit: Int, _ account: Account
    ) async throws -> HTTPClient.StreamedAnswer {
        var url = link
        for _ in 0...Self.mostRedirects {
            var request = HTTPClient.Request(.get, url)
            request.trust = HTTPClient.isSameOrigin(url, account.endpoint) ? caller.trust : .publicOnly
            request.maximumBytes = limit
            let answer: HTTPClient.StreamedAnswer
            do {
                answer = try await caller.http.stream(request)
            } catch let error as HTTPClientError {
                throw PortalError.unreachable(error)
            }
            switch answer.status {
            case 200 where answer.isRefusal: throw ExpiredLink(status: 200)
            case 200: return answer
            case 301, 302, 303, 307, 308:
                guard let next = answer.headers["Location"].flatMap({ HTTPClient.redirect(to: $0, from: url) }) else {
                    throw PortalError.notBitrix24(status: answer.status)
                }
                url = next
            case 400, 401, 403, 404, 410: throw ExpiredLink(status: answer.status)
            default: throw PortalError.notBitrix24(status: answer.status)
            }
        }
        throw PortalError.notBitrix24(status: 302)
    }
}

extension HTTPClient.StreamedAnswer {
    /// A page to sign in on, or an error in JSON; a file itself is sent as an attachment.
    fileprivate var isRefusal: Bool {
        let type = MediaType(rawValue: headers["Content-Type"] ?? "").rawValue
        return ["text/html", "application/json"].contains(type) && headers["Content-Disposition"] == nil
    }
}

extension PortalError {
    /// Refused for good, and not because nobody may call at all.
    fileprivate var isForThisFileOnly: Bool {
        switch kind {
        case .refused, .notBitrix24: !isPassing
        case .unreachable, .noCredential: false
        }
    }
}
