import Base
import TestSupport
import Testing

@testable import Gateway

@Suite("The whole way against a model")
struct ModelTests {
    /// `BITBOT_SEED` repeats one that failed; `BITBOT_SOAK=1` takes many, one after another.
    static let seeds = (0..<4).map { _ in TestRun.seeds(TestRun.isSoak ? 50 : 1) }

    @Test(
        """
        whatever is posted twice, edited, deleted, refused, cut off, killed and restarted: each message is asked once, as \
        it stood last, answered once, in its dialog's order, and none is lost
        """, arguments: seeds, [true, false])
    func anyInterleaving(seeds: [UInt64], finds: Bool) async throws {
        for seed in seeds { try await Self.live(seed, finds: finds) }
    }

    private static func live(_ seed: UInt64, finds: Bool) async throws {
        let run = "BITBOT_SEED=\(seed)" + (finds ? "" : ", on a platform that cannot tell")
        let world = try await ModelWorld(seed: seed, finds: finds)
        let dialogs = (1...5).map { ModelDialog($0, in: world, seed: seed) }
        var chance = Chance(seed: seed)
        do {
            try await withThrowingTaskGroup { group in
                for dialog in dialogs { group.addTask { try await dialog.run(messages: 12) } }
                for _ in 0..<8 {
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...60, using: &chance)))
                    if chance.isTrue(0.75) { try await world.kill() } else { try await world.restart() }
                }
                try await group.waitForAll()
            }
            try await eventually(timeout: .seconds(60)) { try await world.openWork() == 0 }
        } catch {
            Issue.record("\(error), \(run)")
        }
        for dialog in dialogs { dialog.check(run) }
        await world.end()
    }
}
