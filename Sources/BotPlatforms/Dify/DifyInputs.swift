import Base
import Foundation

/// What an app asks its callers for (`user_input_form` of `/parameters`), and how BitBot's variables fill it in.
///
/// An app refuses a whole request for one value that it does not take, and drops what it has not declared.
struct DifyInputForm: Sendable {
    struct Field: Sendable {
        var kind: String
        var variable: String
        var isRequired: Bool
        var standard: String
        var maximumLength: Int?
        var options: [String]
        /// What a variable for files takes.
        var files: DifyFileRule?
        /// Whether a variable for files holds a list of them.
        var isList: Bool { kind == "file-list" }
    }

    var fields: [Field]

    init(_ form: [JSON]) {
        fields = form.flatMap { entry in
            (entry.object ?? [:]).compactMap { kind, field in Field(kind: kind, field) }
        }
    }

    /// The values of the declared variables, tokens among them; `query` is the message where BitBot has no such variable.
    /// - Throws: ``PlatformError`` when a value is longer than the app takes: it would refuse the whole request.
    func inputs(for question: Question) throws -> Members<JSON> {
        var inputs: Members<JSON> = [:]
        for field in fields {
            let found =
                question.variables[field.variable] ?? question.tokens[field.variable]?.reveal()
                ?? (field.variable == "query" ? question.difyText : nil)
            let value = found?.withoutNUL
            try field.checkLength(of: value)
            inputs[field.variable] = field.accepted(value)
        }
        return inputs
    }

    /// The variables that take files, in the order of the form.
    var fileFields: [Field] { fields.filter { $0.files != nil } }
}

extension PlatformError {
    /// - Parameter length: what is needed, if known.
    static func variableTooLong(_ variable: String, limit: Int, length: Int?) -> PlatformError {
        let goal = length.map { "at least \($0)" } ?? "more"
        return PlatformError(
            .final,
            "A variable is longer than the app takes: lengthen the field `\(variable)` (\(limit) characters) "
                + "in the app's start node in Dify to \(goal).")
    }
}

extension DifyInputForm.Field {
    init?(kind: String, _ field: JSON) {
        guard let variable = field["variable"]?.string, !variable.isEmpty else { return nil }
        self.kind = kind
        self.variable = variable
        isRequired = field["required"]?.bool ?? false
        standard = field["default"].map { $0.string ?? ($0.isNull ? "" : $0.text) } ?? ""
        maximumLength = (field["max_length"]?.integer).flatMap { $0 > 0 ? Int($0) : nil }
        options = field["options"]?.array?.compactMap(\.string) ?? []
        switch kind {
        case "file": files = DifyFileRule(field, count: 1)
        case "file-list": files = DifyFileRule(field, count: maximumLength ?? 5)
        default: files = nil
        }
    }

    private var isText: Bool { kind == "text-input" || kind == "paragraph" }

    /// Lengths are counted as Dify does, in code points.
    func checkLength(of value: String?) throws {
        guard isText, let maximumLength, let length = value?.unicodeScalars.count, length > maximumLength else {
            return
        }
        throw PlatformError.variableTooLong(variable, limit: maximumLength, length: length)
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
        (value ?? (isRequired ? standard : nil)).map(JSON.string)
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
