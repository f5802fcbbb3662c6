import Base
import Foundation
import TestSupport

/// A real browser without a window, driven through its DevTools pipe: JSON with a NUL after each message.
final class Chromium {
    private let folder: TemporaryFolder
    private let process: ChildProcess
    private let orders: Int32
    private let answers: Int32
    private var received: [UInt8] = []
    private var lastID: Int64 = 0
    private var session: JSON?
    /// What went wrong in the page: errors of its scripts, of its console, and of what it loads.
    private(set) var problems: [String] = []

    init() throws {
        folder = try TemporaryFolder()
        let (down, up) = (folder.file("down"), folder.file("up"))
        for path in [down, up] {
            guard mkfifo(path, 0o600) == 0 else { throw HarnessError("mkfifo failed") }
        }
        // Open for both, so that neither side waits for the other's opening.
        orders = Glibc.open(down, O_RDWR | O_CLOEXEC)
        answers = Glibc.open(up, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        let flags =
            "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --remote-debugging-pipe "
            + "--no-proxy-server --window-size=1440,900 --user-data-dir=\(folder.file("profile"))"
        process = try ChildProcess(
            "/bin/sh", ["-c", "exec /usr/bin/chromium \(flags) 3<\(down) 4>\(up)"], output: folder.file("log"))
    }

    func stop() {
        process.stop()
        close(orders)
        close(answers)
    }

    /// Opens an address in a new tab.
    func open(_ url: String) async throws {
        let target = try await call("Target.createTarget", ["url": "about:blank"])["targetId"] ?? .null
        session = try await call("Target.attachToTarget", ["targetId": target, "flatten": true])["sessionId"]
        for part in ["Runtime.enable", "Log.enable"] { _ = try await call(part, [:]) }
        _ = try await call("Page.navigate", ["url": .string(url)])
    }

    /// The value of a script's expression, as text.
    @discardableResult
    func evaluate(_ script: String) async throws -> String? {
        let answer = try await call(
            "Runtime.evaluate", ["expression": .string("String(\(script))"), "returnByValue": true])
        return answer["result"]?["value"]?.string
    }

    /// Waits until an expression is true.
    func until(_ script: String) async throws {
        try await eventually(timeout: .seconds(60)) { try await self.evaluate(script) == "true" }
    }

    /// Writes into what has the focus, as a keyboard would.
    func type(_ text: String) async throws { _ = try await call("Input.insertText", ["text": .string(text)]) }

    /// A key that is no letter: `Tab`, `Enter`, `ArrowDown`.
    func press(_ key: String) async throws {
        let codes = ["Tab": 9, "Enter": 13, "ArrowDown": 40]
        guard let code = codes[key] else { throw HarnessError("no code is known for the key \(key)") }
        var event: JSON = [
            "type": "keyDown", "key": .string(key), "code": .string(key),
            "windowsVirtualKeyCode": .integer(Int64(code)),
        ]
        if key == "Enter" { event["text"] = "\r" }
        _ = try await call("Input.dispatchKeyEvent", event)
        event["type"] = "keyUp"
        _ = try await call("Input.dispatchKeyEvent", event)
    }

    private func call(_ method: String, _ parameters: JSON) async throws -> JSON {
        lastID += 1
        let id = lastID
        var order: JSON = ["id": .integer(id), "method": .string(method), "params": parameters]
        if let session { order["sessionId"] = session }
        let bytes = order.bytes + [0]
        guard Glibc.write(orders, bytes, bytes.count) == bytes.count else {
            throw HarnessError("chromium reads no more")
        }
        var answer: JSON?
        try await eventually(timeout: .seconds(60)) {
            guard self.process.isRunning else { throw HarnessError("chromium has ended") }
            answer = try self.take(id)
            return answer != nil
        }
        if let error = answer?["error"] { throw HarnessError("\(method): \(error.text)") }
        return answer?["result"] ?? .null
    }

    /// The answer with this id, if it has come; of what comes before it only problems are kept.
    private func take(_ id: Int64) throws -> JSON? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(answers, &buffer, buffer.count)
            if count <= 0 { break }
            received += buffer[..<count]
        }
        while let end = received.firstIndex(of: 0) {
            let message = try JSON(parsing: received[..<end])
            received.removeSubrange(...end)
            if message["id"]?.integer == id { return message }
            note(message)
        }
        return nil
    }

    private func note(_ event: JSON) {
        guard let told = event["params"] else { return }
        let isProblem =
            switch event["method"]?.string {
            case "Runtime.exceptionThrown": true
            case "Runtime.consoleAPICalled": ["error", "warning", "assert"].contains(told["type"]?.string)
            case "Log.entryAdded": told["entry"]?["level"] == "error"
            default: false
            }
        if isProblem { problems.append(told.text) }
    }
}
