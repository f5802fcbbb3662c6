import Foundation
import Synchronization

@testable import Base
@testable import Bitrix24
@testable import BotPlatforms

/// As libFuzzer calls it.
typealias Feed = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

/// What can be fed, by name. A part traps where something does not hold that must hold for every input.
let parts: [String: Feed] = [
    "form": { feed($0, $1, feedForm) },
    "event-stream": { feed($0, $1, feedEventStream) },
    "multipart": { feed($0, $1, feedMultipart) },
    "json": { feed($0, $1, feedJSON) },
    "markdown": { feed($0, $1, feedMarkdown) },
    "split": { feed($0, $1, feedSplit) },
    "event": { feed($0, $1, feedEvent) },
    "http": { feed($0, $1, feedHTTP) },
]

private func feed(_ bytes: UnsafePointer<UInt8>?, _ count: Int, _ part: ([UInt8]) -> Void) -> CInt {
    part(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}

/// Brackets mean the same whether they are escaped or not, and a tree that was written reads as itself.
private func feedForm(_ bytes: [UInt8]) {
    let tree = try? Form.decode(bytes)
    let plain = withPlainBrackets(bytes)
    precondition(tree == (try? Form.decode(plain)), "escaped brackets read otherwise")
    let some = try? Form.decode(bytes, only: ["a", "bc"])
    precondition(some?.tree == (try? Form.decode(plain, only: ["a", "bc"]))?.tree, "some are read otherwise")
    if let some {
        let again = try! Form.decode(some.kept, only: ["a", "bc"])
        precondition(again == some, "what was kept reads otherwise")
    }
    guard let tree, canBeWritten(tree), let again = try? Form.decode(Form.encode(tree).utf8) else { return }
    precondition(tree == again, "what was written reads otherwise")
}

/// A form has no way to write a bracket inside a name, or a space before one.
private func canBeWritten(_ tree: JSON) -> Bool {
    (tree.object ?? [:]).allSatisfy { name, member in
        !name.isEmpty && name.first != " " && !name.contains { $0 == "[" || $0 == "]" } && canBeWritten(member)
    }
}

private func withPlainBrackets(_ form: [UInt8]) -> [UInt8] {
    let pairs = form.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).map { pair -> [UInt8] in
        let end = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
        var key = Array(pair[..<end])
        for (escape, bracket) in [("%5B", "["), ("%5b", "["), ("%5D", "]"), ("%5d", "]")] {
            key.replace(Array(escape.utf8), with: Array(bracket.utf8))
        }
        return key + pair[end...]
    }
    return Array(pairs.joined(separator: [UInt8(ascii: "&")]))
}

/// A stream has the same events wherever the network cuts it.
private func feedEventStream(_ bytes: [UInt8]) {
    func events(cutEvery count: Int) -> [ServerSentEvent]? {
        var parser = ServerSentEventParser(maximumBytes: 256)
        var events: [ServerSentEvent] = []
        for start in stride(from: 0, to: bytes.count, by: count) {
            guard let more = try? parser.feed(Array(bytes[start..<min(start + count, bytes.count)])) else { return nil }
            events += more
        }
        return events
    }
    let whole = events(cutEvery: max(1, bytes.count))
    precondition(whole == events(cutEvery: 1), "a cut changes the events")
    precondition(whole == events(cutEvery: 3), "a cut changes the events")
}

/// The first line is the `Content-Type`.
private func feedMultipart(_ bytes: [UInt8]) {
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
    let body = Array(bytes.dropFirst(line.count + 1))
    let type = String(decoding: line, as: UTF8.self)
    _ = HTTPHeaders.filename(in: type)
    guard let parts = try? Multipart.decode(body, contentType: type) else { return }
    precondition(parts.reduce(0) { $0 + $1.body.count } <= body.count, "more came out than went in")
    let again = Multipart.encode(parts)
    let decoded = try? Multipart.decode(again.body, contentType: again.contentType)
    precondition(decoded?.map(\.body) == parts.map(\.body), "what was written reads otherwise")
}

/// What was written reads as itself; what PHP may have meant by a value never traps.
private func feedJSON(_ bytes: [UInt8]) {
    guard let value = try? JSON(parsing: bytes) else { return }
    precondition(try! JSON(parsing: value.bytes) == value, "what was written reads otherwise")
    readLoosely(value)
    guard case .object(let members) = value, !bytes.contains(UInt8(ascii: "\\")) else { return }
    let some = try! JSON(parsing: bytes, only: ["a", "b"])
    precondition(some == .object(members.filter { $0.key == "a" || $0.key == "b" }), "some members read otherwise")
}

private func readLoosely(_ value: JSON) {
    _ = (value.looseText, value.looseInteger, value.looseNumber, value.looseFlag, value.looseObject)
    for member in value.looseList { readLoosely(member) }
}

/// An answer grows by its markup only, never by its square.
private func feedMarkdown(_ bytes: [UInt8]) {
    let markdown = String(decoding: bytes, as: UTF8.self)
    let text = waitFor { await BBCode.render(markdown: markdown) }
    precondition(text.utf8.count <= 200 + 40 * bytes.count, "\(bytes.count) bytes became \(text.utf8.count)")
}

/// Each piece fits.
private func feedSplit(_ bytes: [UInt8]) {
    let limit = 20 + Int(bytes.first ?? 0)
    let pieces = BBCode.split(String(decoding: bytes, as: UTF8.self), limit: limit)
    precondition(pieces.allSatisfy { $0.unicodeScalars.count <= limit }, "a piece is too long")
}

private func feedEvent(_ bytes: [UInt8]) { _ = try? PortalEvent(decoding: bytes, contentType: nil) }

/// Requests are the same wherever the network cuts them; only a refusal may come sooner.
private func feedHTTP(_ bytes: [UInt8]) {
    let whole = requests(in: bytes, cutEvery: max(1, bytes.count))
    precondition(whole == requests(in: bytes, cutEvery: 1), "a cut changes the requests")
}

private func waitFor<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Value {
    let done = DispatchSemaphore(value: 0)
    let box = Mutex<Value?>(nil)
    Task {
        let value = await work()
        box.withLock { $0 = value }
        done.signal()
    }
    done.wait()
    return box.withLock { $0! }
}
