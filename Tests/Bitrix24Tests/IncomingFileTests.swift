import Base
import Sandbox
import Synchronization
import TestSupport
import Testing

@testable import Bitrix24

@Suite("Files that people send are fetched from the portal")
struct IncomingFileTests {
    private static let key = ApplicationKeys(clientID: "local.1", clientSecret: Secret("client-secret"))

    private func account(of portal: ScriptedPortal) -> Account {
        let keeper = MemoryKeeper([
            Credential(
                id: "1", userID: "1", accessToken: Secret("access"), refreshToken: nil,
                expiresAt: Timestamp(rawValue: .max))
        ])
        return Account(
            endpoint: portal.endpoint, keys: Self.key,
            authorization: AuthorizationServer(url: portal.origin, http: portal.http), keeper: keeper)
    }

    /// Serves files: `/expired` is not there, `/moved` leads to `/file`, `/page` is a page to sign in on.
    private func withFiles(_ body: (String) async throws -> Void) async throws {
        let loops = EventLoopGroup(count: 1)
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: loops, log: .silent
        ) { request in
            let name = request.path
            if name.hasSuffix("/file") {
                return HTTPResponse(
                    status: 200, headers: ["Content-Disposition": "attachment; filename=\"a.png\""],
                    body: .bytes([1, 2, 3]))
            }
            if name.hasSuffix("/moved") { return HTTPResponse(status: 302, headers: ["Location": "file"]) }
            if name.hasSuffix("/round") { return HTTPResponse(status: 302, headers: ["Location": "round"]) }
            if name.hasSuffix("/page") { return .text("<html>Sign in", type: "text/html") }
            if name.hasSuffix("/busy") { return .text("", status: 503) }
            return .text("no", status: 403)
        }
        try await body("http://127.0.0.1:\(server.port)/")
        await server.shutdown(grace: .zero)
        loops.stop()
    }

    /// What is fetched, and how often a link was asked for, when the portal gives these links one after another.
    private func fetch(
        _ links: [String], limit: Int = 100, trust: HTTPClient.Trust = .privateAllowed,
        isOnPortal: Bool = true
    ) async throws -> (result: Result<[UInt8], PortalError>, links: Int) {
        let given = Mutex(0)
        var outcome: Result<[UInt8], PortalError> = .failure(.notBitrix24(status: 0))
        try await withFiles { files in
            try await ScriptedPortal.run(
                script: { call in
                    let number = given.withLock { number in
                        number += 1
                        return number
                    }
                    let link = links[min(number, links.count) - 1]
                    return .result(["downloadUrl": .string(link.hasPrefix("http") ? link : files + link)])
                },
                body: { portal in
                    let client = Portal(
                        http: HTTPClient(
                            loops: portal.loops,
                            alwaysAllowed: isOnPortal ? [portal.origin, String(files.dropLast())] : [portal.origin]),
                        trust: trust, limit: nil, log: .silent, metrics: Metrics())
                    do {
                        outcome = .success(
                            try await client.content(ofFile: 7, botID: 5, atMost: limit, as: account(of: portal)))
                    } catch let error as PortalError {
                        outcome = .failure(error)
                    }
                })
        }
        return (outcome, given.withLock { $0 })
    }

    @Test("by a link, also where it leads on")
    func links() async throws {
        for link in ["file", "moved"] {
            let fetched = try await fetch([link])
            #expect(try fetched.result.get() == [1, 2, 3])
            #expect(fetched.links == 1)
        }
    }

    @Test("a link that has expired is made anew, once")
    func expired() async throws {
        for dead in ["expired", "page"] {
            let second = try await fetch([dead, "file"])
            #expect(try second.result.get() == [1, 2, 3])
            let never = try await fetch([dead])
            #expect(throws: PortalError.self) { try never.result.get() }
            #expect(never.links == 2)
        }
    }

    @Test("what is too large, leads round, or is busy is told apart")
    func faults() async throws {
        let large = try await fetch(["file"], limit: 2).result
        guard case .failure(let error) = large else { return #expect(Bool(false)) }
        #expect(error.kind == .unreachable(.tooLarge))
        guard case .failure(let round) = try await fetch(["round"]).result else { return #expect(Bool(false)) }
        #expect(!round.isPassing)
        guard case .failure(let busy) = try await fetch(["busy"]).result else { return #expect(Bool(false)) }
        #expect(busy.isPassing)
    }

    @Test("a link to a private address that is not the portal's own is not followed, whatever the portal may")
    func guarded() async throws {
        let fetched = try await fetch(["file"], isOnPortal: false)
        guard case .failure(let error) = fetched.result else { return #expect(Bool(false)) }
        #expect(error.kind == .unreachable(.addressNotAllowed(host: "127.0.0.1")))
    }

    @Test("where bots cannot have it the drive is asked; both refusing, the bots' reason is told")
    func drive() async throws {
        try await withFiles { files in
            for (code, expected) in [
                ("ERROR_METHOD_NOT_FOUND", "insufficient_scope"), ("FILE_NOT_FOUND", "FILE_NOT_FOUND"),
            ] {
                let hasDrive = Mutex(true)
                try await ScriptedPortal.run(
                    script: { call in
                        if call.method != "disk.file.get" { return .error(code, status: 400) }
                        return hasDrive.withLock { $0 }
                            ? .result(["NAME": "a.png", "SIZE": "3", "DOWNLOAD_URL": .string(files + "file")])
                            : .error("insufficient_scope", status: 403)
                    },
                    body: { portal in
                        let client = Portal(
                            http: HTTPClient(
                                loops: portal.loops, alwaysAllowed: [portal.origin, String(files.dropLast())]),
                            trust: .publicOnly, limit: nil, log: .silent, metrics: Metrics())
                        let account = account(of: portal)
                        #expect(try await client.content(ofFile: 7, botID: 5, atMost: 9, as: account) == [1, 2, 3])
                        let known = try await client.description(ofFile: 7, botID: 5, hasDrive: true, as: account)
                        #expect(known == FileDescription(name: "a.png", size: 3))
                        hasDrive.withLock { $0 = false }
                        let error = await #expect(throws: PortalError.self) {
                            try await client.content(ofFile: 7, botID: 5, atMost: 9, as: account)
                        }
                        #expect(error?.code == expected)
                        #expect(try await client.description(ofFile: 7, botID: 5, hasDrive: true, as: account) == nil)
                    })
            }
        }
    }

    @Test("without the drive a file's name is read from its download")
    func description() async throws {
        try await withFiles { files in
            try await ScriptedPortal.run(
                script: { call in
                    call.method == "disk.file.get"
                        ? .error("insufficient_scope", status: 403) : .result(["downloadUrl": .string(files + "file")])
                },
                body: { portal in
                    let client = Portal(
                        http: HTTPClient(
                            loops: portal.loops, alwaysAllowed: [portal.origin, String(files.dropLast())]),
                        trust: .publicOnly, limit: nil, log: .silent, metrics: Metrics())
                    for hasDrive in [true, false] {
                        let known = try await client.description(
                            ofFile: 7, botID: 5, hasDrive: hasDrive, as: account(of: portal))
                        #expect(known == FileDescription(name: "a.png", size: 3))
                    }
                })
        }
    }
}
