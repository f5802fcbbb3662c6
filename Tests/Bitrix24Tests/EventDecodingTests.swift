import Base
import Testing

@testable import Bitrix24

/// The documentation's example events, as Bitrix24 sends them.
enum Example {
    static func json(_ bytes: [UInt8]) throws -> JSON { try JSON(parsing: bytes) }

    /// As a form, with everything a string.
    static func event(_ bytes: [UInt8], change: (inout JSON) -> Void = { _ in }) throws -> PortalEvent {
        var tree = try json(bytes)
        change(&tree)
        let form = Array(Form.encode(tree).utf8)
        let event = try PortalEvent(decoding: form, contentType: "application/x-www-form-urlencoded")
        var whole = try PortalEvent(tree: try Form.decode(form))
        whole.body = event.body
        #expect(String(reflecting: event) == String(reflecting: whole), "a field that is read is left out of the form")
        return event
    }

    /// The only bot of an event.
    static func bot(_ bytes: [UInt8], change: (inout JSON) -> Void = { _ in }) throws -> BotEvent {
        guard case .bots(let bots) = try event(bytes, change: change).content, bots.count == 1 else {
            throw Unexpected()
        }
        return bots[0]
    }

    struct Unexpected: Error {}
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

@Suite("Events of the first generation")
struct FirstGenerationTests {
    @Test("a private message carries every variable that it has")
    func privateMessage() throws {
        let event = try Example.event(PackageResources.v1_message_add_private_json)
        #expect(event.name == "ONIMBOTMESSAGEADD")
        #expect(event.auth.memberID == "bac1cd5c8940947a75e0d71b1a84e348")
        #expect(event.auth.applicationToken?.reveal() == "831c76b092f9f135d9b66c3a720757")
        #expect(event.auth.accessToken?.reveal() == "a98b9d690000071b000008440000001b0000071d8a2")
        #expect(event.auth.scope == "imbot")
        #expect(event.auth.clientEndpoint == "https://some-domain.bitrix24.com/rest/")
        #expect(event.auth.serverEndpoint == "https://oauth.bitrix.info/rest/")
        #expect(event.auth.userID == "27")
        #expect(event.auth.expiresIn == 3600)

        let bot = try Example.bot(PackageResources.v1_message_add_private_json)
        #expect(bot.kind == .message && bot.generation == .first)
        #expect(bot.firstGenerationName == "ONIMBOTMESSAGEADD")
        #expect(bot.botID == 567)
        #expect(bot.botAccessToken?.reveal() == "a98b9d690000071b0000084400000237f0f107589d1e")
        #expect(bot.dialogID == "27")
        #expect(bot.chat.id == "1407")
        #expect(bot.chat.type == "P")
        #expect(bot.messageID == 84331)
        #expect(bot.text == "Hello")
        #expect(bot.authorID == "27" && bot.user.id == "27")
        #expect(bot.user.firstName == "Svetlana" && bot.user.lastName == "Ivanova")
        #expect(bot.user.isBot == false && bot.user.isConnector == false)
        #expect(bot.user.isNetwork == false && bot.user.isExtranet == false)
        #expect(bot.language == "en")
        #expect(!bot.isSystem && !bot.isOpenChannel)
        #expect(bot.chat.title == nil && bot.chat.entityID == nil)
    }

    @Test("a group's message carries the chat's fields")
    func groupMessage() throws {
        let bot = try Example.bot(PackageResources.v1_message_add_group_json) {
            $0[path: ["data", "PARAMS", "CHAT_ENTITY_TYPE"]] = "LINES"
            $0[path: ["data", "PARAMS", "CHAT_ENTITY_ID"]] = "livechat|1|105|27"
            $0[path: ["data", "PARAMS", "CHAT_ENTITY_DATA_1"]] = "Y|LEAD|1209|N|N|343|1773682918|0|0|0"
            $0[path: ["data", "PARAMS", "CHAT_ENTITY_DATA_2"]] = "LEAD|1209|COMPANY|0|CONTACT|0|DEAL|0"
        }
        #expect(bot.dialogID == "chat1157" && bot.chat.id == "1157")
        #expect(bot.text == "how to set up the left menu" && bot.mentions == .bot)
        #expect(bot.chat.authorID == "27" && bot.chat.title == "Brown Chat #18")
        #expect(bot.isOpenChannel)
        #expect(bot.chat.entityID == "livechat|1|105|27")
        #expect(bot.chat.entityData1 == "Y|LEAD|1209|N|N|343|1773682918|0|0|0")
        #expect(bot.chat.entityData2 == "LEAD|1209|COMPANY|0|CONTACT|0|DEAL|0")
    }

    @Test("a mention that is only listed, or only in the text, is one too")
    func mentions() throws {
        let listed = try Example.bot(PackageResources.v1_message_add_group_json) {
            $0[path: ["data", "PARAMS", "MESSAGE_ORIGINAL"]] = nil
        }
        #expect(listed.mentions == .bot && listed.text == "how to set up the left menu")
        let none = try Example.bot(PackageResources.v1_message_add_group_json) {
            $0[path: ["data", "PARAMS", "MESSAGE_ORIGINAL"]] = nil
            $0[path: ["data", "PARAMS", "MENTIONED_LIST"]] = ["27": "27"]
        }
        #expect(none.mentions == .others && none.text == ", how to set up the left menu")
        let inText = try Example.bot(PackageResources.v1_message_add_private_json) {
            $0[path: ["data", "PARAMS", "MESSAGE"]] = "[USER=567]NewBot[/USER], hello"
        }
        #expect(inText.mentions == .bot && inText.text == "hello")
        let second = try Example.bot(PackageResources.v2_messageadd_json) {
            $0[path: ["data", "message", "text"]] = "[USER=456]Bot[/USER], hello"
        }
        #expect(second.mentions == .bot && second.text == "hello")
    }

    @Test("an event for two bots becomes two, each with its own token")
    func twoBots() throws {
        let event = try Example.event(PackageResources.v1_message_add_private_json) {
            $0[path: ["data", "BOT", "99"]] = ["BOT_ID": "99", "access_token": "token-of-the-second-bot"]
        }
        guard case .bots(let bots) = event.content else { return #expect(Bool(false)) }
        #expect(bots.map(\.botID) == [99, 567])
        // Only the higher level has it here.
        #expect(bots[0].botAccessToken?.reveal() == "token-of-the-second-bot")
        #expect(bots.allSatisfy { $0.text == "Hello" })
    }

    @Test("files are named by their number in order, with the viewer's type")
    func files() throws {
        let bot = try Example.bot(PackageResources.v1_message_add_private_json) {
            $0[path: ["data", "PARAMS", "FILES"]] = [
                "1000": ["id": "1000", "name": "b.pdf", "type": "file"],
                "201": [
                    "id": "201", "name": "a.png", "type": "file", "viewerAttrs": ["viewerType": "image"],
                    "size": "1234", "extension": "png", "mimeType": "image/png",
                ],
            ]
        }
        #expect(bot.files.map(\.id) == ["201", "1000"])
        #expect(bot.files[0].type == "image" && bot.files[0].name == "a.png")
        #expect(bot.files[0].size == 1234 && bot.files[0].fileExtension == "png")
        #expect(bot.files[0].mediaType == "image/png")
        #expect(bot.files[1].type == "file" && bot.files[1].size == nil)
    }

    @Test("files that are only named by number are kept")
    func fileNumbers() throws {
        let bot = try Example.bot(PackageResources.v1_message_add_private_json) {
            $0[path: ["data", "PARAMS", "PARAMS", "FILE_ID"]] = ["5249", "5250"]
        }
        #expect(bot.files.map(\.id) == ["5249", "5250"])
    }

    @Test(
        "a command carries its number, name and parameters",
        arguments: [PackageResources.v1_command_add_private_json, PackageResources.v1_command_add_group_json])
    func command(bytes: [UInt8]) throws {
        let bot = try Example.bot(bytes)
        #expect(bot.kind == .command && bot.firstGenerationName == "ONIMCOMMANDADD")
        #expect(bot.botID == 1291)
        #expect(bot.command?.name == "echo" && bot.command?.params == "test")
        #expect(["103", "99"].contains(bot.command?.id))
        #expect([33899, 33871].contains(bot.messageID))
        #expect(bot.text == "/echo test")
        #expect(["1269", "chat2725"].contains(bot.dialogID))
        #expect(bot.botAccessToken != nil && bot.user.firstName == "John" && bot.user.isBot == nil)
    }

    @Test("a command is typed, or pressed on a keyboard or in a menu")
    func commandContext() throws {
        for (context, isPressed) in [("TEXTAREA", false), ("KEYBOARD", true), ("MENU", true), ("", false)] {
            let bot = try Example.bot(PackageResources.v1_command_add_private_json) {
                $0[path: ["data", "COMMAND", "103", "COMMAND_CONTEXT"]] = .string(context)
            }
            #expect(bot.command?.isPressed == isPressed)
            let second = try Example.bot(PackageResources.v2_commandadd_json) {
                $0[path: ["data", "command", "context"]] = .string(context.lowercased())
            }
            #expect(second.command?.isPressed == isPressed)
        }
    }

    @Test("a command whose fields are all in PARAMS is taken, whether the bot is named there or beside it")
    func commandInParameters() throws {
        for isBeside in [false, true] {
            let event = try Example.event(PackageResources.v1_command_add_private_json) { tree in
                let fields = tree[path: ["data", "COMMAND", "103"]]
                for name in ["COMMAND", "COMMAND_ID", "COMMAND_PARAMS", "MESSAGE_ID", isBeside ? "" : "BOT_ID"] {
                    if let value = fields?[name] { tree[path: ["data", "PARAMS", name]] = value }
                }
                if isBeside { tree[path: ["data", "BOT", "1291"]] = fields?["AUTH"].map { ["AUTH": $0] } ?? [:] }
                tree[path: ["data", "COMMAND"]] = nil
            }
            guard case .bots(let bots) = event.content, let bot = bots.first else { return #expect(Bool(false)) }
            #expect(bots.count == 1 && bot.kind == .command && bot.botID == 1291 && bot.dialogID == "1269")
            #expect(bot.command?.id == "103" && bot.command?.name == "echo" && bot.command?.params == "test")
            #expect(bot.messageID != nil && (bot.botAccessToken != nil) == isBeside)
        }
    }

    @Test("joining has no message, and the one who asked the bot in")
    func joined() throws {
        let alone = try Example.bot(PackageResources.v1_join_chat_private_json)
        #expect(alone.kind == .joined && alone.messageID == nil && alone.dialogID == "27" && alone.user.id == "27")
        let group = try Example.bot(PackageResources.v1_join_chat_group_json)
        #expect(group.dialogID == "chat1157" && group.chat.authorID == "27" && group.language == "de")
    }

    @Test("changed and deleted messages carry the message's number, also where the user is missing")
    func changes() throws {
        let changed = try Example.bot(PackageResources.v1_message_update_group_json)
        #expect(changed.kind == .messageUpdated && changed.messageID == 84537 && changed.text == "create a task list")
        #expect(changed.user.id == nil && changed.authorID == "27")
        let deleted = try Example.bot(PackageResources.v1_message_delete_private_json)
        #expect(deleted.kind == .messageDeleted && deleted.messageID == 84525 && deleted.dialogID == "27")
    }

    @Test("a deleted bot is named")
    func deleted() throws {
        let bot = try Example.bot(PackageResources.v1_bot_delete_json)
        #expect(bot.kind == .deleted && bot.botID == 567 && bot.dialogID.isEmpty)
    }
}

@Suite("Events of the second generation")
struct SecondGenerationTests {
    @Test("a message carries every variable that it has, as form and as JSON", arguments: [true, false])
    func message(asForm: Bool) throws {
        var tree = try Example.json(PackageResources.v2_messageadd_json)
        tree[path: ["data", "chat", "entityType"]] = "LINES"
        tree[path: ["data", "chat", "entityId"]] = "livechat|1|5|1"
        tree[path: ["data", "chat", "entityData1"]] = "N|NONE|0|N|N|7|1773682918|0|0|0"
        tree[path: ["data", "user", "externalAuthId"]] = "network"
        tree[path: ["data", "user", "connector"]] = true
        let body = asForm ? Array(Form.encode(tree).utf8) : tree.bytes
        let event = try PortalEvent(decoding: body, contentType: asForm ? nil : "application/json")
        #expect(event.name == "ONIMBOTV2MESSAGEADD")
        #expect(event.auth.applicationToken?.reveal() == "831c76b092f9f135d9b6b36c3a720757")
        guard case .bots(let bots) = event.content, let bot = bots.first else { return #expect(Bool(false)) }
        #expect(bot.kind == .message && bot.generation == .second && bot.firstGenerationName == "ONIMBOTMESSAGEADD")
        #expect(bot.botID == 456 && bot.dialogID == "chat5" && bot.chat.id == "5" && bot.messageID == 789)
        #expect(bot.botAccessToken?.reveal() == "0b02a0690000071b0008440001b0007a16b39202c2490f015")
        #expect(bot.text == "Hello bot!" && bot.authorID == "1" && bot.user.id == "1" && bot.language == "en")
        #expect(bot.user.firstName == "John" && bot.user.lastName == "Smith")
        #expect(bot.user.isConnector == true && bot.user.isNetwork == true && bot.user.isBot == false)
        #expect(bot.user.isExtranet == false)
        #expect(bot.chat.authorID == "1" && bot.chat.title == "Support Chat" && bot.isOpenChannel)
        #expect(bot.chat.entityID == "livechat|1|5|1" && bot.chat.entityData1?.hasPrefix("N|NONE") == true)
        let again = try PortalEvent(decoding: event.body, contentType: asForm ? nil : "application/json")
        #expect(String(reflecting: again) == String(reflecting: event))
    }

    @Test("a command comes without its slash")
    func command() throws {
        let bot = try Example.bot(PackageResources.v2_commandadd_json)
        #expect(bot.kind == .command && bot.firstGenerationName == "ONIMCOMMANDADD")
        #expect(bot.command?.id == "78" && bot.command?.name == "help" && bot.command?.params == "topic")
        #expect(bot.messageID == 790 && bot.text == "/help topic")
    }

    @Test("joining, deletion, reaction and context are told apart")
    func others() throws {
        let joined = try Example.bot(PackageResources.v2_joinchat_json)
        #expect(joined.kind == .joined && joined.dialogID == "chat5" && joined.user.id == "1")
        let deleted = try Example.bot(PackageResources.v2_delete_json)
        #expect(deleted.kind == .deleted && deleted.botID == 456 && deleted.dialogID.isEmpty)
        let reaction = try Example.bot(PackageResources.v2_reactionchange_json)
        #expect(reaction.reaction?.name == "like" && reaction.reaction?.isSet == true && reaction.messageID == 789)
        let context = try Example.bot(PackageResources.v2_contextget_json)
        #expect(context.kind == .contextRequested && context.dialogID == "1" && context.chat.type == "private")
    }

    @Test("a deleted message is known by its number alone")
    func messageDeleted() throws {
        let bot = try Example.bot(PackageResources.v2_messageadd_json) {
            $0["event"] = "ONIMBOTV2MESSAGEDELETE"
            $0[path: ["data", "message"]] = nil
            $0[path: ["data", "messageId"]] = "789"
        }
        #expect(bot.kind == .messageDeleted && bot.messageID == 789)
    }

    @Test("files come as descriptions or as numbers")
    func files() throws {
        let described = try Example.bot(PackageResources.v2_messageadd_json) {
            $0[path: ["data", "message", "params"]] = ["files": [["id": 138, "type": "audio", "name": "a.ogg"]]]
        }
        #expect(described.files.map(\.id) == ["138"] && described.files[0].type == "audio")
        let numbered = try Example.bot(PackageResources.v2_messageadd_json) {
            $0[path: ["data", "message", "params"]] = ["FILE_ID": [138, 139]]
        }
        #expect(numbered.files.map(\.id) == ["138", "139"])
    }

    @Test("a short auth leaves it to the bot's own to name the portal")
    func shortAuth() throws {
        let event = try Example.event(PackageResources.v2_messageadd_json) {
            $0["auth"] = ["domain": "your-account.bitrix24.com", "application_token": "token-of-the-top"]
        }
        #expect(event.auth.memberID == "bac1cd5c8940947a75e0d71b1a84e348")
        #expect(event.auth.applicationToken?.reveal() == "token-of-the-top")
        #expect(event.auth.accessToken == nil)
    }
}

@Suite("Events of applications, and bodies that are none")
struct ApplicationEventTests {
    @Test("installation, update and removal are told apart, with the tokens that they bring")
    func application() throws {
        let installed = try Example.event(PackageResources.app_install_json)
        guard case .applicationInstalled = installed.content else { return #expect(Bool(false)) }
        #expect(installed.auth.refreshToken?.reveal() == "4s386p3q0tr8dy89xvmt96234v3dljg8")
        guard case .applicationUpdated = try Example.event(PackageResources.app_update_json).content else {
            return #expect(Bool(false))
        }
        let removed = try Example.event(PackageResources.app_uninstall_json)
        guard case .applicationUninstalled(clean: true) = removed.content else { return #expect(Bool(false)) }
        #expect(removed.auth.accessToken == nil && removed.auth.applicationToken != nil)
    }

    @Test("an event that nobody knows is unknown, not an error")
    func unknown() throws {
        let event = try PortalEvent(decoding: Array("event=ONCRMLEADADD&auth[member_id]=a".utf8), contentType: nil)
        guard case .unknown = event.content else { return #expect(Bool(false)) }
    }

    @Test(
        "what is missing or cannot be is named",
        arguments: [
            ("", EventDecodingError.missing("event")),
            ("event=ONAPPINSTALL", .missing("auth[member_id]")),
            ("{", .notJSON),
            ("event=ONIMBOTMESSAGEADD&auth[member_id]=a", .missing("data[BOT]")),
            ("event=ONIMBOTMESSAGEADD&auth[member_id]=a&data[BOT]=1", .missing("data[BOT]")),
            (
                "event=ONIMBOTMESSAGEADD&auth[member_id]=a&data[BOT][7][BOT_ID]=7",
                .missing("data[PARAMS][DIALOG_ID]")
            ),
            (
                "event=ONIMBOTMESSAGEADD&auth[member_id]=a&data[BOT][7][BOT_ID]=99999999999999999999",
                .invalid("data[BOT][7][BOT_ID]: 99999999999999999999")
            ),
            (
                "event=ONIMBOTMESSAGEADD&auth[member_id]=a&data[BOT][7][BOT_ID]=7&data[PARAMS][DIALOG_ID]=1"
                    + "&data[PARAMS][MESSAGE_ID]=-3",
                .invalid("data[PARAMS][MESSAGE_ID]: -3")
            ),
            ("event=ONIMBOTV2MESSAGEADD&auth[member_id]=a&data[bot][id]=0", .invalid("data[bot][id]: 0")),
            ("event=ONIMBOTV2COMMANDADD&auth[member_id]=a", .missing("data[bot][id]")),
        ])
    func refused(body: String, error: EventDecodingError) {
        #expect(throws: error) { try PortalEvent(decoding: Array(body.utf8), contentType: nil) }
    }

    @Test("no body of random fields traps")
    func randomBodies() {
        var generator = SystemRandomNumberGenerator()
        let words = [
            "event", "data", "auth", "BOT", "bot", "PARAMS", "message", "id", "BOT_ID", "COMMAND", "7", "-1", "Y", "",
            "ONIMBOTMESSAGEADD", "ONIMBOTV2MESSAGEADD", "ONIMCOMMANDADD", "ONIMBOTDELETE", "member_id", "FILES", "chat",
            "99999999999999999999", "DIALOG_ID", "MESSAGE_ID", "user",
        ]
        for _ in 0..<2_000 {
            var pairs = ["event=" + words[Int.random(in: 14...17, using: &generator)], "auth[member_id]=a"]
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                let key = (0..<Int.random(in: 0...4, using: &generator))
                    .map { _ in "[\(words.randomElement(using: &generator) ?? "")]" }.joined()
                pairs.append("data\(key)=\(words.randomElement(using: &generator) ?? "")")
            }
            _ = try? PortalEvent(decoding: Array(pairs.joined(separator: "&").utf8), contentType: nil)
        }
    }
}

@Suite("Installation pages")
struct InstallationPostTests {
    private static let query = "DOMAIN=portal.bitrix24.com&PROTOCOL=1&LANG=en&APP_SID=dd8cec11e347088fe87c44870a9f1dba"
    private static let body =
        "AUTH_ID=ahodg4h37n89vo17gbkgq0x1l825nnb5&AUTH_EXPIRES=3600&REFRESH_ID=2lg086mxijlpvwh0h7r4nl19udm4try5"
        + "&SERVER_ENDPOINT=https%3A%2F%2Foauth.bitrix.info%2Frest%2F&APPLICATION_TOKEN=ec1b2074a9d3f5c81b6e40d27a95cf38"
        + "&APPLICATION_SCOPE=crm%2Centity&member_id=a223c6b3710f85df22e9377d6c4f7553&status=F&PLACEMENT=DEFAULT"

    @Test("the names' mixed case is read as it comes")
    func decoded() throws {
        let post = try InstallationPost(decoding: Array(Self.body.utf8), query: Self.query)
        #expect(post.domain == "portal.bitrix24.com" && post.clientEndpoint == "https://portal.bitrix24.com/rest/")
        #expect(post.authID.reveal() == "ahodg4h37n89vo17gbkgq0x1l825nnb5" && post.refreshID != nil)
        #expect(post.expiresIn == 3600 && post.memberID == "a223c6b3710f85df22e9377d6c4f7553")
        #expect(post.serverEndpoint == "https://oauth.bitrix.info/rest/" && post.applicationScope == "crm,entity")
        #expect(post.applicationToken != nil && post.status == "F" && post.placement == "DEFAULT")
        #expect(post.language == "en")
    }

    @Test("a domain that is none is refused", arguments: ["a/b", "a@b", "a b", "", "a:b:c", "a:99999", "x?y"])
    func badDomain(domain: String) {
        let query = "DOMAIN=" + Form.percentEncode(domain)
        #expect(throws: EventDecodingError.self) {
            try InstallationPost(decoding: Array(Self.body.utf8), query: query)
        }
    }
}

@Suite("PHP's way of writing values")
struct LenientJSONTests {
    @Test("an empty list, false, null and nothing are an empty object")
    func emptyObjects() {
        for value: JSON in [[], false, nil, "", 0] { #expect(value.looseObject.isEmpty && value.looseList.isEmpty) }
    }

    @Test("a list is an object with numbers for keys, and the other way round")
    func lists() {
        #expect((["a", "b"] as JSON).looseObject == ["0": "a", "1": "b"])
        #expect((["10": "c", "9": "b", "x": "d"] as JSON).looseList == ["b", "c", "d"])
    }

    @Test("flags come in many shapes")
    func flags() {
        for value: JSON in [true, 1, "1", "Y", "true"] { #expect(value.looseFlag == true) }
        for value: JSON in [false, 0, "0", "N", "false"] { #expect(value.looseFlag == false) }
        for value: JSON in [nil, "", "maybe", 2, [], [:]] { #expect(value.looseFlag == nil) }
    }

    @Test("numbers may be text; what is too large is no number")
    func numbers() {
        #expect(("42" as JSON).looseInteger == 42 && (42 as JSON).looseText == "42")
        #expect(("99999999999999999999" as JSON).looseInteger == nil)
        #expect(JSON.number(1e300).looseInteger == nil && ("inf" as JSON).looseNumber == nil)
        #expect(("" as JSON).looseText == nil)
    }
}
