import Base

/// What a document of the whole configuration holds of one table. Rows name each other by the ids that they had where they
/// come from.
struct TransferTable: Sendable {
    enum Kind: Sendable {
        case text, integer, real, flag, json, bytes
        /// A moment; never is the largest number in the store and `null` in the document.
        case expiry
        /// Encrypted in the store; only in a document with secrets.
        case sealed
        /// Random text that lets somebody in; only in a document with secrets, made anew without it.
        case random
        /// The id of a row of another table.
        case reference(String)
    }

    struct Column: Sendable {
        /// In the document; the store's names of secrets end with `_sealed`.
        var name: String
        var kind: Kind
        init(_ name: String, _ kind: Kind) {
            self.name = name
            self.kind = kind
        }

        var isSecret: Bool {
            switch kind {
            case .sealed, .random: true
            default: false
            }
        }
        var stored: String { if case .sealed = kind { name + "_sealed" } else { name } }
    }

    /// The table's name, the document's too.
    var name: String
    var columns: [Column]
    /// By what a row is found again: it is then changed instead of added.
    var known: [String]
    /// Which rows; the sandbox is none of the configuration.
    var condition = "TRUE"
    /// Columns of a new row that the document does not have, as SQL; `:now` is the moment.
    var beginnings: [String: String] = [:]
    /// The same where the document came without its secrets.
    var beginningsWithoutSecrets: [String: String] = [:]
    /// Nothing of it is in a document without secrets.
    var isSecret = false

    private static let times = ["created_at": ":now", "updated_at": ":now"]
    private static let portals = "SELECT id FROM portals WHERE sandbox = 0"
    private static let installations = "SELECT id FROM installations WHERE portal_id IN (\(portals))"
    private static let bots = "SELECT id FROM bots WHERE installation_id IN (\(installations))"

    /// In the order in which they can be added.
    static let all: [TransferTable] = [
        TransferTable(
            name: "apps",
            columns: [
                Column("name", .text), Column("client_id", .text), Column("client_secret", .sealed),
                Column("bitbot", .flag), Column("page_url", .text), Column("address_key", .random),
            ], known: ["name", "client_id"],
            condition: "id NOT IN (SELECT app_id FROM installations WHERE kind = 'sandbox')",
            beginnings: ["created_at": ":now"]),
        TransferTable(
            name: "portals",
            columns: [
                Column("member_id", .text), Column("domain", .text), Column("limit_burst", .integer),
                Column("limit_per_second", .real), Column("allow_private", .flag),
            ], known: ["member_id"], condition: "sandbox = 0", beginnings: ["created_at": ":now"]),
        TransferTable(
            name: "installations",
            columns: [
                Column("portal_id", .reference("portals")), Column("app_id", .reference("apps")), Column("kind", .text),
                Column("scope", .text), Column("client_endpoint", .text), Column("server_endpoint", .text),
                Column("application_token", .sealed),
            ], known: ["portal_id", "app_id", "kind"], condition: "portal_id IN (\(portals))",
            beginnings: times.merging(["status": "'active'"]) { $1 },
            beginningsWithoutSecrets: [
                "status": "'reauthorize'",
                "notice":
                    "'It was imported without its secrets: open the application in the portal, or paste the webhook again'",
            ]),
        TransferTable(
            name: "credentials",
            columns: [
                Column("installation_id", .reference("installations")), Column("user_id", .text),
                Column("admin", .flag),
                Column("access", .sealed), Column("refresh", .sealed), Column("expires_at", .expiry),
                Column("renewed_at", .integer),
            ], known: ["installation_id", "user_id"],
            condition: "usable = 1 AND installation_id IN (\(installations))", isSecret: true),
        TransferTable(
            name: "providers",
            columns: [
                Column("name", .text), Column("type", .text), Column("url", .text), Column("shared", .flag),
                Column("any_address", .flag),
            ], known: ["name", "type"], beginnings: ["created_at": ":now"]),
        TransferTable(
            name: "connectors",
            columns: [
                Column("portal_id", .reference("portals")), Column("provider_id", .reference("providers")),
                Column("shared", .flag), Column("name", .text), Column("key", .sealed), Column("url", .text),
                Column("options", .json),
            ], known: ["portal_id", "provider_id", "name"],
            condition: "portal_id IS NULL OR portal_id IN (\(portals))", beginnings: times),
        TransferTable(
            name: "bots",
            columns: [
                Column("installation_id", .reference("installations")),
                Column("connector_id", .reference("connectors")),
                Column("name", .text), Column("code", .text), Column("type", .text), Column("api", .text),
                Column("delivery", .text), Column("bot_id", .integer), Column("address_key", .random),
                Column("settings", .json), Column("position", .text), Column("color", .text),
                Column("has_avatar", .flag), Column("token", .sealed), Column("event_token", .sealed),
            ], known: ["installation_id", "code"], condition: "installation_id IN (\(installations))",
            beginnings: times.merging(["status": "'active'"]) { $1 },
            beginningsWithoutSecrets: [
                "status": "'failed'",
                "status_reason": "'It was imported without its secrets: connect its portal, then save the bot'",
            ]),
        TransferTable(
            name: "bot_avatars", columns: [Column("bot_id", .reference("bots")), Column("image", .bytes)],
            known: ["bot_id"], condition: "bot_id IN (\(bots))"),
        TransferTable(
            name: "commands",
            columns: [
                Column("bot_id", .reference("bots")), Column("command", .text), Column("common", .flag),
                Column("hidden", .flag), Column("extranet", .flag), Column("translations", .json),
                Column("command_id", .integer),
            ], known: ["bot_id", "command"], condition: "bot_id IN (\(bots))"),
    ]
}
