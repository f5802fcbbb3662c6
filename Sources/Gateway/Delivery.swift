import Bitrix24

/// What is on its way to Bitrix24, as it waits in the store.
indirect enum Delivery: Sendable, Hashable {
    case message(OutgoingMessage)
    case file(OutgoingFile)
    case action(ChannelAction)
    /// What was shown of a message is taken back.
    case withdrawal(OutgoingMessage)

    /// What people call it; `nil`: a message, as most are.
    var kind: String? {
        switch self {
        case .message: nil
        case .file: "file"
        case .action: "action"
        case .withdrawal: "withdrawal"
        }
    }

    /// Whether it does no harm to do it again without knowing what became of it.
    var isRepeatable: Bool {
        switch self {
        case .message(let message): message.isRepeatable
        case .file: false
        case .action, .withdrawal: true
        }
    }
}

/// A delivery, and how long after the reply it is to be done.
struct ScheduledDelivery: Sendable, Hashable {
    var delivery: Delivery
    var delay: Duration
    init(_ delivery: Delivery, delay: Duration = .zero) {
        self.delivery = delivery
        self.delay = delay
    }
}

extension Delivery: Codable {
    private enum CodingKeys: String, CodingKey { case action, file, withdrawal }

    /// A message is stored bare, anything else under its name.
    init(from decoder: any Decoder) throws {
        let named = try decoder.container(keyedBy: CodingKeys.self)
        if let action = try named.decodeIfPresent(ChannelAction.self, forKey: .action) {
            self = .action(action)
        } else if let file = try named.decodeIfPresent(OutgoingFile.self, forKey: .file) {
            self = .file(file)
        } else if let message = try named.decodeIfPresent(OutgoingMessage.self, forKey: .withdrawal) {
            self = .withdrawal(message)
        } else {
            self = .message(try OutgoingMessage(from: decoder))
        }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .message(let message): try message.encode(to: encoder)
        case .file(let file):
            var named = encoder.container(keyedBy: CodingKeys.self)
            try named.encode(file, forKey: .file)
        case .action(let action):
            var named = encoder.container(keyedBy: CodingKeys.self)
            try named.encode(action, forKey: .action)
        case .withdrawal(let message):
            var named = encoder.container(keyedBy: CodingKeys.self)
            try named.encode(message, forKey: .withdrawal)
        }
    }
}
