import Base
import Foundation

/// What an app asks its callers for (`user_input_form` of `/parameters`), and how BitBot's variables fill it in.
///
/// An app refuses a whole request for one value that it does not take, and drops what it has not declared.
struct DifyInputForm: Decodable, Sendable {
    struct Field: Sendable {
        var kind: String
        var variable: String
        var isRequired: Bool
        var standard: String
        var maximumLength: Int?
        var options: [String]
    }

    var fields: [Field]

    private enum Key: String, CodingKey { case form = "user_input_form" }

    init(from decoder: any Decoder) throws {
        let form = try decoder.container(keyedBy: Key.self).decode([JSON].self, forKey: .form)
        fields = form.flatMap { entry in
            (entry.object ?? [:]).compactMap { kind, field in Field(kind: kind, field) }
        }
    }

    /// The values of the declared variables, tokens among them.
    func inputs(for question: Question) -> JSON {
        var inputs: [String: JSON] = [:]
        for field in fields {
            let value = question.variables[field.variable] ?? question.tokens[field.variable]?.reveal()
            inputs[field.variable] = field.accepted(value)
        }
        return .object(inputs)
    }
}

extension DifyInputForm.Field {
    fileprivate init?(kind: String, _ field: JSON) {
        guard let variable = field["variable"]?.string, !variable.isEmpty else { return nil }
        self.kind = kind
        self.variable = variable
        isRequired = field["required"]?.bool ?? false
        standard = field["default"].map { $0.string ?? ($0.isNull ? "" : $0.text) } ?? ""
        maximumLength = (field["max_length"]?.integer).flatMap { $0 > 0 ? Int($0) : nil }
        options = field["options"]?.array?.compactMap(\.string) ?? []
    }

    /// The value in a form that the app takes; `nil` leaves it out.
    func accepted(_ value: String?) -> JSON? {
        switch kind {
        case "select": [value, standard].lazy.compactMap(\.self).first(where: options.contains).map(JSON.string)
        case "number": number(value) ?? number(standard)
        case "checkbox": value.flatMap(flag) ?? (isRequired ? flag(standard) : nil)
        case "file", "file-list", "json", "json_object", "external_data_tool": nil
        default: text(value)
        }
    }

    /// An empty text satisfies a required field that the event says nothing about.
    private func text(_ value: String?) -> JSON? {
        guard let value = value ?? (isRequired ? standard : nil) else { return nil }
        guard let maximumLength, value.unicodeScalars.count > maximumLength else { return .string(value) }
        return .string(String(String.UnicodeScalarView(value.unicodeScalars.prefix(maximumLength))))
    }

    private func number(_ value: String?) -> JSON? {
        guard let value = value?.trimmingCharacters(in: .whitespaces), !value.isEmpty else { return nil }
        if let whole = Int64(value) { return .integer(whole) }
        guard let number = Double(value), number.isFinite else { return nil }
        return .number(number)
    }

    private func flag(_ value: String) -> JSON? {
        switch value.lowercased() {
        case "y", "1", "true": .bool(true)
        case "n", "0", "false", "": .bool(false)
        default: nil
        }
    }
}
