import CBase
import Glibc

/// Bytes on their way to a socket: what the system does not take at once waits here.
///
/// Touched by its connection on its loop only.
struct HTTPServerOutput {
    private let descriptor: Int32
    private var pieces: [[UInt8]] = []
    /// The first piece that is not sent, and how much of it is.
    private var first = 0
    private var sentOfFirst = 0
    private(set) var count = 0

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    var isEmpty: Bool { count == 0 }

    enum Progress {
        /// Everything is sent.
        case done
        /// Something was sent; the rest waits.
        case some
        case none
        /// The connection is broken.
        case broken
    }

    mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        pieces.append(bytes)
        count += bytes.count
    }

    /// What one flush sends at most, so that a fast reader leaves the other connections their turn.
    private static let turn = 1024 * 1024

    /// Sends what the system takes.
    mutating func flush() -> Progress {
        var progress = Progress.none
        let end = count - HTTPServerOutput.turn
        while first < pieces.count {
            if count <= end { return progress }
            let more = first + 1 < pieces.count ? Int32(MSG_MORE) : 0
            let sent = pieces[first].withUnsafeBytes { bytes in
                send(
                    descriptor, bytes.baseAddress! + sentOfFirst, min(bytes.count - sentOfFirst, HTTPServerOutput.turn),
                    Int32(MSG_NOSIGNAL) | more)
            }
            if sent < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN ? progress : .broken
            }
            progress = .some
            count -= sent
            sentOfFirst += sent
            if sentOfFirst == pieces[first].count {
                pieces[first] = []
                first += 1
                sentOfFirst = 0
            }
        }
        pieces.removeAll(keepingCapacity: pieces.count <= 16)
        first = 0
        return .done
    }
}
