import Base

extension SimulatedDify {
    /// An app of the simulated Dify: what one API key opens.
    public struct App: Sendable {
        /// An app's mode, as `/info` names it. Documentation: `en/api-reference/guides/get-started.mdx`.
        public enum Mode: String, Sendable, CaseIterable {
            case chatflow = "advanced-chat"
            case chat
            case agent = "agent-chat"
            case newAgent = "agent"
            case workflow
            case completion

            /// Whether the app has conversations and is asked by `/chat-messages`.
            var hasConversations: Bool { self != .workflow && self != .completion }
            /// The route that the app is asked by.
            var route: String {
                switch self {
                case .workflow: "/workflows/run"
                case .completion: "/completion-messages"
                case .chatflow, .chat, .agent, .newAgent: "/chat-messages"
                }
            }
            /// Whether a run has nodes, can be looked up and be followed again.
            var hasWorkflow: Bool { self == .chatflow || self == .workflow }
        }

        public var key: Secret
        public var name: String
        public var mode: Mode
        /// What the app asks its callers for; answered by `/parameters`, checked at each request.
        public var form: [Field]
        public var openingStatement: String?
        /// The questions proposed with it.
        public var openingQuestions: [String] = []
        /// Which files may come with a question.
        public var fileUpload = FileUpload()
        /// What a recording says; `nil` switches speech-to-text off.
        public var transcribe: (@Sendable ([UInt8]) -> String)?
        /// The questions proposed after each answer; `nil` switches the feature off.
        public var suggestedQuestions: [String]?
        /// Whether the app's API service is switched on (403 otherwise).
        public var isEnabled = true
        /// The output that holds a workflow's text; its author chooses the name.
        public var outputName = "text"
        public var script: Script
        let id: String
        let workflowID: String

        public init(
            key: Secret, name: String = "Demonstration bot", mode: Mode = .chatflow, form: [Field] = [],
            openingStatement: String? = nil, suggestedQuestions: [String]? = nil,
            script: @escaping Script = SimulatedDify.demonstration()
        ) {
            self.key = key
            self.name = name
            self.mode = mode
            self.form = form
            self.openingStatement = openingStatement
            self.suggestedQuestions = suggestedQuestions
            self.script = script
            id = SimulatedDify.derivedUUID(key.reveal(), "app")
            workflowID = SimulatedDify.derivedUUID(key.reveal(), "workflow")
        }

        /// The feature `file_upload`.
        public struct FileUpload: Sendable {
            /// `image`, `document`, `audio`, `video`, `custom`; none switches it off.
            public var types = ["image"]
            /// With `custom`: endings such as `.md`.
            public var extensions: [String] = []
            public var methods = ["remote_url", "local_file"]
            public var limit = 3
            public init() {}
        }

        /// A declared input variable.
        public struct Field: Sendable {
            public enum Kind: Sendable {
                case text(maximum: Int?)
                case paragraph(maximum: Int?)
                case select([String])
                case number
                case checkbox
                case file
                case fileList(maximum: Int?)
                case json

                var name: String {
                    switch self {
                    case .text: "text-input"
                    case .paragraph: "paragraph"
                    case .select: "select"
                    case .number: "number"
                    case .checkbox: "checkbox"
                    case .file: "file"
                    case .fileList: "file-list"
                    case .json: "json_object"
                    }
                }
            }

            public var variable: String
            public var kind: Kind
            public var isRequired: Bool

            public init(_ variable: String, _ kind: Kind = .text(maximum: nil), isRequired: Bool = false) {
                self.variable = variable
                self.kind = kind
                self.isRequired = isRequired
            }
        }

        /// The declared ones of `inputs`; what is not declared is dropped without a word.
        /// - Throws: ``DifyError`` with code `invalid_param`, worded as the real server words it.
        func accepted(_ inputs: Members<JSON>) throws -> Members<JSON> {
            var accepted: Members<JSON> = [:]
            for field in form {
                guard let value = inputs[field.variable], !value.isNull else {
                    if field.isRequired {
                        throw DifyError.invalid("\(field.variable) is required in input form")
                    }
                    continue
                }
                accepted[field.variable] = try field.accepted(value)
            }
            return accepted
        }
    }
}

extension SimulatedDify.App.Field {
    func accepted(_ value: JSON) throws -> JSON {
        switch kind {
        case .text(let maximum), .paragraph(let maximum):
            let text = try requireString(value)
            if let maximum, text.unicodeScalars.count > maximum {
                throw DifyError.invalid("\(variable) in input form must be less than \(maximum) characters")
            }
        case .select(let options):
            let text = try requireString(value)
            if !options.contains(text) {
                let list = options.map { "'\($0)'" }.joined(separator: ", ")
                throw DifyError.invalid("\(variable) in input form must be one of the following: [\(list)]")
            }
        case .number: return try number(value)
        case .checkbox:
            guard value.bool != nil else {
                throw DifyError.invalid("\(variable) in input form must be a boolean value")
            }
        case .file:
            guard value["transfer_method"] != nil else {
                throw DifyError.invalid("\(variable) in input form must be a file")
            }
        case .fileList(let maximum):
            guard let files = value.array, files.allSatisfy({ $0["transfer_method"] != nil }) else {
                throw DifyError.invalid("\(variable) in input form must be a list of files")
            }
            if let maximum, files.count > maximum {
                throw DifyError.invalid("\(variable) in input form must have at most \(maximum) files")
            }
        case .json:
            guard value.object != nil else {
                throw DifyError.invalid("\(variable) in input form must be a JSON object")
            }
        }
        return value
    }

    private func requireString(_ value: JSON) throws -> String {
        guard let text = value.string else {
            throw DifyError.invalid("(type '\(kind.name)') \(variable) in input form must be a string")
        }
        return text
    }

    private func number(_ value: JSON) throws -> JSON {
        switch value {
        case .integer, .number: return value
        case .string(let text):
            if let whole = Int64(text) { return .integer(whole) }
            if let decimal = Double(text) { return .number(decimal) }
            throw DifyError.invalid("\(variable) in input form must be a valid number")
        default: throw DifyError.invalid("\(variable) in input form must be a valid number")
        }
    }

    func write(to out: inout JSONText) {
        out.object { out in
            let write = { (out: inout JSONText) in
                out.member("label", variable)
                out.member("variable", variable)
                out.member("required", isRequired)
                out.member("default", "")
                switch kind {
                case .text(let maximum?), .paragraph(let maximum?): out.member("max_length", maximum)
                case .select(let options): out.member("options", array: options) { $0.string($1) }
                case .fileList(let maximum?): out.member("max_length", maximum)
                default: break
                }
            }
            switch kind {
            case .text: out.member("text-input", object: write)
            case .paragraph: out.member("paragraph", object: write)
            case .select: out.member("select", object: write)
            case .number: out.member("number", object: write)
            case .checkbox: out.member("checkbox", object: write)
            case .file: out.member("file", object: write)
            case .fileList: out.member("file-list", object: write)
            case .json: out.member("json_object", object: write)
            }
        }
    }
}
