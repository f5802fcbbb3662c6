import Base
import Storage
import TestSupport
import Testing

@Suite("Changes of one record at one time")
struct ConcurrentChangeTests {
    private static let rounds = 20

    /// Sends every change of a round at once; all must be there then.
    private func change(
        _ path: String, on stage: Stage, _ round: (Int) -> [JSON], has: (JSON, Int) -> Bool
    ) async throws {
        for number in 0..<Self.rounds {
            let statuses = try await withThrowingTaskGroup { group in
                for change in round(number) {
                    group.addTask { try await stage.api(.patch, path, change).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.allSatisfy { $0 == 200 }, "\(path): \(statuses)")
            let now = try await stage.read(path)
            #expect(has(now, number), "\(path) has lost a change: \(now.text)")
        }
    }

    @Test("each keeps what the others have changed")
    func merged() async throws {
        try await Stage.with { stage in
            let app = try await stage.make("apps", ["name": "A"])
            try await change(
                "apps/\(app.field("id"))", on: stage,
                { [["name": .string("n\($0)")], ["client_id": .string("c\($0)")], ["page_url": .string("/p\($0)")]] },
                has: {
                    $0["name"] == .string("n\($1)") && $0["client_id"] == .string("c\($1)")
                        && $0["page_url"] == .string("/p\($1)")
                })
            let portal = try await stage.make("portals", ["member_id": "m", "domain": "m.bitrix24.com"])
            try await change(
                "portals/\(portal.field("id"))", on: stage,
                {
                    [
                        ["domain": .string("d\($0)")], ["allow_private": .bool($0.isMultiple(of: 2))],
                        ["limit": ["burst": .integer(Int64($0) + 1)]],
                        ["limit": ["per_second": .integer(Int64($0))]],
                    ]
                },
                has: {
                    $0["domain"] == .string("d\($1)") && $0["allow_private"] == .bool($1.isMultiple(of: 2))
                        && $0["limit"] == ["burst": .integer(Int64($1) + 1), "per_second": .integer(Int64($1))]
                })
            let provider = try await stage.make("providers", ["name": "P", "type": "openai"])
            try await change(
                "providers/\(provider.field("id"))", on: stage,
                {
                    [
                        ["name": .string("n\($0)")], ["url": .string("https://example.com/\($0)")],
                        ["shared": .bool($0.isMultiple(of: 2))],
                    ]
                },
                has: {
                    $0["name"] == .string("n\($1)") && $0["url"] == .string("https://example.com/\($1)")
                        && $0["shared"] == .bool($1.isMultiple(of: 2))
                })
            let connector = try await stage.make(
                "connectors", ["name": "C", "provider_id": try #require(provider["id"])])
            try await change(
                "connectors/\(connector.field("id"))", on: stage,
                {
                    [
                        ["name": .string("n\($0)")], ["key": .string("a-long-key-\($0 + 1000)")],
                        ["options": ["history": .integer(Int64($0))]], ["options": ["model": .string("m\($0)")]],
                    ]
                },
                has: {
                    $0["name"] == .string("n\($1)") && $0["key"] == .string("••••\($1 + 1000)")
                        && $0["options"] == ["history": .integer(Int64($1)), "model": .string("m\($1)")]
                })
        }
    }

    @Test("a bot keeps them, too, though Bitrix24 is asked about each")
    func bots() async throws {
        try await Stage.with { stage in
            let bot = try await stage.bot(of: try await stage.installed(), isConnected: false)
            let path = "bots/\(try bot.field("id"))"
            try await change(
                path, on: stage,
                {
                    [
                        ["settings": ["collect_ms": .integer(Int64($0))]],
                        ["settings": ["operator_after_turns": .integer(Int64($0) + 1)]],
                        ["position": .string("p\($0)")],
                    ]
                },
                has: {
                    $0["position"] == .string("p\($1)") && $0["settings"]?["collect_ms"] == .integer(Int64($1))
                        && $0["settings"]?["operator_after_turns"] == .integer(Int64($1) + 1)
                })
        }
    }

    @Test("a portal that is changed while its lasting name is learned has both")
    func learned() async throws {
        try await Stage.with { stage in
            for number in 0..<Self.rounds {
                let portal = try await stage.make(
                    "portals", ["member_id": .string("webhook:p\(number)"), "domain": .string("p\(number)")])
                let path = "portals/\(try portal.field("id"))"
                let id = try #require(ID<PortalRecord>(try portal.field("id")))
                async let changed = stage.api(.patch, path, ["allow_private": true])
                async let again = stage.api(.patch, path, ["limit": ["burst": 7]])
                try await stage.store.learn(memberID: "m\(number)", of: id)
                #expect(try await [changed.status, again.status] == [200, 200])
                let now = try await stage.read(path)
                #expect(now["member_id"] == .string("m\(number)") && now["allow_private"] == true, "\(now.text)")
                #expect(now["limit"]?["burst"] == 7)
            }
        }
    }
}
