import Base
import TestSupport
import Testing

@Suite("A connector's options are checked against its platform")
struct ConnectorOptionsTests {
    @Test("unknown names and wrong values are refused with what is allowed")
    func checked() async throws {
        try await Stage.with { stage in
            let provider = try await stage.make("providers", ["name": "Models", "type": "openai"])
            let draft: JSON = ["name": "Model", "provider_id": try #require(provider["id"])]
            for (options, words) in [
                (["colour": "red"], ["colour", "OpenAI-compatible", "temperature"]),
                (["temperature": 3], ["temperature", "from 0 to 2"]), (["temperature": "hot"], ["temperature"]),
                (["history": 1.5], ["history", "from 0 to 200"]), (["history": -1], ["history"]),
                (["vision": "yes"], ["vision", "true or false"]), (["model": 5], ["model", "text"]),
            ] as [(JSON, [String])] {
                var wrong = draft
                wrong["options"] = options
                let reply = try await stage.api(.post, "connectors", wrong)
                #expect(reply.status == 422)
                #expect(reply.fields.keys.sorted() == ["options"])
                for word in words { #expect(reply.text.contains(word), "\(reply.text)") }
            }
            var right = draft
            right["options"] = ["model": "m", "temperature": 1, "history": 0, "vision": true, "system_prompt": "Hi"]
            let connector = try await stage.make("connectors", right)
            let path = "connectors/\(try connector.field("id"))"
            #expect(try await stage.api(.patch, path, ["options": ["history": 500]]).status == 422)
            #expect(try await stage.api(.patch, path, ["options": ["history": 50, "vision": nil]]).status == 200)
            // Another platform has other options.
            let other = try await stage.make(
                "providers", ["name": "Own", "type": "webhook", "url": "https://example.com/bot"])
            let moved = try await stage.api(.patch, path, ["provider_id": try #require(other["id"])])
            #expect(moved.fields.keys.sorted() == ["options"])
        }
    }

    @Test("the kinds of platforms and their options can be read")
    func platforms() async throws {
        try await Stage.with { stage in
            let items = try #require(try await stage.read("platforms")["items"]?.array)
            #expect(items.contains { $0["id"] == "dify_chatflow" && $0["default_url"] == "https://api.dify.ai/v1" })
            let first = try await stage.read("platforms?limit=2")
            let cursor = try #require(first["next"]?.string)
            let rest = try await stage.read("platforms?cursor=\(cursor)")
            #expect((first["items"]?.array ?? []) + (rest["items"]?.array ?? []) == items)
            #expect(rest["next"] == .null)
            let model = try await stage.read("platforms/openai")
            #expect(model["display_name"] == "OpenAI-compatible")
            let temperature = model["options"]?.array?.first { $0["name"] == "temperature" }
            #expect(temperature?["kind"] == "number")
            #expect(temperature?["maximum"] == 2)
            #expect(try await stage.api(.get, "platforms/none").status == 404)
        }
    }
}
