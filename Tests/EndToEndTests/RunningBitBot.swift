import Base
import Foundation
import Synchronization
import TestSupport

/// The real `bitbot`, as a child with a data folder of its own. It can be killed and started again.
final class RunningBitBot: Sendable {
    /// The program that was built with these tests.
    static let program = {
        let test = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (test as NSString).deletingLastPathComponent + "/bitbot"
    }()

    let folder: TemporaryFolder
    let port: Int
    let url: String
    let adminToken: Secret
    private let environment: [String: String]
    private let arguments: [String]
    /// Files and connections that it may have open, if not as many as we.
    private let openFiles: Int?
    private let http: HTTPClient
    private let process = Mutex<ChildProcess?>(nil)

    init(
        arguments: [String] = ["serve"], environment: [String: String] = [:], http: HTTPClient,
        folder: TemporaryFolder? = nil, adminToken: Secret = Secret("admin-" + Vault.randomToken()),
        openFiles: Int? = nil
    ) throws {
        self.folder = try folder ?? TemporaryFolder()
        self.arguments = arguments
        self.http = http
        self.adminToken = adminToken
        self.openFiles = openFiles
        port = try freePort()
        url = "http://127.0.0.1:\(port)"
        self.environment = Self.bare.merging([
            "BITBOT_LISTEN": "127.0.0.1:\(port)", "BITBOT_PUBLIC_URL": url, "BITBOT_THREADS": "1",
            "BITBOT_DATA_DIR": self.folder.file("data"), "BITBOT_ADMIN_TOKEN": adminToken.reveal(),
        ]) { $1 }.merging(environment) { $1 }
    }

    /// What any program needs; nothing of the tester's own settings (a proxy, say).
    static let bare = ["PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"]

    var data: String { folder.file("data") }

    /// What it has written to standard output and error so far.
    var log: String { (try? String(contentsOfFile: folder.file("log"), encoding: .utf8)) ?? "" }

    /// The last lines of the log, for a failure's message.
    var logTail: String { log.split(separator: "\n").suffix(40).joined(separator: "\n") }

    /// Starts it and waits until it is ready.
    func start() async throws {
        try launch()
        try await untilReady()
    }

    /// Starts it without waiting.
    func launch() throws {
        var command = [Self.program] + arguments
        if let openFiles { command = ["/usr/bin/prlimit", "--nofile=\(openFiles)"] + command }
        let child = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: environment, output: folder.file("log"))
        process.withLock { $0 = child }
    }

    func untilReady(timeout: Duration = .seconds(90)) async throws {
        try await eventually(timeout: timeout) {
            if let code = self.process.withLock({ $0?.exitCode }) {
                throw HarnessError("bitbot ended with \(code):\n\(self.logTail)")
            }
            return await self.isReady()
        }
    }

    func isReady() async -> Bool {
        let answer = try? await http.send(.init(.get, url + "/readyz", trust: .privateAllowed))
        return answer?.status == 200
    }

    /// While it runs.
    var processID: pid_t? { process.withLock { $0?.id } }

    /// `kill -9`.
    func kill() { process.withLock { $0.take() }?.stop() }

    /// Files and connections that it has open.
    var openDescriptors: Int {
        let id = process.withLock { $0?.id } ?? 0
        return (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd").count) ?? 0
    }

    /// What everybody on the machine may read of how it was started.
    var commandLine: String {
        let id = process.withLock { $0?.id } ?? 0
        return (try? String(contentsOfFile: "/proc/\(id)/cmdline", encoding: .utf8)) ?? ""
    }

    func signal(_ number: Int32) { process.withLock { $0 }?.signal(number) }

    /// Asks it to stop and waits until it has.
    /// - Returns: its exit code.
    @discardableResult
    func terminate() async throws -> Int32 {
        guard let child = process.withLock({ $0 }) else { return 0 }
        child.signal(SIGTERM)
        try await eventually(timeout: .seconds(60)) { !child.isRunning }
        process.withLock { $0 = nil }
        return child.exitCode ?? 0
    }

    /// Asks the management API, or any other route.
    /// - Parameter token: of who asks; the administrator's if `nil`.
    func send(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, as token: String? = nil
    ) async throws -> HTTPClient.Answer {
        var headers: HTTPHeaders = ["Authorization": "Bearer \(token ?? adminToken.reveal())"]
        if body != nil { headers["Content-Type"] = "application/json" }
        return try await http.send(
            HTTPClient.Request(method, url + path, headers: headers, body: body?.bytes ?? [], trust: .privateAllowed))
    }

    func create(_ collection: String, _ body: JSON) async throws -> JSON {
        let answer = try await send(.post, "/api/v1/\(collection)", body)
        guard answer.status == 201 else {
            throw HarnessError("POST \(collection): \(String(decoding: answer.body, as: UTF8.self))\n\(logTail)")
        }
        return try JSON(parsing: answer.body)
    }

    func items(_ collection: String) async throws -> [JSON] {
        let answer = try await send(.get, "/api/v1/\(collection)?limit=100")
        return try JSON(parsing: answer.body)["items"]?.array ?? []
    }

    /// Work that waits or has failed.
    func work() async throws -> [JSON] { try await items("work") }
}

struct HarnessError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// One run of a command to its end.
/// - Parameter redirected: where a shell leads its standard output, `>&-` say.
func run(
    _ arguments: [String], environment: [String: String] = [:], redirected: String? = nil
) async throws -> (code: Int32, output: String) {
    let folder = try TemporaryFolder()
    let child = try ChildProcess(
        redirected == nil ? RunningBitBot.program : "/bin/sh",
        redirected.map { ["-c", "exec \"$@\" \($0)", "sh", RunningBitBot.program] + arguments } ?? arguments,
        environment: RunningBitBot.bare.merging(["BITBOT_DATA_DIR": folder.file("data")]) { $1 }
            .merging(environment) { $1 },
        output: folder.file("log"))
    try await eventually(timeout: .seconds(60)) { !child.isRunning }
    let output = (try? String(contentsOfFile: folder.file("log"), encoding: .utf8)) ?? ""
    return (child.exitCode ?? -1, output)
}
