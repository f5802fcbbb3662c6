import Base
import BotPlatforms
import Foundation
import Storage
import Synchronization

/// Asks a bot platform as a connector does, outside of any chat: to try it out. Nothing of it is stored; where the
/// conversation stands is in the hands of whoever asks, sealed.
public struct Playground: Sendable {
    public struct Ask: Sendable {
        public var text: String
        public var variables: Members<String>
        public var session: Session
        public init(text: String, variables: Members<String> = [:], session: Session) {
            self.text = text
            self.variables = variables
            self.session = session
        }
    }

    /// A person and where their conversation stands.
    public struct Session: Sendable {
        fileprivate var content: Content
    }

    /// What is sealed.
    fileprivate struct Content: Codable {
        /// Says what is sealed here: the vault seals other things, too.
        var purpose = Self.purpose
        var connector: Int64
        var person: String
        var id: String?
        var data: JSON?
        var offered: Choices?
        static let purpose = "playground"
    }

    /// At most so long an answer is waited for.
    public static let patience = Duration.seconds(300)

    private let vault: Vault
    private let platforms: Platforms
    private let places = Places(20)

    public init(vault: Vault, platforms: Platforms) {
        self.vault = vault
        self.platforms = platforms
    }

    /// A place among those who ask at once; it is free again when the value goes. `nil`: there is none.
    public func place() -> (any AnyObject & Sendable)? { places.take() }

    /// Begins a conversation.
    public func begin(with connector: ConnectorRecord) -> Session {
        let person = "playground:" + Vault.randomToken(bytes: 9)
        return Session(content: Content(connector: connector.id.rawValue, person: person))
    }

    /// Goes on with a conversation.
    /// - Parameter sealed: what the last answer gave.
    /// - Returns: `nil` if it is not one of this connector's.
    public func session(_ sealed: String, with connector: ConnectorRecord) -> Session? {
        guard let bytes = Data(base64Encoded: sealed), let opened = try? vault.open(Array(bytes)),
            let content = try? JSONDecoder().decode(Content.self, from: Data(opened)),
            content.purpose == Content.purpose, content.connector == connector.id.rawValue
        else { return nil }
        return Session(content: content)
    }

    /// Asks, and gives the answer on piece by piece.
    /// - Parameter take: what to do with a piece; the next one is read when it returns.
    /// - Returns: how the conversation goes on: what the next question is to give back.
    /// - Throws: `PlatformError`, `CancellationError`, or what `take` throws.
    public func ask(
        _ ask: Ask, _ connector: ConnectorRecord, _ provider: ProviderRecord,
        _ take: (ReplyPart) async throws -> Void
    ) async throws -> String {
        guard let platform = platforms.platform(connector, provider) else {
            throw PlatformError(.final, "Providers of type \(provider.type) are not known")
        }
        var content = ask.session.content
        let question = content.question(ask)
        content.offered = nil
        for try await part in platform.reply(to: question) {
            switch part {
            case .session(let session):
                content.id = session?.id
                content.data = session?.data
            case .choices(let choices): content.offered = content.offered?.joined(by: choices) ?? choices
            default: break
            }
            try await take(part)
        }
        // A cancelled stream may end without an error.
        try Task.checkCancellation()
        return try content.sealed(vault)
    }

    /// The whole answer to a text that begins a conversation, in Markdown; `nil` if nothing is said.
    /// - Throws: `PlatformError`, or `CancellationError`.
    public func answer(
        to text: String, from connector: ConnectorRecord, _ provider: ProviderRecord
    ) async throws -> String? {
        var reply = Reply()
        _ = try await ask(Ask(text: text, session: begin(with: connector)), connector, provider) { reply.take($0) }
        return reply.text.isEmpty ? nil : reply.text
    }
}

extension Playground.Content {
    func question(_ ask: Playground.Ask) -> Question {
        var offered = offered
        // They are shown as buttons, without numbers.
        offered?.takesNumbers = false
        let chosen = offered?.chosen(by: ask.text) ?? []
        return Question(
            kind: .message, text: chosen.isEmpty ? ask.text : chosen.map(\.label).joined(separator: ", "),
            chosen: chosen, user: person,
            variables: Members(["MESSAGE": ask.text]).merging(ask.variables), tokens: [:],
            session: id.map { PlatformSession(id: $0, data: data ?? [:]) })
    }

    func sealed(_ vault: Vault) throws -> String {
        Data(vault.seal(Array(try JSONEncoder().encode(self)))).base64EncodedString()
    }
}

/// So many at once.
private final class Places: Sendable {
    /// Given back when it goes.
    private final class Place: Sendable {
        let places: Places
        init(_ places: Places) { self.places = places }
        deinit { places.free.withLock { $0 += 1 } }
    }
    private let free: Mutex<Int>

    init(_ count: Int) { free = Mutex(count) }

    func take() -> (any AnyObject & Sendable)? {
        let isFree = free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
        return isFree ? Place(self) : nil
    }
}
