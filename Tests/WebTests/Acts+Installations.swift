import Base
import Sandbox
import Storage
import TestSupport
import Testing

extension Stage {
    /// Waits until the application's own events are bound to its address.
    func bound(_ installed: Installed) async throws {
        let token = portal.tokens(of: installed.clientID, as: 1).access
        try await eventually {
            let reply = try await self.post(
                ["auth": .string(token)], to: self.portal.clientEndpoint + "event.get")
            let bindings = reply.json["result"]?.array ?? []
            let events = bindings.filter { $0["handler"]?.string == installed.eventsURL }.compactMap {
                $0["event"]?.string?.uppercased()
            }
            return Set(events) == ["ONAPPUPDATE", "ONAPPUNINSTALL"]
        }
    }

    /// Writes to a bot as the employee and waits for its answer.
    func answered(_ bot: JSON, _ text: String) async throws -> SimulatedPortal.Message {
        let number = Int(try #require(bot["bot_id"]?.integer))
        let chat = try portal.privateChat(of: 2, with: number)
        try portal.employeeWrites(text, as: 2, in: chat.id)
        try await eventually {
            self.portal.messages(in: chat.id).contains { $0.authorID == number && $0.text.hasSuffix(text) }
        }
        return try #require(portal.messages(in: chat.id).last { $0.authorID == number })
    }

    /// Whose credentials are stored.
    func storedUsers() async throws -> [String] {
        try await store.database.read { connection in
            try connection.rows("SELECT user_id, admin FROM credentials ORDER BY user_id", []) {
                $0.flag(1) ? "\($0.text(0)) admin" : $0.text(0)
            }
        }
    }

    /// What an earlier run with a sandbox has left in the store.
    func makeSandboxPortal(memberID: String, app: String) async throws {
        let id = try #require(ID<AppRecord>(app))
        _ = try await store.saveInstallation(
            ConfirmedInstallation(
                memberID: memberID, domain: portal.domain, appID: id, sandbox: true, scope: "imbot",
                clientEndpoint: portal.clientEndpoint, serverEndpoint: authorization.serverEndpoint,
                applicationToken: Secret("sandbox-token"), userID: "1", admin: true, accessToken: Secret("access"),
                refreshToken: nil, expiresAt: WallClock.system.now),
            now: WallClock.system.now)
    }
}
