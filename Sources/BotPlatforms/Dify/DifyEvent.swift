import Base
import Foundation

/// The events of a stream that are read, and their shapes. All fields may be missing or `null`; unknown ones are skipped.
/// Documentation: `en/api-reference/guides/streaming.mdx`, the contract's `/chat-messages`.
enum DifyEvent {
    enum Name: String {
        case message
        case agentMessage = "agent_message"
        case messageReplace = "message_replace"
        case messageFile = "message_file"
        case messageEnd = "message_end"
        case workflowStarted = "workflow_started"
        case workflowFinished = "workflow_finished"
        case workflowPaused = "workflow_paused"
        case humanInputRequired = "human_input_required"
        case textChunk = "text_chunk"
        case error

        /// The name of an event, found without reading the rest, which can be large.
        init?(peekingAt data: String) {
            guard let name = DifyEvent.quickName(data.utf8) ?? DifyEvent.slowName(data) else { return nil }
            self.init(rawValue: name)
        }
    }

    /// Dify writes `event` first.
    private static func quickName(_ data: String.UTF8View) -> String? {
        var rest = data[...]
        func skipSpace() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }
        func skip(_ text: StaticString) -> Bool {
            text.withUTF8Buffer { expected in
                guard rest.starts(with: expected) else { return false }
                rest = rest.dropFirst(expected.count)
                return true
            }
        }
        skipSpace()
        guard skip("{") else { return nil }
        skipSpace()
        guard skip("\"event\"") else { return nil }
        skipSpace()
        guard skip(":") else { return nil }
        skipSpace()
        guard skip("\"") else { return nil }
        return String(rest.prefix { $0 != UInt8(ascii: "\"") })
    }

    private static func slowName(_ data: String) -> String? {
        struct Named: Decodable { var event: String }
        return try? JSONDecoder().decode(Named.self, from: Data(data.utf8)).event
    }

    /// An event's own fields beside the ids that nearly all events carry.
    struct Identified<Fields: Decodable>: Decodable {
        var ids: IDs
        var fields: Fields

        init(from decoder: any Decoder) throws {
            ids = try IDs(from: decoder)
            fields = try Fields(from: decoder)
        }
    }

    /// Something that is `nil` where it has another shape than expected: it must not cost the answer.
    struct Lax<Value: Decodable>: Decodable {
        var value: Value?

        init(from decoder: any Decoder) throws { value = try? Value(from: decoder) }
    }

    struct IDs: Decodable {
        var conversation: String?
        var message: String?
        var task: String?
        var run: String?

        static let names: [StaticString] = ["conversation_id", "message_id", "task_id", "workflow_run_id"]

        /// - Parameter texts: in the order of ``names``.
        init(_ texts: [String?]) {
            conversation = texts[0]
            message = texts[1]
            task = texts[2]
            run = texts[3]
        }

        private enum CodingKeys: String, CodingKey {
            case conversation = "conversation_id"
            case message = "message_id"
            case task = "task_id"
            case run = "workflow_run_id"
        }

        init(from decoder: any Decoder) throws {
            let ids = try decoder.container(keyedBy: CodingKeys.self)
            func id(_ key: CodingKeys) -> String? { (try? ids.decodeIfPresent(String.self, forKey: key)) ?? nil }
            conversation = id(.conversation)
            message = id(.message)
            task = id(.task)
            run = id(.run)
        }
    }

    struct Nothing: Decodable {}

    struct Piece: Decodable {
        var answer: String?
    }

    /// A piece of a workflow's output.
    struct Chunk: Decodable {
        struct Data: Decodable {
            var text: String?
        }
        var data: Data?
    }

    /// A form that is to be filled in, or the pause for it.
    struct Pause: Decodable {
        var data: JSON?
    }

    struct File: Decodable {
        var type: String?
        var owner: String?
        var url: String?
        var remoteURL: String?
        var filename: String?

        private enum CodingKeys: String, CodingKey {
            case type, url, filename
            case owner = "belongs_to"
            case remoteURL = "remote_url"
        }
    }

    struct End: Decodable {
        var files: Lax<[File]>?
    }

    struct Run: Decodable {
        struct Data: Decodable {
            var status: Lax<String>?
            var outputs: JSON?
            var error: Lax<String>?
            var files: Lax<[File]>?
        }
        var data: Data?
    }

    struct Failure: Decodable {
        var status: Lax<Int>?
        var code: String?
        var message: String?
    }
}
