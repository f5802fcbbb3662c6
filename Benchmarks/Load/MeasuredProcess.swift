import Foundation
import Synchronization

/// A child whose use of the processor and memory is read from `/proc`, its own children's with it.
final class MeasuredProcess: Sendable {
    let id: pid_t
    private let hasEnded = Atomic(false)

    init(_ path: String, _ arguments: [String], _ environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        try process.run()
        id = process.processIdentifier
    }

    /// User and system, in seconds.
    var cpu: Double { family.reduce(0) { $0 + Self.cpu(of: $1) } }

    /// In bytes.
    var memory: Int { family.reduce(0) { $0 + Self.memory(of: $1) } }

    func stop() {
        // Its number may be another's afterwards.
        guard !hasEnded.exchange(true, ordering: .relaxed) else { return }
        kill(id, SIGTERM)
        var status: Int32 = 0
        // A child may have been started with this signal blocked.
        for _ in 0..<500 {
            if waitpid(id, &status, WNOHANG) != 0 { return }
            usleep(10_000)
        }
        kill(id, SIGKILL)
        waitpid(id, &status, 0)
    }

    private var family: [pid_t] {
        let children = try? String(contentsOfFile: "/proc/\(id)/task/\(id)/children", encoding: .utf8)
        return [id] + (children ?? "").split(separator: " ").compactMap { pid_t($0) }
    }

    private static func cpu(of id: pid_t) -> Double {
        let stat = (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)) ?? ""
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func memory(of id: pid_t) -> Int {
        let statm = (try? String(contentsOfFile: "/proc/\(id)/statm", encoding: .utf8)) ?? ""
        let pages = statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
