import Base
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Messages that wait")
    struct Intake {
        private static func collect(_ stage: Stage) async throws {
            let answer = try await stage.bitbot.send(
                .patch, "/api/v1/bots/\(stage.bot)", ["settings": ["collect_ms": 60_000]])
            #expect(answer.status == 200)
        }

        @Test("what is collected, edited and deleted before a kill is one question after it, in its last form")
        func collectedAcrossKill() async throws {
            try await Stage.with { stage in
                try await Self.collect(stage)
                let chat = try stage.customer()
                let first = try stage.portal.customerWrites("one", in: chat)
                let second = try stage.portal.customerWrites("two", in: chat)
                try stage.portal.customerWrites("three", in: chat)
                await stage.portal.settle()
                try stage.portal.edit(first, to: "uno")
                try stage.portal.delete(second)
                await stage.portal.settle()
                stage.bitbot.kill()
                try await stage.bitbot.start()
                // A file ends the collecting.
                try stage.portal.customerWrites("four", files: [("notes.txt", Array("notes".utf8))], in: chat)
                try await stage.untilAnswers(1, in: chat)
                try await stage.untilNoWork()
                #expect(stage.answers(in: chat) == ["You said uno\nthree\nfour\nFile sent: notes.txt."])
                #expect(stage.dify.counts.runs == 1)
            }
        }

        @Test("a kill while a collected question is asked neither loses nor doubles it")
        func killedWhileAsked() async throws {
            var plan = Stage.Plan()
            plan.script = { ask in [.wait(.milliseconds(800)), .text("You said \(ask.query).")] }
            try await Stage.with(plan) { stage in
                stage.dify.change(stage.key) { $0.form = [.init("MESSAGE_BATCH_SIZE")] }
                try await Self.collect(stage)
                let chat = try stage.customer()
                for text in ["one", "two"] { try stage.portal.customerWrites(text, in: chat) }
                await stage.portal.settle()
                try stage.portal.customerWrites("three", files: [("notes.txt", Array("notes".utf8))], in: chat)
                try await eventually { stage.dify.counts.runs == 1 }
                stage.bitbot.kill()
                try await stage.bitbot.start()
                try await stage.untilAnswers(1, in: chat)
                try await stage.untilNoWork()
                #expect(stage.answers(in: chat) == ["You said one\ntwo\nthree\nFile sent: notes.txt."])
                #expect(stage.dify.counts.runs == 1)
            }
        }
    }
}
