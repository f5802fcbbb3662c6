import Base
import Bitrix24
import BotPlatforms

/// What a person sends along with a question.
extension Conversation {
    private static let mostFiles = 20
    /// After so many attempts a question goes without the names of its files.
    private static let mostAttempts = 4

    /// Learns from the portal what files are that an event only numbers, as those of the second generation do: before
    /// anything is asked, so that a question says the same whenever it is looked for.
    /// - Returns: what is to be done instead of asking while the portal cannot tell.
    func describeFiles(of item: inout PendingEvent, _ setting: Setting) async throws -> Verdict<PendingEvent>? {
        guard item.event.hasUnnamedFiles || item.joined.contains(where: { $0.event.hasUnnamedFiles }),
            let account = try await portals.account(setting.installation)
        else { return nil }
        do {
            try await nameFiles(of: &item.event, setting, account)
            for index in item.joined.indices { try await nameFiles(of: &item.joined[index].event, setting, account) }
        } catch let error as PortalError {
            let isRepeated = error.isPassing && item.attempts < Self.mostAttempts
            log.warning(
                "a file's name could not be learned",
                [
                    "event_id": .integer(item.row), "reason": .text(error.message),
                    "will_be_repeated": .flag(isRepeated),
                ])
            guard isRepeated else { return nil }
            item.notBefore = clock.now + Pauses.before(attempt: item.attempts, longest: .seconds(10))
            return .again(item)
        }
        return nil
    }

    private func nameFiles(of event: inout BotEvent, _ setting: Setting, _ account: Account) async throws {
        guard event.hasUnnamedFiles else { return }
        let portal = portals.portal(setting.portal)
        let hasDrive = setting.installation.scope.split(whereSeparator: { ", ".contains($0) }).contains("disk")
        for index in event.files.indices.prefix(Self.mostFiles) where event.files[index].name == nil {
            guard let id = Int64(event.files[index].id) else { continue }
            let found = try await portal.description(ofFile: id, botID: event.botID, hasDrive: hasDrive, as: account)
            if let found { event.files[index].take(found) }
        }
    }

    func files(of event: BotEvent, _ setting: Setting, _ account: Account?) -> [QuestionFile] {
        guard !event.files.isEmpty else { return [] }
        let portal = portals.portal(setting.portal)
        return event.files.prefix(Self.mostFiles).map { file in
            QuestionFile(
                id: file.id, name: file.shownName, mediaType: file.kind,
                size: file.size.flatMap { Int(exactly: $0) },
                access: PortalFile(file: file, botID: event.botID, portal: portal, account: account))
        }
    }
}

extension Question {
    /// About so many bytes its files may take while they are passed on.
    var fileBytes: Int {
        files.reduce(0) { $0 + min(max($1.size ?? Self.usualFile, 0), Self.largestFile) }
    }
    private static let usualFile = 8 * 1024 * 1024
    private static let largestFile = 32 * 1024 * 1024
}

extension BotEvent {
    fileprivate var hasUnnamedFiles: Bool { files.contains { $0.name == nil } }
}

/// A file on the portal's drive, as a bot platform gets at it.
private struct PortalFile: FileAccess {
    let file: BotEvent.File
    let botID: Int64
    let portal: Portal
    let account: Account?

    func link() async throws -> String {
        try await asPlatformError { try await portal.link(toFile: $0, botID: botID, as: $1) }
    }

    func content(atMost limit: Int) async throws -> [UInt8] {
        if let size = file.size, size > Int64(limit) { throw tooLarge(limit) }
        return try await asPlatformError(limit: limit) {
            try await portal.content(ofFile: $0, botID: botID, atMost: limit, as: $1)
        }
    }

    private func asPlatformError<Value>(
        limit: Int = 0, _ fetch: (Int64, Account) async throws -> Value
    ) async throws -> Value {
        guard let account, let id = Int64(file.id) else {
            throw PlatformError(.final, "The file \(file.shownName) cannot be fetched from the portal.")
        }
        do {
            return try await fetch(id, account)
        } catch let error as PortalError {
            if case .unreachable(.tooLarge) = error.kind { throw tooLarge(limit) }
            throw PlatformError(
                error.isPassing ? .passing : .final,
                "The file \(file.shownName) cannot be fetched from the portal: \(error.message)",
                retryAfter: error.retryAfter)
        }
    }

    private func tooLarge(_ limit: Int) -> PlatformError {
        PlatformError(.final, "The file \(file.shownName) is larger than \(limit) bytes.")
    }
}

extension BotEvent.File {
    fileprivate mutating func take(_ found: FileDescription) {
        name = found.name
        size = size ?? found.size
        guard type == nil else { return }
        type = kind.isImage ? "image" : kind.isAudio ? "audio" : kind.isVideo ? "video" : "file"
    }

    /// With its ending, if it is known.
    var shownName: String { name ?? "file-\(id)" + (fileExtension.map { ".\($0)" } ?? "") }

    /// By what the event says outright, else by the name's ending, else by Bitrix24's word for it.
    var kind: MediaType {
        if let mediaType, mediaType.contains("/") { return MediaType(rawValue: mediaType) }
        let byName = MediaType(ofFileNamed: shownName)
        if byName != .unknown { return byName }
        if let fileExtension {
            let byExtension = MediaType(ofFileNamed: "file.\(fileExtension)")
            if byExtension != .unknown { return byExtension }
        }
        return switch type {
        case "image": MediaType(rawValue: "image/jpeg")
        case "audio": MediaType(rawValue: "audio/mp3")
        case "video": MediaType(rawValue: "video/mp4")
        default: .unknown
        }
    }
}
