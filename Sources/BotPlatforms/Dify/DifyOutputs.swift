import Base
import Foundation

/// What a workflow gives out, in the order in which Dify names it.
struct DifyOutputs: Sendable {
    enum Style: Sendable {
        /// Lines `name: value`.
        case named
        /// A single output, and one with a usual name, without its name.
        case plain
    }

    private var members: [(name: String, value: JSON)]
    /// What the bot wants done: the output `bitbot_action`, which is never shown.
    let actions: [BotAction]
    let files: [DifyEvent.File]

    static let action = "bitbot_action"
    private static let plainNames: Set<String> = ["text", "answer", "result"]

    /// - Parameter order: the names as they came; those that it lacks come last.
    init(_ outputs: JSON?, order: [String] = []) {
        // Some versions store them as JSON text.
        let parsed = outputs?.string.flatMap { try? JSON(parsing: $0.utf8) } ?? outputs
        let object = parsed?.object ?? [:]
        var seen: Set<String> = []
        let names = (order + object.keys.sorted()).filter { object[$0] != nil && seen.insert($0).inserted }
        var members: [(name: String, value: JSON)] = []
        var files: [DifyEvent.File] = []
        for name in names where name != Self.action {
            let value = object[name] ?? .null
            if let found = value.difyFiles { files += found } else { members.append((name, value)) }
        }
        self.members = members.filter { !$0.value.isNothing }
        self.files = files
        actions = Self.actions(object[Self.action])
    }

    /// The one output of a chatflow.
    var answer: String? { members.first { $0.name == "answer" }?.value.string }

    func text(_ style: Style) -> String {
        let lines = members.map { name, value in
            let isPlain = style == .plain && (members.count == 1 || Self.plainNames.contains(name.lowercased()))
            return isPlain ? value.shown : "\(name): \(value.shown)"
        }
        return lines.joined(separator: "\n")
    }

    /// Words as of the directives, one or several.
    private static func actions(_ value: JSON?) -> [BotAction] {
        let texts = value?.string.map { [$0] } ?? value?.array?.compactMap(\.string) ?? []
        return texts.flatMap { $0.split { $0.isNewline || $0 == "," } }.compactMap { word in
            BotAction(word: word.filter { $0 != "[" && $0 != "]" })
        }
    }
}

extension JSON {
    /// The files that a value consists of; `nil` if it is something else.
    fileprivate var difyFiles: [DifyEvent.File]? {
        if let list = array, !list.isEmpty {
            let files = list.compactMap(\.difyFile)
            return files.count == list.count ? files : nil
        }
        return difyFile.map { [$0] }
    }

    private var difyFile: DifyEvent.File? {
        guard object != nil else { return nil }
        let isMarked = self["dify_model_identity"]?.string == "__dify__file__"
        let looksIt = self["transfer_method"]?.string != nil && (self["url"] != nil || self["remote_url"] != nil)
        guard isMarked || looksIt else { return nil }
        return DifyEvent.File(self)
    }

    fileprivate var isNothing: Bool {
        switch self {
        case .null: true
        case .string(let text): !text.contains { !$0.isWhitespace }
        case .array(let items): items.isEmpty
        case .object(let members): members.isEmpty
        case .bool, .integer, .number: false
        }
    }

    fileprivate var shown: String { string ?? text }
}
