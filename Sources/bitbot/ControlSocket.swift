import Base
import Foundation

/// The running server as the other commands reach it: a socket in its data folder, which only its owner can open.
enum ControlSocket {
    static func path(_ configuration: Configuration) -> String { configuration.dataFolder + "/control.sock" }

    /// Of a configuration: enough for a thousand bots with the largest pictures.
    private static let mostBytes = 1024 * 1024 * 1024

    static var limits: HTTPServer.Limits {
        var limits = HTTPServer.Limits()
        limits.bodyBytes = mostBytes
        return limits
    }

    /// Prints one line for each thing that was checked.
    /// - Returns: the exit code.
    static func doctor(_ configuration: Configuration) async -> Int32 {
        guard let findings = await ask(.get, "/doctor", configuration)?["findings"]?.array else { return 1 }
        say("ok    configuration")
        var failed = false
        for finding in findings {
            let name = finding["name"]?.string ?? ""
            if let trouble = finding["trouble"]?.string {
                failed = true
                let remedy = finding["remedy"]?.string.map { "\n      \($0)" } ?? ""
                say("FAIL  \(name): \(trouble)\(remedy)")
            } else {
                say("ok    \(name)")
            }
        }
        return failed ? 1 : 0
    }

    /// - Returns: the exit code.
    static func adminReset(_ configuration: Configuration) async -> Int32 {
        guard let link = await ask(.post, "/admin/reset", configuration)?["link"]?.string else { return 1 }
        say("Sign in within an hour, once: \(link)")
        return 0
    }

    /// Prints the configuration.
    /// - Returns: the exit code.
    static func export(_ configuration: Configuration, secrets: Bool) async -> Int32 {
        guard let document = await ask(.get, "/export?secrets=\(secrets)", configuration) else { return 1 }
        if say(document.text) { return 0 }
        complain("standard output cannot be written: the document is not complete")
        return 1
    }

    /// - Returns: the exit code.
    static func `import`(_ configuration: Configuration, from path: String) async -> Int32 {
        let file = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
        guard let document = try? file?.readToEnd() else {
            complain("\(path) cannot be read")
            return 1
        }
        guard document.count <= mostBytes else {
            complain("\(path) is too large: at most 1 GB can be imported")
            return 1
        }
        guard let outcome = await ask(.post, "/import", configuration, Array(document)) else { return 1 }
        for (title, counts) in [("added", outcome["created"]), ("changed", outcome["updated"])] {
            for (name, count) in (counts?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
                say("\(title)  \(count.text) \(name.replacing("_", with: " "))")
            }
        }
        for note in outcome["notes"]?.array ?? [] { say(note.string ?? "") }
        return 0
    }

    private static func ask(
        _ method: HTTPMethod, _ path: String, _ configuration: Configuration, _ body: [UInt8] = []
    ) async -> JSON? {
        let loops = EventLoopGroup(count: 1)
        let http = HTTPClient(loops: loops)
        var request = HTTPClient.Request(method, "http://localhost" + path, body: body, trust: .privateAllowed)
        request.maximumBytes = mostBytes
        request.unixSocket = Self.path(configuration)
        let answer = try? await http.send(request)
        await http.shutdown()
        loops.stop()
        let told = answer.flatMap { try? JSON(parsing: $0.body) }
        if let message = told?["error"]?["message"]?.string {
            complain(message)
            return nil
        }
        guard let answer, answer.status == 200, let told else {
            complain(answer == nil ? absence(configuration) : "The running BitBot could not answer; its log says why")
            return nil
        }
        return told
    }

    /// Why nobody answers.
    private static func absence(_ configuration: Configuration) -> String {
        if access(path(configuration), W_OK) != 0, errno == EACCES {
            return "The BitBot on \(configuration.dataFolder) is another user's: run this as the user who runs it"
        }
        return "No BitBot is running on \(configuration.dataFolder): start it with bitbot serve"
    }
}
