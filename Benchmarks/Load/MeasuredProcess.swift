import Foundation

/// A child whose use of the processor and memory is read from `/proc`.
final class MeasuredProcess: Sendable {
    struct Reading: Sendable {
        /// User and system.
        var cpuSeconds: Double
        var residentBytes: Int
    }

    private let id: pid_t
    private let folder: String

    init(_ path: String, _ arguments: [String], _ environment: [String: String]) throws {
        folder = NSTemporaryDirectory() + "bitbot-load-\(getpid())"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .merging(["BITBOT_DATA_DIR": folder]) { $1 }
        try process.run()
        id = process.processIdentifier
    }

    var reading: Reading {
        let stat = (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)) ?? ""
        let fields = stat.split(separator: ")").last?.split(separator: " ").map(String.init) ?? []
        let ticks = fields.count > 12 ? (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0) : 0
        let statm = (try? String(contentsOfFile: "/proc/\(id)/statm", encoding: .utf8)) ?? ""
        let pages = statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Reading(
            cpuSeconds: ticks / Double(sysconf(Int32(_SC_CLK_TCK))),
            residentBytes: pages * Int(sysconf(Int32(_SC_PAGESIZE))))
    }

    func stop() {
        kill(id, SIGTERM)
        var status: Int32 = 0
        waitpid(id, &status, 0)
        try? FileManager.default.removeItem(atPath: folder)
    }
}
