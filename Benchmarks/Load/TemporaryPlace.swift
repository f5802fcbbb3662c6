import Base
import Foundation

/// A folder that is removed with the last reference to it.
final class TemporaryPlace: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "bitbot-load-" + UUID().uuidString.lowercased()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A port of 127.0.0.1 that nobody listens on, below those that the system gives to outgoing connections.
func freePort(loops: EventLoopGroup) async throws -> Int {
    for _ in 0..<100 {
        let address = HTTPServer.Address.tcp(host: "127.0.0.1", port: Int.random(in: 10_240..<32_000))
        if let server = try? await HTTPServer.start(
            on: address, loops: loops, log: Log(level: .error), handler: { _ in .text("") })
        {
            await server.shutdown(grace: .zero)
            return server.port
        }
    }
    throw LoadError(message: "no free port")
}
