import Base

extension SimulatedTypebot {
    /// A published bot: groups of blocks, walked from the first block of the first group.
    public struct Flow: Sendable {
        public var publicID: String
        public var name: String
        public var groups: [Group]
        /// Names of the variables. The id of one is ``Block/variableID(_:)`` of its name.
        public var variables: [String]
        public var commands: [Command]
        /// Set to the text that a closed bot refuses with.
        public var closedMessage: String?
        /// A workspace that was suspended or quarantined: 403.
        public var isSuspended = false
        /// Whether an earlier result's variables come back with its `resultId`.
        public var remembersUsers = false
        /// The progress bar of the theme; only with it answers have `progress`.
        public var showsProgress = false
        /// What is said to a bad answer where the input has no text of its own.
        public var invalidMessage = "Invalid message. Please, try again."
        /// Where not empty, requests with another `Origin` header are refused.
        public var allowedOrigins: [String] = []
        public let id = SimulatedTypebot.randomID()

        public init(
            _ publicID: String, name: String = "Demonstration flow", variables: [String] = [], commands: [Command] = [],
            groups: [Group]
        ) {
            self.publicID = publicID
            self.name = name
            self.variables = variables
            self.commands = commands
            self.groups = groups
            nameBlocks()
        }

        /// A flow of one group.
        public init(_ publicID: String, variables: [String] = [], _ blocks: [Block]) {
            self.init(publicID, variables: variables, groups: [Group("start", blocks)])
        }

        /// Gives each block without an id one of its group and place.
        private mutating func nameBlocks() {
            for group in groups.indices {
                for block in groups[group].blocks.indices where groups[group].blocks[block].id.isEmpty {
                    groups[group].blocks[block].id = "\(groups[group].id)-\(block + 1)"
                }
            }
        }
    }

    public struct Group: Sendable {
        public var id: String
        public var blocks: [Block]

        public init(_ id: String, _ blocks: [Block]) {
            self.id = id
            self.blocks = blocks
        }
    }

    /// A command event: where a `{"type": "command"}` message leads.
    public struct Command: Sendable {
        public var command: String
        public var next: String
        /// Whether the interrupted question comes back behind the command's bubbles.
        public var resumesAfter: Bool

        public init(_ command: String, next: String, resumesAfter: Bool = false) {
            self.command = command
            self.next = next
            self.resumesAfter = resumesAfter
        }
    }

    /// One block. What a chat shows of it has the names and shapes of Typebot's own JSON.
    public struct Block: Sendable {
        public enum Kind: Sendable {
            /// Text in Typebot's rich text.
            case text([JSON])
            /// `image`, `video`, `audio`, `embed` or `custom-embed` with its `content`.
            case bubble(String, content: JSON)
            case input(Input)
            case condition([Branch])
            /// A text with variables, or a list of texts.
            case setVariable(String, JSON)
            case action(JSON, saves: Saved)
            case jump(String)
            /// An entry of `logs`.
            case log(JSON)
        }

        /// What becomes of the reply that an action or an embed waits for.
        public enum Saved: Sendable {
            case nothing
            /// The reply, read as JSON where it is JSON.
            case reply(String)
            /// Members of the reply's JSON by path (`data.name`), each to a variable. Text that is no JSON is refused.
            case response([String: String])
            /// The same for a webhook, which takes plain text too.
            case webhook([String: String])
        }

        public var id: String
        public var kind: Kind
        /// The group, or `group/block`, that follows in place of the next block.
        public var next: String?

        public init(_ kind: Kind, id: String = "", next: String? = nil) {
            self.kind = kind
            self.id = id
            self.next = next
        }

        /// The same with an id of its own.
        public func named(_ id: String) -> Block {
            var block = self
            block.id = id
            return block
        }

        /// The same with another way on.
        public func next(_ place: String) -> Block {
            var block = self
            block.next = place
            return block
        }

        public static func variableID(_ name: String) -> String { "var-" + name }
    }

    /// A condition and where it leads; the first that holds wins, else the block's own way on.
    public struct Branch: Sendable {
        public var condition: JSON
        public var next: String

        public init(_ condition: JSON, next: String) {
            self.condition = condition
            self.next = next
        }

        /// - Parameter operator: as Typebot names it, `Equal to` for example.
        public static func when(_ variable: String, _ operator: String, _ value: String, next: String) -> Branch {
            Branch(Block.comparison(variable, `operator`, value), next: next)
        }
    }

    /// An input block.
    public struct Input: Sendable {
        /// Types as they are called on the wire. Documentation: the contract's `input`.
        public enum Kind: String, Sendable, CaseIterable {
            case text = "text input"
            case number = "number input"
            case email = "email input"
            case url = "url input"
            case date = "date input"
            case time = "time input"
            case phone = "phone number input"
            case choice = "choice input"
            case pictureChoice = "picture choice input"
            case payment = "payment input"
            case rating = "rating input"
            case file = "file input"
            case cards

            /// Whether the input shows something by itself; such an input takes no message of `startChat`.
            var showsContent: Bool {
                switch self {
                case .choice, .pictureChoice, .payment, .cards: true
                default: false
                }
            }
            var hasItems: Bool { self == .choice || self == .pictureChoice || self == .cards }
        }

        public var kind: Kind
        public var options: Members<JSON>
        /// Buttons, pictures or cards, as the contract has them; a way on is `outgoingEdgeId`, the group that follows.
        public var items: [JSON]

        public init(_ kind: Kind, options: Members<JSON> = [:], items: [JSON] = []) {
            self.kind = kind
            self.options = options
            self.items = items
        }

        /// The name of the variable that keeps the answer.
        var variable: String? { Self.variable(options["variableId"]) }

        static func variable(_ id: JSON?) -> String? {
            guard let id = id?.string, id.hasPrefix("var-") else { return nil }
            return String(id.dropFirst(4))
        }
    }
}
