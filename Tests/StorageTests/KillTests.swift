import Base
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Storage

/// The test program starts itself again with this argument and a folder: then it is the one that gets killed.
private let childMark = "--store-in"

private let childFolder: String? = {
    guard let place = CommandLine.arguments.firstIndex(of: childMark) else { return nil }
    return CommandLine.arguments.dropFirst(place + 1).first
}()

@Suite struct KillTests {
    @Test("every change that was acknowledged is there after kill -9 at a random moment", arguments: 1...3)
    func acknowledgedChangesSurvive(_ round: Int) async throws {
        let folder = try TemporaryFolder()
        let child = try ChildProcess(
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            ["--testing-library", "swift-testing", "--filter", "writesUntilKilled", childMark, folder.path])
        let enough = Int.random(in: 100...2000)
        try await eventually(timeout: .seconds(60)) {
            guard child.isRunning else { throw Unexpected("the writing process ended") }
            return acknowledged(in: folder).count >= enough
        }
        child.stop()
        let promised = acknowledged(in: folder)
        let database = try await Database.open(path: folder.file("bitbot.db"), log: .silent, metrics: Metrics())
        let stored = try await database.read { connection in
            Set(try connection.rows("SELECT name FROM settings") { $0.text(0) })
        }
        #expect(promised.allSatisfy { stored.contains(String($0)) })
        #expect(try await database.read { try $0.row("PRAGMA integrity_check") { $0.text(0) } } == "ok")
        await database.close()
    }

    /// Eight bytes for each change whose `write` has returned; a partial number at the end was not.
    private func acknowledged(in folder: TemporaryFolder) -> [UInt64] {
        let bytes = FileManager.default.contents(atPath: folder.file("acknowledged")) ?? Data()
        return stride(from: 0, to: bytes.count - 7, by: 8).map { start in
            bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    @Test("writes until it is killed", .enabled(if: childFolder != nil))
    func writesUntilKilled() async throws {
        let folder = try #require(childFolder)
        let database = try await Database.open(path: folder + "/bitbot.db", log: .silent, metrics: Metrics())
        let file = open(folder + "/acknowledged", O_CREAT | O_WRONLY | O_APPEND, 0o600)
        try #require(file >= 0)
        try await withThrowingTaskGroup { group in
            for writer: UInt64 in 0..<20 {
                group.addTask {
                    for n: UInt64 in 0..<1_000_000 {
                        let number = writer * 1_000_000 + n
                        try await database.write { try $0.remember([1], as: String(number)) }
                        var bytes = number.bigEndian
                        guard write(file, &bytes, 8) == 8 else { throw Unexpected("a write failed") }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
