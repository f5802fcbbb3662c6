import Base
import TestSupport
import Testing

@testable import Storage

@Suite struct SessionTests {
    private let now = TestStore.now

    private func make(_ store: Store) async throws -> SessionRecord {
        let bot = try await store.addBot()
        let dialog = try await store.addDialog(of: bot)
        let connector = try #require(bot.connectorID)
        return SessionRecord(
            dialogID: dialog, connectorID: connector, platformID: "conversation-1", data: ["history": ["a"]],
            expiresAt: now + .seconds(60))
    }

    private func read(_ store: Store, _ session: SessionRecord, at moment: Timestamp) async throws -> SessionRecord? {
        try await store.database.read {
            try $0.session(of: session.dialogID, connector: session.connectorID, now: moment)
        }
    }

    @Test("a session is remembered until it expires; a message renews it")
    func expiry() async throws {
        let store = try await TestStore().store
        var session = try await make(store)
        #expect(try await read(store, session, at: now) == nil)
        try await store.database.write { [session] in try $0.save(session) }
        #expect(try await read(store, session, at: now + .seconds(59)) == session)
        #expect(try await read(store, session, at: now + .seconds(60)) == nil)
        session.expiresAt = now + .seconds(120)
        session.platformID = "conversation-2"
        try await store.database.write { [session] in try $0.save(session) }
        #expect(try await read(store, session, at: now + .seconds(60)) == session)
    }

    @Test("an ended session is forgotten, one of another connector is not found")
    func ending() async throws {
        let store = try await TestStore().store
        let session = try await make(store)
        try await store.database.write { try $0.save(session) }
        let other = try await store.database.read { [now] in
            try $0.session(of: session.dialogID, connector: ID(rawValue: 99), now: now)
        }
        #expect(other == nil)
        try await store.database.write { try $0.endSession(of: session.dialogID) }
        #expect(try await read(store, session, at: now) == nil)
        #expect(try await store.count("sessions") == 0)
    }

    @Test("a session without an id of the platform keeps its data")
    func withoutID() async throws {
        let store = try await TestStore().store
        var session = try await make(store)
        session.platformID = ""
        try await store.database.write { [session] in try $0.save(session) }
        #expect(try await read(store, session, at: now) == session)
    }

    enum Change: CaseIterable {
        case key, address, provider, providersAddress, botsConnector, name, botsName, providersName
    }

    @Test("a new connector, key or address ends a bot's sessions, other changes do not", arguments: Change.allCases)
    func configurationChange(_ change: Change) async throws {
        let store = try await TestStore().store
        let session = try await make(store)
        try await store.database.write { try $0.save(session) }
        var connector = try #require(try await store.connector(session.connectorID))
        var provider = try #require(try await store.provider(connector.providerID))
        var bot = try #require(try await store.bots(limit: 1, after: nil).items.first)
        switch change {
        case .key: connector.key = Secret("another-key")
        case .address: connector.url = "https://elsewhere.example.com"
        case .provider: connector.providerID = try await store.addConnector().providerID
        case .providersAddress: provider.url = "https://elsewhere.example.com"
        case .botsConnector: bot.connectorID = try await store.addConnector().id
        case .name:
            connector.name = "Other"
            connector.options = ["a": 1]
        case .botsName: bot.name = "Other"
        case .providersName: provider.name = "Other"
        }
        try await store.update(provider.id) { [provider] in $0 = provider }
        try await store.update(connector.id, now: now) { [connector] stored, _ in stored = connector }
        try await store.update(bot.id, now: now) { [bot] in $0 = bot }
        let ended = ![Change.name, .botsName, .providersName].contains(change)
        #expect(try await store.count("sessions") == (ended ? 0 : 1))
    }
}
