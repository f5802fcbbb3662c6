import Synchronization

/// The pieces of a streamed answer between the loop, which brings them, and the task that reads them.
final class HTTPClientBodyStream: Sendable {
    /// More unread bytes than this stop the sender.
    private static let highWater = 256 * 1024

    private enum End {
        case complete
        case failed(any Error)
    }

    private struct State {
        var unread: [UInt8] = []
        var end: End?
        var isPaused = false
        var reader: CheckedContinuation<[UInt8]?, any Error>?
    }

    private let state = Mutex(State())

    /// Hands over bytes, on the loop.
    /// - Returns: false when too much is unread: nothing was taken, and the transfer must pause.
    func deliver(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let (accepted, reader) = state.withLock { state in
            // A transfer whose reader has gone goes on until the loop hears of it; its bytes are for nobody.
            if state.end != nil { return (true, nil as CheckedContinuation<[UInt8]?, any Error>?) }
            if let reader = state.reader {
                state.reader = nil
                return (true, reader)
            }
            if !state.unread.isEmpty, state.unread.count + bytes.count > Self.highWater {
                state.isPaused = true
                return (false, nil)
            }
            state.unread.append(contentsOf: bytes)
            return (true, nil)
        }
        reader?.resume(returning: [UInt8](bytes))
        return accepted
    }

    /// Nothing follows; `error` is thrown when what was delivered has been read. The first end counts.
    /// - Parameter discards: whether this end replaces an earlier one and what is unread is dropped: the reader was
    ///   cancelled, and must not take what it has for the whole.
    func finish(_ error: (any Error)?, discards: Bool = false) {
        let reader = state.withLock { state in
            if discards || state.end == nil { state.end = error.map { .failed($0) } ?? .complete }
            if discards { state.unread = [] }
            defer { state.reader = nil }
            return state.reader
        }
        guard let reader else { return }
        if let error { reader.resume(throwing: error) } else { reader.resume(returning: nil) }
    }

    var hasEnded: Bool { state.withLock { $0.end != nil } }

    enum Piece {
        /// - resume: the transfer waits for this and must be told to go on.
        case bytes([UInt8], resume: Bool)
        case end
        case none
    }

    /// What there is, without waiting.
    func take() throws -> Piece {
        try state.withLock { state in try Self.take(from: &state) }
    }

    private static func take(from state: inout State) throws -> Piece {
        if !state.unread.isEmpty {
            var bytes: [UInt8] = []
            swap(&bytes, &state.unread)
            defer { state.isPaused = false }
            return .bytes(bytes, resume: state.isPaused)
        }
        switch state.end {
        case .complete: return .end
        case .failed(let error): throw error
        case nil: return .none
        }
    }

    /// Resumes `reader` with the next piece, now or when it comes.
    /// - Returns: whether the transfer must be told to go on.
    func wait(_ reader: CheckedContinuation<[UInt8]?, any Error>) -> Bool {
        let outcome = state.withLock { state in
            Result {
                let piece = try Self.take(from: &state)
                if case .none = piece {
                    precondition(state.reader == nil, "one task reads a body")
                    state.reader = reader
                }
                return piece
            }
        }
        switch outcome {
        case .success(.bytes(let bytes, let resume)):
            reader.resume(returning: bytes)
            return resume
        case .success(.end): reader.resume(returning: nil)
        case .success(.none): break
        case .failure(let error): reader.resume(throwing: error)
        }
        return false
    }
}

/// What a body and its iterators share; when the last of them goes, the transfer ends.
final class HTTPClientBodyReader: Sendable {
    private let transfer: HTTPClientTransfer
    private let stream: HTTPClientBodyStream

    init(transfer: HTTPClientTransfer, stream: HTTPClientBodyStream) {
        self.transfer = transfer
        self.stream = stream
    }

    deinit {
        if !stream.hasEnded { transfer.cancel() }
    }

    func next(isolation: isolated (any Actor)?) async throws -> [UInt8]? {
        if Task.isCancelled { cancel() }
        switch try stream.take() {
        case .bytes(let bytes, let resume):
            if resume { transfer.resume() }
            return bytes
        case .end:
            return nil
        case .none:
            return try await withTaskCancellationHandler(
                operation: {
                    try await withCheckedThrowingContinuation(isolation: isolation) { reader in
                        if stream.wait(reader) { transfer.resume() }
                    }
                }, onCancel: { cancel() }, isolation: isolation)
        }
    }

    /// Nobody reads on; the transfer goes on to its end, so that the connection can be used again.
    func discardRest(within duration: Duration) {
        stream.finish(nil, discards: true)
        transfer.runOut(within: duration)
    }

    private func cancel() {
        stream.finish(CancellationError(), discards: true)
        transfer.cancel()
    }
}

extension HTTPClient.StreamedAnswer {
    /// The pieces as they arrive, read once and by one task at a time; reading slowly slows the sender down.
    public struct Body: AsyncSequence, Sendable {
        public typealias Element = [UInt8]

        let reader: HTTPClientBodyReader

        public struct AsyncIterator: AsyncIteratorProtocol {
            let reader: HTTPClientBodyReader

            public mutating func next() async throws -> [UInt8]? { try await reader.next(isolation: nil) }

            public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> [UInt8]? {
                try await reader.next(isolation: actor)
            }
        }

        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: reader) }

        /// Says that the rest is of no interest: it is let pass for at most `duration`, so that the connection can be used
        /// again if the answer ends by then. Whoever reads on finds the end.
        public func discardRest(within duration: Duration) { reader.discardRest(within: duration) }
    }
}
