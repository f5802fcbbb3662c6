import Base
import Foundation
import Sandbox
import TestSupport
import Testing

@Suite("Bots' profiles and commands in Bitrix24")
struct ProfileTests {
    private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
    private static let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 0x4A, 0x46, 0x49, 0x46, 0, 1]
    private static func base64(_ bytes: [UInt8]) -> JSON { .string(Data(bytes).base64EncodedString()) }

    @Test(
        "a bot has its position, colour and picture from the start, and new ones when they change",
        arguments: ["v2", "v1"])
    func profile(api: String) async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.make(
                "bots",
                [
                    "name": "Helper", "installation_id": .string(installed.id), "api": .string(api), "type": "bot",
                    "position": "Answers questions", "color": "lightBlue", "avatar": Self.base64(Self.png),
                ])
            #expect(bot["status"] == "active")
            #expect(bot["position"] == "Answers questions" && bot["color"] == "lightBlue" && bot["avatar"] == "••••")
            var shown = try #require(stage.portal.bots.first)
            #expect(shown.workPosition == "Answers questions" && shown.color == "#4ba5c3" && shown.avatar == Self.png)
            let path = "bots/\(try bot.field("id"))"
            let changed = try await stage.api(
                .patch, path,
                [
                    "position": nil, "color": "graphite",
                    "avatar": .string("data:image/jpeg;base64," + Data(Self.jpeg).base64EncodedString()),
                ])
            #expect(changed.status == 200 && changed.json["position"] == .null, "\(changed.text)")
            shown = try #require(stage.portal.bots.first)
            #expect(shown.workPosition.isEmpty && shown.color == "#5e5f5e" && shown.avatar == Self.jpeg)
            // What was read may be sent back whole.
            let changes = { stage.portal.calls.filter { $0.method.lowercased().hasSuffix("update") }.count }
            let before = changes()
            let same = try await stage.api(.patch, path, try await stage.read(path))
            #expect(same.status == 200 && same.json["avatar"] == "••••")
            #expect(changes() == before)
            let forgotten = try await stage.api(.patch, path, ["avatar": nil])
            #expect(forgotten.json["avatar"] == .null)
        }
    }

    @Test("a picture that is none, or is too large, is refused before Bitrix24 sees it")
    func wrongPicture() async throws {
        try await Stage.with { stage in
            let bot = try await stage.bot(of: try await stage.installed())
            let path = "bots/\(try bot.field("id"))"
            let large = Self.png + [UInt8](repeating: 0, count: 512 * 1024)
            let wrong: [JSON] = ["no base64!", Self.base64(Array("<svg/>".utf8)), Self.base64(large), 5]
            for avatar in wrong {
                let reply = try await stage.api(.patch, path, ["avatar": avatar])
                #expect(reply.status == 422 && reply.fields.keys.sorted() == ["avatar"])
            }
            #expect(try await stage.api(.patch, path, ["color": "#ff0000"]).fields.keys.sorted() == ["color"])
            #expect(stage.portal.bots.first?.avatar == nil)
        }
    }

    @Test(
        "a command's titles in each language and its flags reach Bitrix24, and so do their changes",
        arguments: ["v2", "v1"])
    func command(api: String) async throws {
        try await Stage.with { stage in
            let bot = try await stage.bot(of: try await stage.installed(), api: api)
            let path = "bots/\(try bot.field("id"))/commands"
            let made = try await stage.make(
                path,
                [
                    "command": "price", "common": true, "hidden": false, "extranet": true,
                    "translations": [
                        ["language": "en", "title": "Price", "params": "article"],
                        ["language": "de", "title": "Preis", "params": "Artikel"],
                    ],
                ])
            var command = try #require(stage.portal.commands.first)
            #expect(command.name == "price" && command.isCommon && !command.isHidden && command.isForExtranet)
            #expect(command.titles == ["en": "Price", "de": "Preis"])
            #expect(command.params == ["en": "article", "de": "Artikel"])
            let changed = try await stage.api(
                .patch, path + "/\(try made.field("id"))",
                [
                    "common": false, "hidden": true, "extranet": false,
                    "translations": [["language": "ru", "title": "Цена"]],
                ])
            #expect(changed.status == 200, "\(changed.text)")
            #expect(stage.portal.commands.count == 1)
            command = try #require(stage.portal.commands.first)
            #expect(!command.isCommon && command.isHidden && !command.isForExtranet)
            #expect(command.titles == ["ru": "Цена"] && command.params.values.allSatisfy(\.isEmpty))
        }
    }
}
