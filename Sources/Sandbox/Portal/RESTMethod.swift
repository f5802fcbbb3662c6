import Base

/// Who calls.
struct RESTCaller: Sendable {
    var userID: Int
    /// The application; `nil` for an inbound webhook.
    var clientID: String?
    var scope: [String]
    /// For whom running time is counted.
    var account: String
    var isWebhook: Bool { clientID == nil }
}

/// One call of a method.
struct RESTCall: Sendable {
    var parameters: RESTParameters
    var caller: RESTCaller
    var now: Timestamp
}

/// What a method answers.
struct RESTResult: Sendable {
    var value: JSON
    /// Lists only.
    var total: Int?
    var next: Int?

    init(_ value: JSON, total: Int? = nil, next: Int? = nil) {
        self.value = value
        self.total = total
        self.next = next
    }
}

/// A REST method and the page that describes it.
struct RESTMethod: Sendable {
    typealias Body = @Sendable (inout PortalState, RESTCall) throws -> RESTResult

    /// As the documentation writes it; callers may use any case.
    var name: String
    /// In Bitrix24's documentation.
    var page: String
    /// One of these is needed; none for the basic methods.
    var scopes: [String]
    /// Takes as long as the settings say that sending takes.
    var takesTime = false
    /// Files are not moved inside a batch.
    var isAllowedInBatch = true
    /// The sender's key against repeats, for methods that have one.
    var uuid: (@Sendable (RESTCall) -> String?)?
    var body: Body

    /// Whether an old portal lacks it.
    var isSecondGeneration: Bool { name.hasPrefix("imbot.v2.") }

    /// All methods by their name in lower case.
    static let all: [String: RESTMethod] = {
        let groups = [
            systemMethods, userMethods, bindingMethods, botMethods, messageMethods, commandMethods, chatMethods,
            fileMethods, firstGenerationBotMethods, firstGenerationMessageMethods, firstGenerationCommandMethods,
            openLineMethods, dialogMethods, diskMethods,
        ]
        return Dictionary(
            groups.joined().map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    }()
}
