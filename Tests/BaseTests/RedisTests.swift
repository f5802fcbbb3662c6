import Synchronization
import TestSupport
import Testing

@testable import Base

@Suite struct RedisTests {
    private func connect(_ server: RedisServer, suffix: String = "", log: Log = .silent) throws -> Redis {
        Redis(try Redis.Address(server.url + suffix), log: log)
    }

    @Test("a value is kept, read, replaced and deleted, whatever its bytes")
    func values() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let redis = try connect(server)
        #expect(try await redis.get("key") == nil)
        try await redis.set("key", "one", expiresIn: .seconds(60))
        try await redis.set("key", "zwei\r\n\0 😀", expiresIn: .seconds(60))
        #expect(try await redis.get("key") == "zwei\r\n\0 😀")
        try await redis.set("", "", expiresIn: .seconds(60))
        #expect(try await redis.get("") == "")
        try await redis.delete("key")
        try await redis.delete("key")
        #expect(try await redis.get("key") == nil)
        #expect(redis.isReachable)
        await redis.shutdown()
    }

    @Test("a value is gone when its time is over")
    func expiry() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let redis = try connect(server)
        try await redis.set("short", "x", expiresIn: .milliseconds(50))
        try await redis.set("none", "x", expiresIn: .zero)
        try await redis.set("long", "x", expiresIn: .seconds(60))
        try await eventually { try await redis.get("short") == nil }
        try await eventually { try await redis.get("none") == nil }
        #expect(try await redis.get("long") == "x")
    }

    @Test("a password opens the server, a wrong or missing one is refused in the server's words")
    func password() async throws {
        let server = try await RedisServer.start(password: "p@ss/w:rd")
        defer { server.stop() }
        let plain = "127.0.0.1:\(server.port)"
        try await Redis(.init("redis://:p%40ss%2Fw%3Ard@\(plain)"), log: .silent).ping()
        try await Redis(.init("redis://default:p%40ss%2Fw%3Ard@\(plain)"), log: .silent).ping()
        for url in ["redis://:wrongwrongwrong@\(plain)", "redis://other:p%40ss%2Fw%3Ard@\(plain)", "redis://\(plain)"] {
            let redis = Redis(try .init(url), log: .silent)
            let error = await #expect(throws: RedisError.self) { try await redis.ping() }
            guard case .refused(let reason) = error else {
                Issue.record("\(url) ended with \(String(describing: error))")
                continue
            }
            #expect(reason.contains("WRONGPASS") || reason.contains("NOAUTH"))
            #expect(!reason.contains("wrongwrongwrong"))
            #expect(!redis.isReachable)
        }
    }

    @Test("each database number has its own values, one that the server lacks is refused")
    func database() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let (zero, three) = (try connect(server), try connect(server, suffix: "/3"))
        try await three.set("key", "three", expiresIn: .seconds(60))
        #expect(try await zero.get("key") == nil)
        #expect(try await connect(server, suffix: "/3").get("key") == "three")
        let none = try connect(server, suffix: "/99")
        await #expect(throws: RedisError.refused("ERR DB index is out of range")) { try await none.ping() }
    }

    @Test("many requests at once each get their own answer")
    func pipelining() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let redis = try connect(server)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<2_000 {
                group.addTask {
                    try await redis.set("key:\(index)", "value \(index)", expiresIn: .seconds(60))
                    #expect(try await redis.get("key:\(index)") == "value \(index)")
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("a value of another kind is an answer, not an absence of the server")
    func wrongKind() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let redis = try connect(server)
        try await redis.ping()
        try RedisConnection(.init(server.url)).exchange([["LPUSH", "list", "x"]]) { _ in }
        let error = await #expect(throws: RedisError.self) { _ = try await redis.get("list") }
        guard case .refused = error else {
            Issue.record("ended with \(String(describing: error))")
            return
        }
        #expect(redis.isReachable)
    }

    @Test("while the server is away requests fail, and once it is back they work without anybody's doing")
    func stoppedAndStarted() async throws {
        let events = Mutex<[String]>([])
        let log = Log(level: .info) { line in
            let event = (try? JSON(parsing: line.utf8))?["event"]?.string
            events.withLock { $0.append(event ?? line) }
        }
        let server = try await RedisServer.start(password: "geheim")
        defer { server.stop() }
        let redis = try connect(server, log: log)
        try await redis.set("key", "x", expiresIn: .seconds(60))
        server.stop()
        for _ in 0..<3 {
            let error = await #expect(throws: RedisError.self) { _ = try await redis.get("key") }
            guard case .away(let reason) = error else {
                Issue.record("ended with \(String(describing: error))")
                continue
            }
            #expect(!reason.contains("geheim"))
        }
        #expect(!redis.isReachable)
        try await server.restart()
        try await eventually { redis.isReachable }
        #expect(try await redis.get("key") == nil)
        #expect(events.withLock { $0 } == ["redis_away", "redis_back"])
    }

    @Test("a server that was restarted unnoticed costs no request")
    func restartedUnnoticed() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let redis = try connect(server)
        try await redis.ping()
        try await server.restart()
        try await redis.set("key", "x", expiresIn: .seconds(60))
        #expect(try await redis.get("key") == "x")
        #expect(redis.isReachable)
    }

    @Test("a server that hangs does not hold its callers, and is used again when it goes on")
    func hanging() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let redis = try connect(server)
        try await redis.ping()
        server.pause()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    let error = await #expect(throws: RedisError.self) { try await redis.ping() }
                    guard case .away = error else {
                        Issue.record("ended with \(String(describing: error))")
                        return
                    }
                }
            }
        }
        try await eventually { !redis.isReachable }
        server.resume()
        try await eventually { redis.isReachable }
        try await redis.ping()
    }

    @Test("a server that was never there is away, and used when it comes")
    func lateServer() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        server.stop()
        let redis = try connect(server)
        let error = await #expect(throws: RedisError.self) { try await redis.ping() }
        guard case .away(let reason) = error else {
            Issue.record("ended with \(String(describing: error))")
            return
        }
        #expect(reason.contains("127.0.0.1:\(server.port)") && reason.contains("refused"))
        try await server.restart()
        try await eventually { redis.isReachable }
    }

    @Test("a cancelled caller does not wait")
    func cancellation() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let redis = try connect(server)
        try await redis.ping()
        server.pause()
        let caller = Task { try await redis.ping() }
        caller.cancel()
        await #expect(throws: CancellationError.self) { try await caller.value }
    }

    @Test("a client that nobody holds any more closes its connection")
    func dropped() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let observer = try RedisConnection(.init(server.url))
        func connections() throws -> Int {
            var list = ""
            try observer.exchange([["CLIENT", "LIST"]]) { if case .text(let text) = $0 { list = text } }
            return list.split(separator: "\n").count
        }
        var redis: Redis? = try connect(server)
        try await redis?.ping()
        #expect(try connections() == 2)
        redis = nil
        try await eventually { try connections() == 1 }
    }

    @Test("closing lets requests end and refuses later ones")
    func closing() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let redis = try connect(server)
        let early = (0..<50).map { index in Task { try await redis.set("\(index)", "x", expiresIn: .seconds(60)) } }
        try await redis.ping()
        await redis.shutdown()
        await redis.shutdown()
        await #expect(throws: RedisError.away("shut down")) { try await redis.ping() }
        for task in early {
            do {
                try await task.value
            } catch {
                // It had not been asked before the end.
                #expect(error as? RedisError == .away("shut down"))
            }
        }
    }

    @Test(
        "an address is read with user, password, port and database",
        arguments: [
            ("redis://localhost", "localhost", 6379, nil, nil, 0), ("redis://h:1/", "h", 1, nil, nil, 0),
            ("REDIS://10.0.0.1:6380/15", "10.0.0.1", 6380, nil, nil, 15),
            ("redis://:p%40s%3as@h/2", "h", 6379, nil, "p@s:s", 2), ("redis://u:a@b@h", "h", 6379, "u", "a@b", 0),
            ("redis://:a/b@h:7", "h", 7, nil, "a/b", 0), ("redis://:@h", "h", 6379, nil, nil, 0),
            ("redis://[::1]:6380/1", "::1", 6380, nil, nil, 1), ("redis://[::1]", "::1", 6379, nil, nil, 0),
        ] as [(String, String, Int, String?, String?, Int)])
    func address(url: String, host: String, port: Int, user: String?, password: String?, database: Int) throws {
        let address = try Redis.Address(url)
        #expect(address.host == host && address.port == port && address.database == database)
        #expect(address.username == user && address.password?.reveal() == password)
    }

    @Test(
        "an address that cannot be used is refused with a reason that does not repeat the password",
        arguments: [
            "", "localhost:6379", "http://localhost", "redis://", "redis://:6379", "redis://h:x", "redis://h:0",
            "redis://h:65536", "redis://h/x", "redis://h/-1", "redis://h/0?a=b", "redis://geheim@h",
            "redis://user:@h", "redis://:%zzgeheim@h", "redis://:geheim@", "redis://:geheim@a b", "redis://[::1",
            "redis://[::1]6379", "redis://:geheim@h:port",
        ])
    func badAddress(url: String) {
        let error = #expect(throws: RedisError.self) { try Redis.Address(url) }
        guard case .badAddress(let reason) = error else {
            Issue.record("\(url) ended with \(String(describing: error))")
            return
        }
        #expect(!reason.isEmpty && !reason.contains("geheim"))
    }

    @Test("an address with encryption is refused by name")
    func encrypted() {
        #expect(throws: RedisError.badAddress("rediss:// is not supported: Debian's Redis client has no TLS")) {
            try Redis.Address("rediss://h")
        }
    }
}
