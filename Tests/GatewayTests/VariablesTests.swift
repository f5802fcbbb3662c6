import Base
import Foundation
import Testing

@testable import Bitrix24
@testable import Gateway

/// The documentation's example events, as Bitrix24 sends them.
enum Example: String, Sendable, CaseIterable {
    case firstPrivate = "v1-message-add-private"
    case firstGroup = "v1-message-add-group"
    case firstCommand = "v1-command-add-group"
    case second = "v2-messageadd"
    case secondCommand = "v2-commandadd"

    func tree() throws -> JSON {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appending(path: "Bitrix24Tests/Fixtures/\(rawValue).json")
        return try JSON(parsing: Array(Data(contentsOf: file)))
    }

    /// All variables, tokens among them.
    func variables(_ change: (inout JSON) -> Void = { _ in }) throws -> Members<String> {
        var tree = try tree()
        change(&tree)
        let event = try PortalEvent(decoding: Array(Form.encode(tree).utf8), contentType: nil)
        guard case .bots(let bots) = event.content, let bot = bots.first else { throw NoBot() }
        let plain = Variables.plain(
            bot, auth: event.auth, installationScope: "of the installation",
            clientEndpoint: "https://installation.example/rest/")
        let tokens = Variables.tokens(bot, auth: event.auth, userAccessToken: Secret("token-of-the-installation"))
        return plain.merging(tokens.mapValues { $0.reveal() })
    }

    private struct NoBot: Error {}
}

extension JSON {
    /// A value deep inside, for changing it.
    subscript(path path: [String]) -> JSON? {
        get { path.reduce(self as JSON?) { $0?[$1] } }
        set {
            guard let first = path.first else { return }
            if path.count == 1 {
                self[first] = newValue
            } else {
                var inner = self[first] ?? [:]
                inner[path: Array(path.dropFirst())] = newValue
                self[first] = inner
            }
        }
    }
}

/// One test for each row of the table of variables.
@Suite("Variables that a bot receives")
struct VariablesTests {
    @Test(
        "event has the first generation's name",
        arguments: [
            (Example.firstPrivate, "ONIMBOTMESSAGEADD"), (.firstCommand, "ONIMCOMMANDADD"),
            (.second, "ONIMBOTMESSAGEADD"), (.secondCommand, "ONIMCOMMANDADD"),
        ])
    func event(example: Example, name: String) throws {
        #expect(try example.variables()["event"] == name)
    }

    @Test(
        "scope, client_endpoint and access_token are the event's",
        arguments: [
            (Example.firstPrivate, "a98b9d690000071b000008440000001b0000071d8a2"),
            (.second, "0b02a0690000071b0008440001b0007a16b39202c2490f015"),
        ])
    func auth(example: Example, token: String) throws {
        let variables = try example.variables()
        #expect(variables["scope"] == "imbot")
        #expect(variables["client_endpoint"] == "https://some-domain.bitrix24.com/rest/")
        #expect(variables["access_token"] == token)
    }

    @Test("where an event has no scope, client_endpoint and access_token, the second generation has the installation's")
    func noAuth() throws {
        let auth: JSON = ["member_id": "m", "application_token": "t"]
        let second = try Example.second.variables { $0["auth"] = auth }
        #expect(second["scope"] == "of the installation")
        #expect(second["client_endpoint"] == "https://installation.example/rest/")
        #expect(second["access_token"] == "token-of-the-installation")
        let first = try Example.firstPrivate.variables { $0["auth"] = auth }
        #expect(first["scope"] == nil && first["client_endpoint"] == nil && first["access_token"] == nil)
    }

    @Test("user_access_token is the installation's", arguments: [Example.firstPrivate, .second])
    func userToken(example: Example) throws {
        #expect(try example.variables()["user_access_token"] == "token-of-the-installation")
    }

    @Test("bot_access_token is the bot's own, in the first generation also one level higher")
    func botToken() throws {
        let first = try Example.firstPrivate.variables()
        #expect(first["bot_access_token"] == "a98b9d690000071b0000084400000237f0f107589d1e")
        let higher = try Example.firstPrivate.variables { $0[path: ["data", "BOT", "567", "AUTH"]] = nil }
        #expect(higher["bot_access_token"] == "a98b9d690000071b0000084400000237f0f107589d1e")
        let second = try Example.second.variables()
        #expect(second["bot_access_token"] == "0b02a0690000071b0008440001b0007a16b39202c2490f015")
    }

    @Test(
        "BOT_ID, DIALOG_ID, CHAT_ID, MESSAGE_ID and MESSAGE; a private dialog's CHAT_ID is its TO_CHAT_ID",
        arguments: [
            (Example.firstPrivate, ["567", "27", "1407", "84331", "Hello"]),
            (.firstCommand, ["1291", "chat2725", "2725", "33871", "/echo test"]),
            (.second, ["456", "chat5", "5", "789", "Hello bot!"]),
        ])
    func message(example: Example, expected: [String]) throws {
        let variables = try example.variables()
        let names = ["BOT_ID", "DIALOG_ID", "CHAT_ID", "MESSAGE_ID", "MESSAGE"]
        #expect(names.map { variables[$0] } == expected)
    }

    @Test("AUTHOR_ID and USER_ID", arguments: [(Example.firstPrivate, "27"), (.firstCommand, "1269"), (.second, "1")])
    func author(example: Example, id: String) throws {
        let variables = try example.variables()
        #expect(variables["AUTHOR_ID"] == id && variables["USER_ID"] == id)
    }

    @Test("CHAT_AUTHOR_ID, CHAT_TITLE, CHAT_ENTITY_ID, CHAT_ENTITY_DATA_1 and CHAT_ENTITY_DATA_2")
    func chat() throws {
        let names = ["CHAT_AUTHOR_ID", "CHAT_TITLE", "CHAT_ENTITY_ID", "CHAT_ENTITY_DATA_1", "CHAT_ENTITY_DATA_2"]
        let first = try Example.firstGroup.variables {
            $0[path: ["data", "PARAMS", "CHAT_ENTITY_ID"]] = "livechat|1|105|27"
            $0[path: ["data", "PARAMS", "CHAT_ENTITY_DATA_1"]] = "Y|LEAD|1209"
            $0[path: ["data", "PARAMS", "CHAT_ENTITY_DATA_2"]] = "LEAD|1209"
        }
        #expect(names.map { first[$0] } == ["27", "Brown Chat #18", "livechat|1|105|27", "Y|LEAD|1209", "LEAD|1209"])
        let second = try Example.second.variables {
            $0[path: ["data", "chat", "entityId"]] = "livechat|1|5|1"
            $0[path: ["data", "chat", "entityData1"]] = "N|NONE"
            $0[path: ["data", "chat", "entityData2"]] = "LEAD|0"
        }
        #expect(names.map { second[$0] } == ["1", "Support Chat", "livechat|1|5|1", "N|NONE", "LEAD|0"])
    }

    @Test("a private dialog has no variables of a chat")
    func privateChat() throws {
        let variables = try Example.firstPrivate.variables()
        #expect(variables.keys.filter { $0.hasPrefix("CHAT_") } == ["CHAT_ID"])
    }

    @Test(
        "FIRST_NAME and LAST_NAME",
        arguments: [(Example.firstPrivate, "Svetlana", "Ivanova"), (.second, "John", "Smith")])
    func name(example: Example, first: String, last: String) throws {
        let variables = try example.variables()
        #expect(variables["FIRST_NAME"] == first && variables["LAST_NAME"] == last)
    }

    @Test("IS_BOT, IS_CONNECTOR, IS_NETWORK and IS_EXTRANET are Y or N")
    func flags() throws {
        let names = ["IS_BOT", "IS_CONNECTOR", "IS_NETWORK", "IS_EXTRANET"]
        let first = try Example.firstPrivate.variables { $0[path: ["data", "USER", "IS_CONNECTOR"]] = "Y" }
        #expect(names.map { first[$0] } == ["N", "Y", "N", "N"])
        let second = try Example.second.variables()
        #expect(names.map { second[$0] } == ["N", "N", "N", "N"])
        let network = try Example.second.variables {
            $0[path: ["data", "user", "externalAuthId"]] = "network"
            $0[path: ["data", "user", "connector"]] = true
            $0[path: ["data", "user", "extranet"]] = true
        }
        #expect(names.map { network[$0] } == ["N", "Y", "Y", "Y"])
    }

    @Test("COMMAND_ID, COMMAND without its slash and COMMAND_PARAMS; a message has none")
    func command() throws {
        let names = ["COMMAND_ID", "COMMAND", "COMMAND_PARAMS"]
        let first = try Example.firstCommand.variables()
        #expect(names.map { first[$0] } == ["99", "echo", "test"])
        let inParameters = try Example.firstCommand.variables {
            for name in names {
                let value = $0[path: ["data", "COMMAND", "99", name]]
                $0[path: ["data", "COMMAND", "99", name]] = nil
                $0[path: ["data", "PARAMS", name]] = value
            }
        }
        #expect(names.map { inParameters[$0] } == ["99", "echo", "test"])
        let second = try Example.secondCommand.variables()
        #expect(names.map { second[$0] } == ["78", "help", "topic"])
        for example in [Example.firstPrivate, .second] {
            let variables = try example.variables()
            #expect(names.allSatisfy { variables[$0] == nil })
        }
    }

    @Test("LANGUAGE", arguments: [Example.firstPrivate, .second])
    func language(example: Example) throws {
        #expect(try example.variables()["LANGUAGE"] == "en")
    }

    @Test("file_id and file_type are the first file's; a file without words says that it was sent")
    func files() throws {
        let first = try Example.firstPrivate.variables {
            $0[path: ["data", "PARAMS", "MESSAGE"]] = ""
            $0[path: ["data", "PARAMS", "FILES"]] = [
                "1000": ["id": "1000", "name": "b.pdf", "type": "file"],
                "201": ["id": "201", "name": "a.png", "type": "file", "viewerAttrs": ["viewerType": "image"]],
            ]
        }
        #expect(first["file_id"] == "201" && first["file_type"] == "image" && first["MESSAGE"] == "File sent: a.png")
        let second = try Example.second.variables {
            $0[path: ["data", "message", "text"]] = ""
            $0[path: ["data", "message", "params"]] = ["files": [["id": 138, "type": "audio", "name": "a.ogg"]]]
        }
        #expect(second["file_id"] == "138" && second["file_type"] == "audio")
        #expect(second["MESSAGE"] == "File sent: a.ogg")
        #expect(try Example.second.variables()["file_id"] == nil)
    }
}
