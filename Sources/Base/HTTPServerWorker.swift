import CBase
import Glibc

/// The connections of one server on one loop.
///
/// Unchecked: after `init` its state is touched on its loop only.
final class HTTPServerWorker: @unchecked Sendable {
    let loop: EventLoop
    let context: HTTPServerContext
    /// Where received bytes are put before they are parsed.
    let received = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    private var connections: [ObjectIdentifier: HTTPServerConnection] = [:]
    private var isFinishing = false
    private var date = (second: 0, bytes: [UInt8]())

    init(loop: EventLoop, context: HTTPServerContext) {
        self.loop = loop
        self.context = context
    }

    deinit { received.deallocate() }

    func add(_ descriptor: Int32, admission: HTTPServerContext.Admission) {
        guard let connection = HTTPServerConnection(descriptor, admission: admission, worker: self) else {
            close(descriptor)
            context.left(admission)
            return
        }
        connections[ObjectIdentifier(connection)] = connection
        connection.start()
        if isFinishing { connection.finish() }
    }

    func remove(_ connection: HTTPServerConnection, admission: HTTPServerContext.Admission) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        context.left(admission)
    }

    /// Closes what is idle and lets the rest end with the answers that are due.
    func finish() {
        isFinishing = true
        for connection in Array(connections.values) { connection.finish() }
    }

    func closeAll() {
        for connection in Array(connections.values) { connection.close() }
    }

    /// The time of day as HTTP writes it (RFC 9110, 5.6.7).
    var httpDate: [UInt8] {
        let now = time(nil)
        if now != date.second { date = (now, HTTPServerWorker.format(now)) }
        return date.bytes
    }

    private static func format(_ moment: time_t) -> [UInt8] {
        var moment = moment
        var parts = tm()
        gmtime_r(&moment, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)])"
        let clock = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        return Array("\(day) \(parts.tm_year + 1900) \(clock) GMT".utf8)
    }
}
