import Base

/// The running server as the other commands reach it: a socket in its data folder, which only its owner can open.
enum ControlSocket {
    static func path(_ configuration: Configuration) -> String { configuration.dataFolder + "/control.sock" }

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

    private static func ask(_ method: HTTPMethod, _ path: String, _ configuration: Configuration) async -> JSON? {
        let loops = EventLoopGroup(count: 1)
        let http = HTTPClient(loops: loops)
        var request = HTTPClient.Request(method, "http://localhost" + path, trust: .privateAllowed)
        request.unixSocket = Self.path(configuration)
        let answer = try? await http.send(request)
        await http.shutdown()
        loops.stop()
        guard let answer, answer.status == 200, let body = try? JSON(parsing: answer.body) else {
            complain(
                answer == nil
                    ? "No BitBot is running on \(configuration.dataFolder): start it with bitbot serve"
                    : "The running BitBot could not answer; its log says why")
            return nil
        }
        return body
    }
}
