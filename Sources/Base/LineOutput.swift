import Dispatch
import Glibc
import Synchronization

/// Writes whole lines to an open file, and never waits for whoever reads it: what a reader has not taken waits here, up to a
/// megabyte, and beyond that is left out and counted.
final class LineOutput: Sendable {
    fileprivate struct State {
        var waiting: [UInt8] = []
        var lost = 0
        var isDraining = false
    }

    private static let mostWaiting = 1024 * 1024
    /// A pipe that takes anything takes this much at once (`PIPE_BUF`).
    private static let atOnce = 4096

    private let descriptor: Int32
    /// The line that tells how many were left out.
    private let lossLine: @Sendable (Int) -> String
    private let state = Mutex(State())

    init(descriptor: Int32, lossLine: @escaping @Sendable (Int) -> String) {
        self.descriptor = descriptor
        self.lossLine = lossLine
    }

    func write(line: String) {
        let bytes = Array((line + "\n").utf8)
        state.withLock { state in
            let written = state.isDraining ? 0 : writeNow(bytes)
            if written == bytes.count { return }
            // The rest of a line that was begun is no longer than a line.
            guard written > 0 || state.waiting.count + bytes.count <= Self.mostWaiting else {
                state.lost += 1
                return
            }
            state.waiting += bytes[written...]
            if state.isDraining { return }
            state.isDraining = true
            DispatchQueue.global().async { self.drain() }
        }
    }

    /// - Returns: how many bytes are done with.
    private func writeNow(_ bytes: [UInt8]) -> Int {
        var count = 0
        while count < bytes.count {
            var asked = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&asked, 1, 0) > 0 else { return count }
            let end = min(count + Self.atOnce, bytes.count)
            guard let written = Self.write(bytes[count..<end], to: descriptor) else { return bytes.count }
            count += written
        }
        return count
    }

    /// Writes what waits, on a thread that may be kept waiting.
    private func drain() {
        while let bytes = state.withLock({ $0.takeWaiting(lossLine) }) { _ = Self.writeAll(bytes, to: descriptor) }
    }

    // MARK: System calls

    /// - Returns: whether all was written. A file that is closed or full takes nothing.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let count = write(rest, to: descriptor) else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int? {
        while true {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { return count }
            if count < 0, errno == EAGAIN {
                var asked = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&asked, 1, -1)
            } else if count == 0 || errno != EINTR {
                return nil
            }
        }
    }
}

extension LineOutput.State {
    /// `nil` if nothing waits any more: then nobody drains.
    fileprivate mutating func takeWaiting(_ lossLine: (Int) -> String) -> [UInt8]? {
        if waiting.isEmpty, lost > 0 {
            waiting = Array((lossLine(lost) + "\n").utf8)
            lost = 0
        }
        isDraining = !waiting.isEmpty
        guard isDraining else { return nil }
        defer { waiting = [] }
        return waiting
    }
}
