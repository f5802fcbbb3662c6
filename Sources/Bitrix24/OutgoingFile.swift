import Base
import Foundation

/// A bot's file on its way to a dialog, known by its link until it is sent. `Codable`: it waits in the store.
///
/// Documentation: `…/imbot.v2/files/file-upload.md`.
public struct OutgoingFile: Sendable, Codable, Hashable {
    /// `https:`, `http:` or `data:`.
    public var url: String
    /// What people read.
    public var name: String
    /// The message that is sent where the file cannot be: it holds its link.
    public var substitute: OutgoingMessage
    /// The origin of whoever gave it out, for whoever fetches it.
    public var source: String?

    /// - Parameter message: where it goes; its text is not used.
    public init(url: String, name: String, to message: OutgoingMessage, source: String? = nil) {
        self.url = url
        self.name = name
        self.source = source
        substitute = message
        substitute.text = LinkedFile(url: url, name: name).text
    }
}

/// A file that people fetch by its link.
public struct LinkedFile: Sendable, Codable, Hashable {
    public var url: String
    public var name: String
    public init(url: String, name: String) {
        self.url = url
        self.name = name
    }

    /// Whether people can open it: a link is of the web and not very long.
    public var isLink: Bool {
        let start = url.prefix(8).lowercased()
        return (start.hasPrefix("https://") || start.hasPrefix("http://")) && url.utf8.count <= 4_000
    }

    /// BB code with the link, or the name alone.
    public var text: String {
        let shown = name.replacing("[", with: "(").replacing("]", with: ")")
        guard isLink else { return shown }
        let address = url.replacing("[", with: "%5B").replacing("]", with: "%5D").replacing(" ", with: "%20")
        return "[URL=\(address)]\(shown)[/URL]"
    }

    /// An attachment of one block.
    ///
    /// Documentation: `…/messages/attachments/block-collections/images.md`, `…/files.md`.
    var json: JSON {
        let kind = MediaType(ofFileNamed: name).isImage ? "IMAGE" : "FILE"
        return ["BLOCKS": [.object([kind: [["NAME": .string(name), "LINK": .string(url)]]])]]
    }
}

extension Portal {
    /// Uploads a file and shows it in its dialog.
    /// - Parameters:
    ///   - name: with its ending.
    ///   - content: at most 100 MB.
    /// - Returns: Bitrix24's id of the message that shows it.
    /// - Throws: ``PortalError``.
    public func upload(
        _ file: OutgoingFile, named name: String, content: [UInt8], as account: Account
    ) async throws -> Int64? {
        let target = file.substitute
        let call = PortalCall(
            "imbot.v2.File.upload",
            [
                "botId": .integer(target.botID), "dialogId": .string(target.dialogID),
                "fields": ["name": .string(name), "content": .string(Data(content).base64EncodedString())],
            ], lane: "\(target.botID)/\(target.dialogID)")
        return try await self.call(call, as: account)["messageId"]?.looseInteger
    }

    /// Looks whether the dialog shows a file of this name from this bot since `moment`; `nil` where no look is possible.
    /// - Parameter former: the id of a message that was shown before it.
    /// - Throws: ``PortalError`` when the look failed for a reason that passes.
    public func shows(
        _ file: OutgoingFile, since moment: Timestamp, after former: Int64? = nil, as account: Account
    ) async throws -> Bool? {
        let target = file.substitute
        // A private dialog is open to the two who hold it.
        guard target.dialogID.hasPrefix("chat") else { return nil }
        let look = PortalCall("im.dialog.messages.get", ["DIALOG_ID": .string(target.dialogID), "LIMIT": 50])
        return try await sees(look, as: account) { shown, answer in
            guard isFrom(target.botID, shown, since: moment, after: former) else { return false }
            let ids = Set(shown["params"]?["FILE_ID"]?.looseList.compactMap(\.looseInteger) ?? [])
            return answer["files"]?.looseList.contains { found in
                found["id"]?.looseInteger.map(ids.contains) == true
                    && found["name"]?.looseText.map { isSameFile($0, file.name) } == true
            } ?? false
        }
    }

    /// Its ending may have been added, and Bitrix24 numbers a file whose name is taken: `report (1).pdf`.
    private func isSameFile(_ shown: String, _ wanted: String) -> Bool {
        if shown == wanted { return true }
        let parts = wanted.split(separator: ".", omittingEmptySubsequences: false)
        let stem = parts.count > 1 ? parts.dropLast().joined(separator: ".") : wanted
        return shown.hasPrefix(wanted + ".") || shown.hasPrefix(stem + " (")
    }
}
