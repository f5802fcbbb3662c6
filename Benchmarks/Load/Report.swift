import Foundation

/// The table, as Markdown.
struct Report: Sendable {
    var messages: [MessageBench.Row] = []
    var slow: [SlowBots.Row] = []
    var settings: String

    var text: String {
        """
        # What BitBot costs

        \(Machine.description). \(settings)
        Made by `make bench`: all parties are simulated on the same machine and take their part of it.

        ## From an event to the delivered reply

        The store is SQLite with `synchronous=FULL`. *Floor* is nginx passing the same three bodies (event, question, reply) to the same
        parties; both columns are microseconds of processor time for each message, of BitBot's process and of nginx's.
        Latencies are p50 / p95 / p99 in milliseconds, from the customer's message to the delivered reply; nginx's are those of
        its three requests one after another. The parties' own time is in both.

        \(messageTable)
        ## Slow bots

        \(slowTable)
        """
    }

    private var messageTable: String {
        var lines = [
            "| | messages/s | CPU µs | floor µs | BitBot ÷ floor | at 100/s | nginx at 100/s | at half of the maximum "
                + "| memory idle | memory after |",
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        ]
        for row in messages {
            lines.append(
                "| \(row.scenario.name) | \(row.flood.perSecond.rounded(to: 0)) "
                    + "| \(row.flood.microsecondsPerMessage.rounded(to: 0)) "
                    + "| \(row.floor.microsecondsPerMessage.rounded(to: 0)) | \(row.ratio.rounded(to: 1)) "
                    + "| \(row.slow.text) | \(row.floor.latencies.text) | \(row.half.text) "
                    + "| \(megabytes(row.idleMemory)) | \(megabytes(row.memory.bytes)) (\(row.memory.messages)) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var slowTable: String {
        var lines = [
            "| answers after | asked over | dialogs | most in flight | memory of each | a fast dialog alone | beside them |",
            "|--:|---|--:|--:|--:|--:|--:|",
        ]
        for row in slow {
            lines.append(
                "| \(row.pause.components.seconds) s | \(row.overTLS ? "TLS" : "plain HTTP") | \(row.dialogs) | \(row.fill.mostInFlight) "
                    + "| \((row.fill.bytesPerDialog / 1024).rounded(to: 1)) KB | \(row.alone.text) "
                    + "| \(row.beside?.text ?? "–") |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func megabytes(_ bytes: Int) -> String { "\((Double(bytes) / 1_048_576).rounded(to: 0)) MB" }
}

/// Where it was measured, and when.
enum Machine {
    static var description: String {
        let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name =
            model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
        let memory = Double(ProcessInfo.processInfo.physicalMemory) / 1_073_741_824
        let date = Date.now.formatted(.iso8601.year().month().day())
        return "\(ProcessInfo.processInfo.processorCount) cores of \(name), \(memory.rounded(to: 0)) GB, \(date)"
    }
}
