import Base
import TestSupport
import Testing

@Suite("The contracts of the bot platforms are read rightly")
struct ContractTests {
    @Test("the contract's own examples keep to it")
    func examples() {
        let contract = Contract.dify
        #expect(contract.exampleRequests.count > 5 && contract.exampleAnswers.count > 5)
        for (method, path, body) in contract.exampleRequests {
            #expect(contract.checkRequest(method: method, path: concrete(path), body: body) == [])
        }
        for (method, path, body) in contract.exampleAnswers {
            let status = path == "/files/upload" ? 201 : 200
            #expect(contract.checkAnswer(method: method, path: concrete(path), status: status, body: body) == [])
        }
    }

    /// A path of a template.
    private func concrete(_ path: String) -> String {
        path.split(separator: "/").map { $0.hasPrefix("{") ? "/45701982-8118-4bc5-8e9b-64562b4555f2" : "/" + $0 }
            .joined()
    }

    private static let badRequests: [(path: String, body: JSON)] = [
        ("/v1/chat-messages", ["query": "a", "user": "u"]),
        ("/v1/chat-messages", ["query": "a", "user": "u", "inputs": [:], "files": nil]),
        ("/v1/chat-messages", ["query": 1, "user": "u", "inputs": [:]]),
        ("/v1/chat-messages", ["query": "a", "user": "u", "inputs": [:], "response_mode": "fast"]),
        ("/v1/workflows/run", ["user": "u", "inputs": ["a": nil]]),
        ("/v1/workflows/run", ["user": "u", "inputs": ["a": ["b"]]]),
        ("/v1/messages/no-uuid/feedbacks", ["user": "u"]),
        ("/v1/nowhere", [:]),
    ]

    @Test("a request that Dify's contract does not allow is found out", arguments: badRequests)
    func badDifyRequests(_ path: String, _ body: JSON) {
        #expect(Contract.dify.checkRequest(method: "POST", path: path, body: body) != [])
    }

    @Test("questions need no more than the contract asks for")
    func goodDifyRequests() {
        let dify = Contract.dify
        let question: JSON = ["query": "a", "user": "u", "inputs": [:]]
        #expect(dify.checkRequest(method: "POST", path: "/v1/chat-messages", body: question) == [])
        let id = "45701982-8118-4bc5-8e9b-64562b4555f2"
        #expect(dify.checkRequest(method: "GET", path: "/messages/\(id)/suggested", body: nil) != [])
        #expect(
            dify.checkRequest(method: "GET", path: "/messages/\(id)/suggested", query: ["user": "u"], body: nil) == [])
        #expect(dify.checkRequest(method: "DELETE", path: "/conversations/\(id)", body: nil) != [])
        #expect(dify.checkRequest(method: "DELETE", path: "/conversations/\(id)", body: [:]) == [])
    }

    @Test("an event without what its table names is found out")
    func events() {
        let event: JSON = [
            "event": "message", "answer": "a", "conversation_id": "c", "message_id": "m", "task_id": "t",
            "created_at": 1,
        ]
        #expect(Contract.dify.checkEvent(path: "/chat-messages", event) == [])
        for name in ["answer", "message_id", "task_id", "event"] {
            var broken = event
            broken[name] = nil
            #expect(Contract.dify.checkEvent(path: "/chat-messages", broken) != [])
        }
    }

    @Test("Typebot's messages, inputs and errors are told apart from what only looks like them")
    func typebot() {
        let typebot = Contract.typebot
        let path = "/api/v1/sessions/s1/continueChat"
        func answer(_ body: JSON, _ status: Int = 200) -> [String] {
            typebot.checkAnswer(method: "POST", path: path, status: status, body: body)
        }
        let text: JSON = ["id": "b", "type": "text", "content": ["type": "markdown", "markdown": "a"]]
        #expect(answer(["messages": [text]]) == [])
        #expect(
            answer(["messages": [text], "input": ["id": "i", "type": "choice input", "items": [["id": "x"]]]]) == [])
        #expect(answer([:]) != [])
        #expect(answer(["messages": [["id": "b", "type": "text", "content": ["type": "markdown"]]]]) != [])
        #expect(answer(["messages": [["id": "b", "type": "carousel", "content": [:]]]]) != [])
        #expect(answer(["messages": [], "input": ["id": "i", "type": "choice input"]]) != [])
        #expect(answer(["messages": [], "clientSideActions": [["type": "wait"]]]) != [])
        let error: JSON = ["defined": true, "code": "NOT_FOUND", "status": 404, "message": "Session not found."]
        #expect(answer(error, 404) == [])
        #expect(answer(["code": "NOT_FOUND", "message": "x"], 404) != [])
        let good: JSON = ["message": ["type": "text", "text": "a", "metadata": ["replyId": "x"]]]
        #expect(typebot.checkRequest(method: "POST", path: path, body: good) == [])
        for bad in [["message": ["type": "text"]], ["message": ["text": "a"]], ["message": 1]] as [JSON] {
            #expect(typebot.checkRequest(method: "POST", path: path, body: bad) != [])
        }
    }
}
