import Base
import Foundation

/// A form of a Human Input node that waits for its person, with what was filled in so far. It is kept in the session.
/// Documentation: `en/api-reference/guides/human-input-flow.mdx`.
struct DifyForm: Sendable, Equatable, Codable {
    struct Field: Sendable, Hashable, Codable {
        enum Kind: Sendable, Hashable, Codable {
            case text
            /// Empty where the options are not known here.
            case select([String])
            case file(DifyFileRule)
            case files(DifyFileRule)
        }
        var name: String
        var kind: Kind
        /// What the form shows in the field from the start.
        var standard: String

        /// Dify wants everything but texts.
        var isRequired: Bool { kind != .text }
        var files: DifyFileRule? {
            switch kind {
            case .file(let rule), .files(let rule): rule
            case .text, .select: nil
            }
        }
    }

    struct Action: Sendable, Hashable, Codable {
        var id: String
        var title: String
    }

    /// Of what is kept of its description.
    private static let mostBytes = 64 * 1024

    var token: String
    /// The run that waits.
    var run: String
    /// Shown once, not kept.
    var content: String
    var fields: [Field]
    var actions: [Action]
    var values: Members<JSON> = [:]
    var action: String?
    /// What the bot had said before it waited: a later look shows it again.
    var said: String = ""

    /// From `human_input_required`, or wherever else Dify describes a form.
    /// - Returns: `nil` if the form cannot be answered here: it went out by e-mail, or is too large to be kept.
    init?(_ json: JSON, run: String?) {
        guard let token = json["form_token"]?.string, !token.isEmpty, let run, !run.isEmpty else { return nil }
        let kept = ["form_token", "inputs", "actions", "user_actions", "resolved_default_values"]
        guard kept.reduce(0, { $0 + (json[$1]?.bytes.count ?? 0) }) <= Self.mostBytes else { return nil }
        self.token = token
        self.run = run
        content = json["form_content"]?.string ?? ""
        let standards = json["resolved_default_values"] ?? [:]
        fields = (json["inputs"]?.array ?? []).compactMap { Field($0, standards) }
        actions = (json["actions"]?.array ?? json["user_actions"]?.array ?? []).compactMap { action in
            guard let id = action["id"]?.string else { return nil }
            let title = action["title"]?.string ?? ""
            return Action(id: id, title: title.isEmpty ? id : title)
        }
    }

    // MARK: Filling in

    enum Answer: Sendable, Hashable {
        /// A field or an action was filled in.
        case taken
        /// It fits nothing that was asked.
        case notUnderstood
    }

    /// Takes what the person said: one of the actions at any time, else the value of the field that is asked for.
    /// - Parameters:
    ///   - chosen: the value of the choice that the text means, if any.
    ///   - files: as uploaded for the field that is asked for.
    mutating func take(_ text: String, chosen: String?, files: [JSON]) -> Answer {
        let field = nextField
        switch field?.kind {
        case .select(let options)?:
            if let option = Self.match(text, chosen, in: options, named: \.self) {
                return fill(field, .string(option))
            }
            if options.isEmpty, !text.isEmpty { return fill(field, .string(text)) }
        case .file?: if let file = files.first { return fill(field, file) }
        case .files?: if !files.isEmpty { return fill(field, .array(files)) }
        case .text?, nil: break
        }
        if let chosen, let action = actions.first(where: { $0.id == chosen }) {
            self.action = action.id
            return .taken
        }
        if let title = Self.match(text, nil, in: actions.map(\.title), named: \.self) {
            action = actions.first { $0.title == title }?.id
            return .taken
        }
        guard case .text? = field?.kind else { return .notUnderstood }
        return fill(field, .string(text))
    }

    private mutating func fill(_ field: Field?, _ value: JSON) -> Answer {
        if let field { values[field.name] = value }
        return .taken
    }

    private static func match(
        _ text: String, _ chosen: String?, in options: [String], named name: (String) -> String
    ) -> String? {
        if let chosen, options.contains(chosen) { return chosen }
        let said = text.trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
        return options.first { name($0).lowercased() == said }
    }

    /// What is to be filled in next; once an action is chosen only what Dify wants.
    var nextField: Field? {
        fields.first { values[$0.name] == nil && (action == nil || $0.isRequired) }
    }

    /// What is sent, when nothing is left to be asked. A single action needs no asking.
    func submission(by user: String) -> JSON? {
        guard nextField == nil, let action = action ?? (actions.count <= 1 ? actions.first?.id ?? "" : nil) else {
            return nil
        }
        var inputs: Members<JSON> = [:]
        for field in fields { inputs[field.name] = values[field.name] ?? .string(field.standard) }
        return ["inputs": .object(inputs), "action": .string(action), "user": .string(user)]
    }

    /// Begins anew.
    mutating func clear() {
        values = [:]
        action = nil
    }
}

extension DifyForm.Field {
    fileprivate init?(_ json: JSON, _ standards: JSON) {
        guard let name = json["output_variable_name"]?.string, !name.isEmpty else { return nil }
        self.name = name
        let constant = json["default"]?["type"]?.string == "variable" ? nil : json["default"]?["value"]?.string
        standard = standards[name]?.string ?? constant ?? ""
        switch json["type"]?.string {
        case "select": kind = .select((json["option_source"]?["value"]?.array ?? []).compactMap(\.string))
        case "file": kind = DifyFileRule(json, count: 1).map { .file($0) } ?? .text
        case "file-list":
            let count = (json["number_limits"]?.integer).flatMap { $0 > 0 ? Int(clamping: $0) : nil } ?? 5
            kind = DifyFileRule(json, count: count).map { .files($0) } ?? .text
        default: kind = .text
        }
    }
}

// MARK: - Asking

extension DifyForm {
    /// The form as it is first shown.
    func asked(in words: DifyWords) -> [ReplyPart] {
        let content = shownContent.trimmingCharacters(in: .whitespacesAndNewlines)
        return [.nextMessage] + (content.isEmpty ? [] : [.text(content + "\n\n")]) + askedNext(in: words)
    }

    /// What is to be filled in next, with what can be chosen.
    func askedNext(in words: DifyWords) -> [ReplyPart] {
        let actions = actions.map { Choice(label: $0.title, value: $0.id) }
        guard let field = nextField else { return asked(words.chooseAction, actions) }
        switch field.kind {
        case .text: return asked(words.write(field.name), action == nil ? actions : [], besideText: true)
        case .select(let options):
            return asked(words.choose(field.name), options.map { Choice(label: $0, value: $0) })
        case .file, .files: return asked(words.send(field.name), [])
        }
    }

    /// - Parameter besideText: any text is an answer, also a number.
    private func asked(_ text: String, _ options: [Choice], besideText: Bool = false) -> [ReplyPart] {
        let choices = Choices(options, isOptional: besideText, takesNumbers: !besideText)
        return [.text(text)] + (options.isEmpty ? [] : [.choices(choices)])
    }

    /// Where the form has a field the text has `{{#$output.name#}}`: shown as what the field holds, else its name.
    private var shownContent: String {
        content.replacing(/\{\{#\$outputs?\.([^{}#]+)#\}\}/) { match in
            let name = String(match.1)
            let standard = fields.first { $0.name == name }?.standard ?? ""
            return standard.isEmpty ? "[\(name)]" : standard
        }
    }
}

// MARK: - In the session

extension PlatformSession {
    /// Key in ``data`` of the form that waits.
    private static let form = "form"

    /// The form that waits for the person.
    var difyForm: DifyForm? {
        data[Self.form].flatMap { try? JSONDecoder().decode(DifyForm.self, from: Data($0.bytes)) }
    }

    /// The same conversation with this form, or without one.
    func with(_ form: DifyForm?) -> PlatformSession {
        var session = self
        if session.data.object == nil { session.data = [:] }
        var form = form
        form?.content = ""
        session.data[Self.form] = form.flatMap { try? JSON(parsing: JSONEncoder().encode($0)) }
        return session
    }
}

/// What BitBot itself says around a form, in the person's language.
struct DifyWords: Sendable {
    private let isRussian: Bool

    init(_ question: Question) {
        isRussian = question.isInRussian
    }

    var chooseAction: String { isRussian ? "Пожалуйста, выберите." : "Please choose." }
    func write(_ field: String) -> String { isRussian ? "Напишите: \(field)" : "Please write: \(field)" }
    func choose(_ field: String) -> String { isRussian ? "Выберите: \(field)" : "Please choose: \(field)" }
    func send(_ field: String) -> String { isRussian ? "Отправьте файл: \(field)" : "Please send a file: \(field)" }
    var notAccepted: String {
        isRussian ? "Это не подошло, попробуйте ещё раз." : "That was not accepted, please try again."
    }
    var askedByMail: String {
        isRussian
            ? "Запрос отправлен другому сотруднику по электронной почте."
            : "The request was sent to somebody else by e-mail."
    }
}
