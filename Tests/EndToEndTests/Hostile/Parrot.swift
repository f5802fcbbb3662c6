import Base

/// A bot platform that refuses everything, and repeats in its refusal all that it was sent.
struct Parrot: Sendable {
    let origin: String
    private let server: HTTPServer
    private let loops: EventLoopGroup

    static func start() async throws -> Parrot {
        let loops = EventLoopGroup(count: 1)
        let server = try await HTTPServer.start(on: .tcp(host: "127.0.0.1", port: 0), loops: loops, log: .silent) {
            let heard =
                $0.headers.fields.filter { $0.name != "Host" }.map(\.value).joined(separator: " ")
                + " \($0.path)?\($0.query) " + String(decoding: $0.body, as: UTF8.self)
            let answer: JSON = [
                "code": "bad", "message": .string(heard), "error": ["message": .string(heard), "code": "bad"],
            ]
            return HTTPResponse(
                status: 400, headers: ["Content-Type": "application/json"], body: .bytes(answer.bytes))
        }
        return Parrot(origin: "http://127.0.0.1:\(server.port)", server: server, loops: loops)
    }

    func stop() async {
        await server.shutdown(grace: .zero)
        loops.stop()
    }
}
