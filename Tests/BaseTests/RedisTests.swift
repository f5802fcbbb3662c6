import TestSupport
import Testing

@testable import Base

@Suite struct RedisTests {
    @Test("a test's own Redis answers, stops and starts again on its port")
    func server() async throws {
        let server = try await RedisServer.start(password: "geheim")
        server.stop()
        try await server.restart()
    }
}
