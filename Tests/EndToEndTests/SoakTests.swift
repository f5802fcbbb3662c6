import Base
import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

private let soakIsWanted = ProcessInfo.processInfo.environment["BITBOT_SOAK"] == "1"

extension EndToEnd {
    @Suite("For half an hour", .enabled(if: soakIsWanted))
    struct Soak {
        private static let minutes =
            ProcessInfo.processInfo.environment["BITBOT_SOAK_MINUTES"].flatMap { Double($0) } ?? 30
        private static let dialogs = 200

        @Test("under mixed faults nothing is lost or said twice, and memory and open files stay what they were")
        func soak() async throws {
            let seed =
                ProcessInfo.processInfo.environment["BITBOT_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...99_999)
            print("soak: BITBOT_SEED=\(seed)")
            let chance = Chance(seed: seed)
            var plan = Stage.Plan()
            plan.portal.logEntries = 100
            plan.portal.messagesKept = 10
            plan.portal.operatingLimit = .seconds(1_000_000)
            plan.dify.bounds.countedAsks = 10_000_000
            plan.environment["BITBOT_LOG_LEVEL"] = "error"
            plan.script = { ask in Self.answer(ask, chance) }
            try await Stage.with(plan) { stage in
                for fault in Self.faults { stage.portal.inject(fault) }
                let said = Mutex<[String: Int]>([:])
                let changes = stage.portal.changes()
                let listening = Task {
                    for await case .messageAdded(let message) in changes where message.authorID == stage.botID {
                        said.withLock { $0[message.text, default: 0] += 1 }
                    }
                }
                defer { listening.cancel() }
                let (written, readings) = try await Self.write(stage, for: .seconds(60 * Self.minutes))
                try await stage.untilNothingWaits(timeout: .seconds(300))
                try await eventually { said.withLock { $0.count } >= written }
                #expect(try await stage.bitbot.work().isEmpty)
                #expect(said.withLock { $0.values.allSatisfy { $0 == 1 } }, "something was said twice")
                #expect(stage.dify.counts.asked.values.allSatisfy { $0 == 1 }, "something was asked twice")
                print("soak: \(written) messages; \(readings.map(\.text).joined(separator: ", "))")
                Self.compare(readings)
            }
        }

        private static let faults: [SimulatedPortal.Fault] = [
            .init(.internalError, times: nil, probability: 0.01),
            .init(.page(status: 502), times: nil, probability: 0.01),
            .init(.connectionLost, times: nil, probability: 0.01), .init(.answerLost, times: nil, probability: 0.01),
            .init(.queryLimit, times: nil, probability: 0.002), .init(.expiredToken, times: nil, probability: 0.002),
            .init(.slow(.milliseconds(500)), times: nil, probability: 0.01),
        ]

        private static func answer(_ ask: SimulatedDify.Ask, _ chance: Chance) -> [SimulatedDify.Step] {
            let answer = SimulatedDify.Step.text("You said \(ask.query).")
            return switch chance.milliseconds(0...99) / .milliseconds(1) {
            case 0: [.text("You said "), .cut, .text("\(ask.query).")]
            case 1: [.refuse(status: 503, code: "service_unavailable", message: "busy")]
            case 2: [.reset, answer]
            case 3...9: [.wait(.seconds(1)), answer]
            default: [answer]
            }
        }

        /// Customers write in turn, each again when the former answer may be there.
        private static func write(
            _ stage: Stage, for duration: Duration
        ) async throws -> (written: Int, readings: [Reading]) {
            let chats = try (0..<dialogs).map { try stage.customer("C\($0)") }
            var written = 0
            var readings: [Reading] = []
            let start = ContinuousClock.now
            while ContinuousClock.now - start < duration {
                try stage.portal.customerWrites("message \(written)", in: chats[written % chats.count])
                written += 1
                try await Task.sleep(for: .milliseconds(25))
                if ContinuousClock.now - start > duration / 30 * (readings.count + 1), let id = stage.bitbot.processID {
                    readings.append(Reading(of: id))
                }
            }
            return (written, readings)
        }

        /// The last third is like the middle one; the first may grow.
        private static func compare(_ readings: [Reading]) {
            let third = readings.count / 3
            let (middle, last) = (readings[third..<2 * third], readings[(2 * third)...])
            func median(_ readings: ArraySlice<Reading>, _ value: (Reading) -> Int) -> Int {
                readings.map(value).sorted()[readings.count / 2]
            }
            let (memory, memoryBefore) = (median(last, \.megabytes), median(middle, \.megabytes))
            #expect(memory <= memoryBefore + max(8, memoryBefore / 10), "memory grows")
            let (files, filesBefore) = (median(last, \.files), median(middle, \.files))
            #expect(files <= filesBefore + 10, "open files grow")
        }

        private struct Reading {
            var megabytes: Int
            var files: Int
            var text: String { "\(megabytes) MB and \(files) files" }

            init(of id: pid_t) {
                let pages = (try? String(contentsOfFile: "/proc/\(id)/statm", encoding: .utf8))?.split(separator: " ")
                megabytes = (pages.flatMap { Int($0[1]) } ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
                files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd").count) ?? 0
            }
        }
    }
}
