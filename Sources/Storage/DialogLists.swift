import Base
import Foundation

extension Store {
    public func dialogSummary(_ id: ID<DialogRecord>) async throws -> DialogSummary? {
        try await database.read { connection in
            try connection.row(
                "\(DialogSummary.select) FROM dialogs d \(DialogSummary.join) WHERE d.id = ?", [SQLValue(id)]
            ) {
                try DialogSummary($0)
            }
        }
    }

    /// The dialogs with the newest activity first.
    public func dialogs(
        _ filter: DialogFilter = DialogFilter(), limit: Int, after cursor: String?
    ) async throws -> Page<DialogSummary> {
        let limit = min(max(limit, 1), 1000)
        let (sql, values) = Self.dialogsStatement(
            filter, after: try cursor.map { try ActivityCursor($0) }, limit: limit + 1)
        var items = try await database.read { try $0.rows(sql, values) { try DialogSummary($0) } }
        guard items.count > limit else { return Page(items: items, next: nil) }
        items.removeLast()
        return Page(items: items, next: items.last.map { ActivityCursor($0.dialog).text })
    }

    /// Finds the dialogs by an index alone, and looks up only what is shown.
    static func dialogsStatement(
        _ filter: DialogFilter, after cursor: ActivityCursor?, limit: Int
    ) -> (sql: String, values: [SQLValue]) {
        let after = cursor ?? ActivityCursor(time: .max, id: .max)
        let (conditions, values) = filter.conditions
        // A text is looked for in the rows: in the table's own order that is quicker than going to and fro.
        let time = filter.text == nil ? "last_message_at" : "+last_message_at"
        let sql = """
            \(DialogSummary.select) FROM (
                SELECT id FROM dialogs WHERE (\(time), id) < (?, ?) \(conditions)
                ORDER BY \(time) DESC, id DESC LIMIT ?
            ) found JOIN dialogs d ON d.id = found.id \(DialogSummary.join)
            ORDER BY d.last_message_at DESC, d.id DESC
            """
        return (sql, [.integer(after.time), .integer(after.id)] + values + [.integer(Int64(limit))])
    }
}

extension DialogFilter {
    /// `+` keeps SQLite on the index by activity, in whose order it can stop early.
    fileprivate var conditions: (sql: String, values: [SQLValue]) {
        var sql = ""
        var values: [SQLValue] = []
        if let portal {
            sql += " AND +portal_id = ?"
            values.append(SQLValue(portal))
        }
        if let bot {
            sql += " AND +bot_id = ?"
            values.append(SQLValue(bot))
        }
        if let state {
            sql += " AND state = ?"
            values.append(.text(state.rawValue))
        }
        if let text {
            let escaped = text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
            let tests = Self.tests(of: escaped)
            sql += " AND (\(tests.map { "\($0.column) LIKE ? ESCAPE '\\'" }.joined(separator: " OR ")))"
            values += tests.map { .text("%\($0.form)%") }
        }
        return (sql, values)
    }

    /// SQLite knows small and capital letters of ASCII only: a name in others is looked for as it was typed, in small
    /// letters, and with capitals where names have them. Ids are ASCII.
    private static func tests(of text: String) -> [(column: String, form: String)] {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            return Set([text, text.lowercased(), text.capitalized]).sorted().map { ("title", $0) }
        }
        return ["title", "dialog_id", "chat_id"].map { ($0, text) }
    }
}

extension DialogSummary {
    /// So much of the last line is shown.
    private static let shownCharacters = 120

    fileprivate static let select = """
        SELECT d.id, d.bot_id, d.portal_id, d.dialog_id, d.chat_id, d.state, d.title, d.created_at, d.last_message_at,
            b.name, p.domain,
            (SELECT substr(text, 1, \(shownCharacters + 1)) FROM messages WHERE dialog_id = d.id ORDER BY id DESC LIMIT 1),
            EXISTS (SELECT 1 FROM events WHERE dialog_id = d.id AND \(Store.isFailed))
                OR EXISTS (SELECT 1 FROM outbox WHERE dialog_id = d.id AND \(Store.isFailed))
        """

    fileprivate static let join = "JOIN bots b ON b.id = d.bot_id JOIN portals p ON p.id = d.portal_id"

    fileprivate init(_ row: borrowing Row) throws {
        let text = row.textIfAny(11)
        self.init(
            dialog: try DialogRecord(row), botName: row.text(9), portalDomain: row.text(10),
            lastText: text.map { $0.count > Self.shownCharacters ? $0.prefix(Self.shownCharacters - 1) + "…" : $0 },
            hasFailed: row.flag(12))
    }
}

/// Where a page of dialogs ended.
struct ActivityCursor {
    var time: Int64
    var id: Int64

    init(time: Int64, id: Int64) {
        self.time = time
        self.id = id
    }

    init(_ dialog: DialogRecord) { self.init(time: dialog.lastMessageAt.rawValue, id: dialog.id.rawValue) }

    /// - Throws: ``StoreError/badCursor`` unless it is exactly what ``text`` gave.
    init(_ text: String) throws {
        let parts = text.dropFirst().split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let time = Int64(parts[0], radix: 36), let id = Int64(parts[1], radix: 36) else {
            throw StoreError.badCursor
        }
        self.init(time: time, id: id)
        guard self.text == text else { throw StoreError.badCursor }
    }

    var text: String { "a" + String(time, radix: 36) + "-" + String(id, radix: 36) }
}
