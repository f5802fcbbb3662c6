import CBase
import Glibc

/// The listening socket of a server: it hands new connections to the workers in turn.
///
/// Unchecked: after `init` its state is touched on its loop only.
final class HTTPServerListener: @unchecked Sendable {
    private let descriptor: Int32
    private let address: HTTPServer.Address
    private let loop: EventLoop
    private let context: HTTPServerContext
    private let workers: [HTTPServerWorker]
    private var turn = 0
    private var socket: LoopSocket?
    private var pause: LoopTimer?

    init(
        descriptor: Int32, address: HTTPServer.Address, loop: EventLoop, context: HTTPServerContext,
        workers: [HTTPServerWorker]
    ) {
        self.descriptor = descriptor
        self.address = address
        self.loop = loop
        self.context = context
        self.workers = workers
    }

    func start() async {
        await onLoop { [self] in
            let socket = LoopSocket(on: loop, descriptor: descriptor) { [self] _ in accept() }
            self.socket = socket
            pause = LoopTimer(on: loop) { socket.watch(.read) }
            socket.watch(.read)
        }
    }

    /// Closes the socket, once.
    func stop() async {
        await onLoop { [self] in
            guard let socket else { return }
            socket.close()
            pause?.close()
            self.socket = nil
            pause = nil
            close(descriptor)
            if case .unix(let path) = address { unlink(path) }
        }
    }

    private func onLoop(_ work: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            loop.submit {
                work()
                continuation.resume()
            }
        }
    }

    private func accept() {
        // Bounded, so that a flood of new connections leaves the others their turn.
        for _ in 0..<64 {
            let connection = base_accept(descriptor)
            if connection < 0 {
                acceptFailed(errno)
                return
            }
            let admission = context.admit()
            if admission == .refused {
                close(connection)
                continue
            }
            let worker = workers[turn]
            turn = (turn + 1) % workers.count
            worker.loop.execute { worker.add(connection, admission: admission) }
        }
    }

    private func acceptFailed(_ code: Int32) {
        switch code {
        case EAGAIN, EINTR, ECONNABORTED, EPROTO: return
        default:
            // Out of descriptors or memory: the connection stays readable, so look away for a moment.
            context.log.warning("http_accept_failed", ["reason": .text(String(cString: strerror(code)))])
            socket?.watch([])
            pause?.start(after: .milliseconds(100))
        }
    }
}
