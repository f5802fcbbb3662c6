import Base
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The operator of the server")
    struct Operator {
        /// Runs `serve` where it must not start.
        /// - Returns: what it said: one line.
        private static func refusal(
            _ environment: [String: String], _ arguments: [String] = ["serve"]
        ) async throws -> String {
            let result = try await run(arguments, environment: environment)
            #expect(result.code == 1)
            let lines = result.output.split(separator: "\n").filter { !$0.hasPrefix("{") }
            #expect(lines.count == 1, "it said: \(result.output)")
            return lines.last.map(String.init) ?? ""
        }

        @Test(
            "wrong configuration stops the start with one sentence that names the variable",
            arguments: [
                ("BITBOT_LISTEN", "nonsense"), ("BITBOT_LISTEN", "127.0.0.1:99999"),
                ("BITBOT_LISTEN", "203.0.113.9:8080"),
                ("BITBOT_PUBLIC_URL", "ftp://bitbot.example"), ("BITBOT_DATA_DIR", "/proc/bitbot"),
                ("BITBOT_DATABASE_URL", "postgres://localhost/bitbot"), ("BITBOT_DATABASE_URL", "mysql://localhost"),
                ("BITBOT_DATABASE_URL", "sqlite:/nowhere/at/all/bitbot.db"),
                ("BITBOT_REDIS_URL", "rediss://localhost"), ("BITBOT_REDIS_URL", "localhost"),
                ("BITBOT_SECRET_KEY", "short"), ("BITBOT_OAUTH_URL", "oauth.bitrix.info"),
                ("BITBOT_SESSION_TTL", "soon"), ("BITBOT_PRIVATE_UPSTREAMS", "perhaps"), ("BITBOT_KEEP_DAYS", "0"),
                ("BITBOT_THREADS", "-1"), ("BITBOT_LOG_LEVEL", "loud"),
            ])
        func configuration(_ variable: String, _ value: String) async throws {
            var environment = ["BITBOT_LISTEN": "127.0.0.1:0"]
            environment[variable] = value
            #expect(try await Self.refusal(environment).contains(variable))
        }

        @Test("--sandbox refuses to be reached by others")
        func sandbox() async throws {
            let listen = try await Self.refusal(["BITBOT_LISTEN": "0.0.0.0:0"], ["serve", "--sandbox"])
            #expect(listen.contains("BITBOT_LISTEN"))
            let url = try await Self.refusal(
                ["BITBOT_LISTEN": "127.0.0.1:0", "BITBOT_PUBLIC_URL": "https://bitbot.example.com"],
                ["serve", "--sandbox"])
            #expect(url.contains("BITBOT_PUBLIC_URL"))
        }

        @Test("a word or flag that it does not know is named")
        func words() async throws {
            #expect(try await Self.refusal([:], ["swerve"]).contains("swerve"))
            #expect(try await Self.refusal([:], ["serve", "--listne", "x"]).contains("--listne"))
            #expect(try await Self.refusal([:], ["serve", "--listen"]).contains("--listen"))
        }

        @Test("--help names every command and variable's flag, --version the version")
        func help() async throws {
            let help = try await run(["--help"])
            #expect(help.code == 0)
            for word in [
                "serve", "doctor", "admin reset", "export", "import", "--secrets", "--data-dir", "--redis-url",
                "--log-level", "--version",
            ] {
                #expect(help.output.contains(word))
            }
            let version = try await run(["--version"])
            #expect(version.code == 0 && version.output.hasPrefix("bitbot "))
        }

        @Test("a flag wins over the variable of the same name")
        func flags() async throws {
            let said = try await Self.refusal(
                ["BITBOT_LISTEN": "127.0.0.1:0", "BITBOT_LOG_LEVEL": "info"], ["serve", "--log-level=loud"])
            #expect(said.contains("BITBOT_LOG_LEVEL"))
        }

        @Test("what is a flag without a value is a variable too")
        func switches() async throws {
            let sandbox = ["BITBOT_LISTEN": "0.0.0.0:0", "BITBOT_SANDBOX": "1"]
            #expect(try await Self.refusal(sandbox).contains("--sandbox"))
            #expect(try await Self.refusal(["BITBOT_SANDBOX": "perhaps"]).contains("BITBOT_SANDBOX"))
            #expect(try await Self.refusal(["BITBOT_SANDBOX": "1"], ["doctor"]).contains("No BitBot is running"))
        }

        @Test("output that nobody takes ends nothing but the printing", arguments: [">&-", ">/dev/full"])
        func unreadOutput(_ redirection: String) async throws {
            #expect(try await run(["--help"], redirected: redirection).code == 0)
            try await Self.withServer { server in
                let folder = ["BITBOT_DATA_DIR": server.data]
                #expect(try await run(["doctor"], environment: folder, redirected: redirection).code == 0)
                let export = try await run(["export"], environment: folder, redirected: redirection)
                #expect(export.code == 1 && export.output.contains("standard output"))
                #expect(await server.isReady())
            }
        }

        // MARK: Beside a server that runs

        @Test("a port that is taken, a data folder and a store that are in use are said, and the server there goes on")
        func taken() async throws {
            try await Self.withServer { server in
                let port = try await Self.refusal(["BITBOT_LISTEN": "127.0.0.1:\(server.port)"])
                #expect(port.contains("BITBOT_LISTEN") && port.contains("\(server.port)"))
                let folder = try await Self.refusal(
                    ["BITBOT_LISTEN": "127.0.0.1:0", "BITBOT_DATA_DIR": server.data])
                #expect(folder.contains("BITBOT_DATA_DIR"))
                // A link to the store leads to the same one.
                let link = server.folder.file("link.db")
                try FileManager.default.createSymbolicLink(
                    atPath: link, withDestinationPath: server.data + "/bitbot.db")
                let key = try String(contentsOfFile: server.data + "/secret.key", encoding: .utf8)
                for path in [server.data + "/bitbot.db", link] {
                    let store = try await Self.refusal([
                        "BITBOT_LISTEN": "127.0.0.1:0", "BITBOT_DATABASE_URL": "sqlite:" + path,
                        "BITBOT_SECRET_KEY": key,
                    ])
                    #expect(store.contains("BITBOT_DATABASE_URL: another BitBot is running on \(path)"), "\(store)")
                }
                #expect(await server.isReady())
                #expect(try await run(["doctor"], environment: ["BITBOT_DATA_DIR": server.data]).code == 0)
            }
        }

        @Test("a wrong secret key is refused, and the right one works again; so does a lost key file")
        func secretKey() async throws {
            try await Self.withServer { server in
                _ = try await server.create("apps", ["name": "A", "client_id": "a", "client_secret": "b"])
                try await server.terminate()
                let folder = ["BITBOT_LISTEN": "127.0.0.1:0", "BITBOT_DATA_DIR": server.data]
                let wrong = Data(Vault.randomBytes(32)).base64EncodedString()
                let said = try await Self.refusal(folder.merging(["BITBOT_SECRET_KEY": wrong]) { $1 })
                #expect(said.contains("BITBOT_SECRET_KEY") && !said.contains(wrong))
                let (key, away) = (server.data + "/secret.key", server.data + "/secret.away")
                try FileManager.default.moveItem(atPath: key, toPath: away)
                #expect(try await Self.refusal(folder).contains("BITBOT_SECRET_KEY"))
                try FileManager.default.moveItem(atPath: away, toPath: key)
                try await server.start()
                #expect(try await server.items("apps").count == 1)
            }
        }

        @Test("the generated key and the folder are for their owner alone")
        func modes() async throws {
            try await Self.withServer { server in
                func mode(_ path: String) throws -> Int {
                    let attributes = try FileManager.default.attributesOfItem(atPath: path)
                    return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
                }
                let (folder, key) = (try mode(server.data), try mode(server.data + "/secret.key"))
                #expect(folder == 0o700 && key == 0o600)
            }
        }

        @Test(
            "what a restored backup shows to others is for its owner alone again; of a folder that others can read it warns"
        )
        func restored() async throws {
            try await Self.withServer { server in
                try await server.terminate()
                #expect(!server.log.contains("others can read"))
                let files = ["bitbot.db", "bitbot.db-wal", "secret.key"].map { server.data + "/" + $0 }
                // A backup may hold it too.
                _ = FileManager.default.createFile(atPath: files[1], contents: Data())
                for file in files {
                    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
                }
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: server.data)
                try await server.start()
                for file in files + [server.data + "/bitbot.db-shm"] {
                    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
                    #expect(mode == 0o600, "\(file)")
                }
                #expect(server.log.contains("others can read"))
            }
        }

        @Test("a store from a newer version is left alone")
        func newer() async throws {
            try await Self.withServer { server in
                try await server.terminate()
                let path = server.data + "/bitbot.db"
                let file = try #require(FileHandle(forUpdatingAtPath: path))
                // The schema's version stands in the header, four bytes from the 60th.
                try file.seek(toOffset: 60)
                try file.write(contentsOf: Data([0, 0, 1, 0]))
                try file.close()
                let before = try Data(contentsOf: URL(fileURLWithPath: path))
                let said = try await Self.refusal(
                    ["BITBOT_LISTEN": "127.0.0.1:0", "BITBOT_DATA_DIR": server.data])
                #expect(said.contains("256") && said.contains("newer"))
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
            }
        }

        @Test("doctor and admin reset say when no server runs")
        func noServer() async throws {
            for arguments in [["doctor"], ["admin", "reset"]] {
                let result = try await run(arguments)
                #expect(result.code == 1 && result.output.contains("No BitBot is running"))
            }
        }

        @Test("doctor shows a line for each thing and fails when one does")
        func doctor() async throws {
            try await Stage.with { stage in
                let folder = ["BITBOT_DATA_DIR": stage.bitbot.data]
                let well = try await run(["doctor"], environment: folder)
                #expect(well.code == 0, "\(well.output)")
                for word in ["configuration", "store", "sessions", stage.portal.domain, "Support"] {
                    #expect(well.output.split(separator: "\n").contains { $0.hasPrefix("ok") && $0.contains(word) })
                }
                stage.portal.inject(.init(.error(status: 403, code: "ACCESS_DENIED", description: "No"), times: nil))
                let ill = try await run(["doctor"], environment: folder)
                #expect(ill.code == 1)
                #expect(
                    ill.output.split(separator: "\n").contains { $0.hasPrefix("FAIL") && $0.contains("ACCESS_DENIED") })
            }
        }

        @Test("admin reset prints a link that signs in once")
        func reset() async throws {
            try await Self.withServer { server in
                let result = try await run(["admin", "reset"], environment: ["BITBOT_DATA_DIR": server.data])
                #expect(result.code == 0 && result.output.contains(server.url + "/admin/#code="))
            }
        }

        @Test("export prints the configuration, with secrets only if asked, and import takes it on another server")
        func transfer() async throws {
            try await Self.withServer { server in
                let folder = ["BITBOT_DATA_DIR": server.data]
                let provider = try await server.create("providers", ["name": "Flows", "type": "dify_chatflow"])
                _ = try await server.create(
                    "connectors",
                    ["name": "Flow", "provider_id": try #require(provider["id"]), "key": "app-planted-0123456789"])
                let plain = try await run(["export"], environment: folder)
                #expect(plain.code == 0 && plain.output.contains("Flows") && !plain.output.contains("planted"))
                let whole = try await run(["export", "--secrets"], environment: folder)
                #expect(whole.code == 0 && whole.output.contains("app-planted-0123456789"))
                let file = server.folder.file("configuration.json")
                try whole.output.write(toFile: file, atomically: true, encoding: .utf8)
                try await Self.withServer { other in
                    let there = ["BITBOT_DATA_DIR": other.data]
                    let taken = try await run(["import", file], environment: there)
                    #expect(taken.code == 0 && taken.output.contains("added  1 connectors"), "\(taken.output)")
                    #expect(try await run(["export", "--secrets"], environment: there).output.contains("app-planted"))
                    let missing = try await run(["import", "/nowhere.json"], environment: there)
                    #expect(missing.code == 1 && missing.output.contains("/nowhere.json"))
                }
            }
        }

        @Test("import takes what export has printed, however many pictures it holds")
        func largeTransfer() async throws {
            let picture = Data([0x89, 0x50, 0x4E, 0x47] + [UInt8](repeating: 7, count: 510 * 1024))
                .base64EncodedString()
            let bots = (1...13).map { number -> JSON in
                [
                    "id": .string("\(number)"), "installation_id": "1", "name": "Bot", "code": .string("bot\(number)"),
                    "type": "openline", "api": "v2", "delivery": "webhook", "settings": [:], "position": "",
                    "has_avatar": true,
                ]
            }
            let made: JSON = [
                "bitbot": 1, "secrets": false,
                "apps": [["id": "1", "name": "App", "client_id": "local.1", "bitbot": true]],
                "portals": [["id": "1", "member_id": "m", "domain": "portal.invalid"]],
                "installations": [
                    [
                        "id": "1", "portal_id": "1", "app_id": "1", "kind": "app", "scope": "imbot",
                        "client_endpoint": "https://portal.invalid/rest/",
                        "server_endpoint": "https://oauth.invalid/rest/",
                    ]
                ],
                "bots": .array(bots),
                "bot_avatars": .array(bots.map { ["bot_id": $0["id"] ?? .null, "image": .string(picture)] }),
            ]
            try await Self.withServer { server in
                let here = ["BITBOT_DATA_DIR": server.data]
                let file = server.folder.file("configuration.json")
                try made.text.write(toFile: file, atomically: true, encoding: .utf8)
                let added = try await run(["import", file], environment: here)
                #expect(added.code == 0 && added.output.contains("added  13 bot avatars"), "\(added.output)")
                let printed = try await run(["export"], environment: here)
                #expect(printed.code == 0 && printed.output.utf8.count > 8 * 1024 * 1024)
                try printed.output.write(toFile: file, atomically: true, encoding: .utf8)
                let again = try await run(["import", file], environment: here)
                #expect(again.code == 0 && again.output.contains("changed  13 bot avatars"), "\(again.output)")
            }
        }

        @Test("the first start prints a link that leads to choosing a password; with a password it does so no more")
        func firstStart() async throws {
            try await Self.withServer { server in
                try await eventually { server.log.contains("/admin/#code=") }
                let code = try #require(
                    server.log.split(separator: "#code=").dropFirst().first?.prefix { !$0.isNewline })
                let chosen = try await server.send(
                    .post, "/api/v1/password", ["code": .string(String(code)), "password": "correct horse battery"])
                #expect(chosen.status == 200)
                try await server.terminate()
                let former = server.log.split(separator: "#code=").count
                try await server.start()
                try await eventually { server.log.contains("Its admin panel: \(server.url)/admin/") }
                #expect(server.log.split(separator: "#code=").count == former)
            }
        }

        /// A server alone, without any portal.
        private static func withServer(_ body: (RunningBitBot) async throws -> Void) async throws {
            let loops = EventLoopGroup(count: 1)
            let http = HTTPClient(loops: loops)
            let server = try RunningBitBot(http: http)
            do {
                try await server.start()
                try await body(server)
            } catch {
                print("BitBot's log ended:\n\(server.logTail)")
                server.kill()
                await http.shutdown()
                loops.stop()
                throw error
            }
            server.kill()
            await http.shutdown()
            loops.stop()
        }
    }
}
