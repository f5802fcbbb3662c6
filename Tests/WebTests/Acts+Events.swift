import Base
import Sandbox
import TestSupport
import Testing

/// A bot as the simulated portal knows it.
struct Addressed {
    var json: JSON
    /// Bitrix24's id.
    var id: Int
    /// Where its events go.
    var url: String
}

extension Stage {
    func address(of bot: JSON) async throws -> Addressed {
        let id = Int(try #require(bot["bot_id"]?.integer))
        let known = try #require(portal.bots.first { $0.id == id })
        return Addressed(json: bot, id: id, url: known.handlerURL)
    }

    func ready() async throws -> (Installed, Addressed) {
        let installed = try await installed()
        return (installed, try await address(of: try await bot(of: installed)))
    }

    private var auth: JSON {
        get throws {
            let installed = try #require(portal.bots.first?.clientID)
            return [
                "member_id": .string(portal.settings.memberID), "domain": .string(portal.domain),
                "client_endpoint": .string(portal.clientEndpoint),
                "application_token": .string(try #require(portal.applicationToken(of: installed))),
            ]
        }
    }

    /// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/events/events.md`.
    func message(to bot: Addressed, _ text: String, id: Int) -> JSON {
        let data: JSON = [
            "bot": ["id": .integer(Int64(bot.id)), "code": "helper"],
            "message": [
                "id": .integer(Int64(id)), "chatId": "77", "authorId": "2", "text": .string(text), "isSystem": "0",
            ],
            "chat": ["id": "77", "dialogId": "2", "type": "private"], "user": ["id": "2", "bot": "0"],
            "language": "en",
        ]
        return ["event": "ONIMBOTV2MESSAGEADD", "data": data, "auth": (try? auth) ?? .null]
    }

    /// Documentation: `api-reference/chat-bots/outdated/messages/events/on-imbot-message-add.md`.
    func firstGeneration(to bots: [Int], _ text: String, id: Int) -> JSON {
        let each = bots.map { (String($0), ["BOT_ID": .string(String($0)), "BOT_CODE": "helper"] as JSON) }
        let parameters: JSON = [
            "MESSAGE": .string(text), "MESSAGE_ID": .integer(Int64(id)), "DIALOG_ID": "chat77", "CHAT_ID": "77",
            "AUTHOR_ID": "2", "CHAT_TYPE": "C",
        ]
        return [
            "event": "ONIMBOTMESSAGEADD",
            "data": [
                "BOT": .object(Members(each)), "PARAMS": parameters,
                "USER": ["ID": "2", "IS_BOT": "N"],
            ],
            "auth": (try? auth) ?? .null,
        ]
    }

    /// Gives the store so many pages, or what it has if that is more.
    func limitStore(to pages: Int) async throws {
        _ = try await database.write { connection in
            try connection.row("PRAGMA max_page_count = \(pages)", []) { $0.integer(0) }
        }
    }

    /// Waits until nothing is left to do.
    func quiet() async throws {
        try await eventually { try await self.read("work")["items"]?.array == [] }
    }
}
