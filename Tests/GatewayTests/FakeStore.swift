import Base
import Storage
import Synchronization

@testable import Gateway

/// A piece of work of a test.
struct Piece: DialogWork {
    var row: Int64
    var dialog: ID<DialogRecord>
    var portal: ID<PortalRecord>
    var order: Int64
    var notBefore = Timestamp(rawValue: 0)
    /// Grows when it is replaced.
    var version = 1
}

/// What a store would hold: the truth that a queue is judged by.
final class FakeStore: Sendable {
    struct State {
        var open: [Int64: Piece] = [:]
        var lastRow: Int64 = 0
        var running: Set<Int64> = []
        var runningDialogs: Set<ID<DialogRecord>> = []
        var finished: [Int64] = []
        var faults: [String] = []
        var loadsToFail = 0
        var mostHeld = 0
    }
    let state = Mutex(State())

    func add(dialog: Int64, portal: Int64, order: Int64? = nil, notBefore: Timestamp) -> Piece {
        state.withLock { state in
            state.lastRow += 1
            let piece = Piece(
                row: state.lastRow, dialog: ID(rawValue: dialog), portal: ID(rawValue: portal),
                order: order ?? state.lastRow, notBefore: notBefore)
            state.open[piece.row] = piece
            return piece
        }
    }

    /// A command takes a message's place, as long as that has not been asked.
    func replace(_ row: Int64) -> Piece? {
        state.withLock { state in
            guard var piece = state.open[row], !state.running.contains(row) else { return nil }
            piece.version += 1
            piece.notBefore = Timestamp(rawValue: 0)
            state.open[row] = piece
            return piece
        }
    }

    func load(_ after: Int64, _ limit: Int, _ wanted: (ID<PortalRecord>) -> Bool) throws -> (
        work: [Piece], last: Int64?
    ) {
        try state.withLock { state in
            if state.loadsToFail > 0 {
                state.loadsToFail -= 1
                throw StoreError.full
            }
            let rows = state.open.keys.filter { $0 > after }.sorted().prefix(limit)
            return (rows.compactMap { state.open[$0] }.filter { wanted($0.portal) }, rows.last)
        }
    }

    /// - Returns: the version to do instead, when another has taken its place.
    func begin(_ piece: Piece, inOrder: Bool) -> Piece? {
        state.withLock { state in
            guard let stored = state.open[piece.row] else {
                state.faults.append("row \(piece.row) was begun after its end")
                return nil
            }
            if stored.version != piece.version { return stored }
            if !state.running.insert(piece.row).inserted { state.faults.append("row \(piece.row) runs twice") }
            if !state.runningDialogs.insert(piece.dialog).inserted {
                state.faults.append("dialog \(piece.dialog) runs twice")
            }
            let former = state.open.values.filter { $0.dialog == piece.dialog && $0.row < piece.row }
            if inOrder, !former.isEmpty {
                state.faults.append("row \(piece.row) overtook \(former.map(\.row).sorted())")
            }
            return nil
        }
    }

    func end(_ piece: Piece, finished: Bool) {
        state.withLock { state in
            state.running.remove(piece.row)
            state.runningDialogs.remove(piece.dialog)
            guard finished else { return }
            state.open[piece.row] = nil
            state.finished.append(piece.row)
        }
    }

    var faults: [String] { state.withLock { $0.faults } }
    var isDone: Bool { state.withLock { $0.open.isEmpty } }
    var finished: [Int64] { state.withLock { $0.finished } }
}

/// Chance that can be had again: print its seed.
struct Chance: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func isTrue(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &self) < share }
}
