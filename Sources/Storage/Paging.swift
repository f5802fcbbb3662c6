/// A place in a list that is read from the newest to the oldest: what follows has a lower id.
struct Cursor {
    var id: Int64

    init(id: Int64) { self.id = id }

    /// - Throws: ``StoreError/badCursor`` unless it is exactly what ``text`` gave.
    init(_ text: String) throws {
        guard text.first == "p", let id = Int64(text.dropFirst(), radix: 36), id > 0, Cursor(id: id).text == text else {
            throw StoreError.badCursor
        }
        self.id = id
    }

    var text: String { "p" + String(id, radix: 36) }
}

extension Page {
    /// What all pages of a list hold.
    public static func all(_ page: (_ cursor: String?) async throws -> Page) async throws -> [Item] {
        var items: [Item] = []
        var cursor: String?
        repeat {
            let next = try await page(cursor)
            items += next.items
            cursor = next.next
        } while cursor != nil
        return items
    }
}

extension Store {
    /// Reads one page.
    /// - Parameters:
    ///   - limit: how many at most; held between 1 and 1000.
    ///   - read: the rows with an id below the given one, highest first, as many as given.
    func page<Item: Sendable>(
        limit: Int, after cursor: String?, id: @Sendable (Item) -> Int64,
        _ read: @escaping @Sendable (Connection, _ below: SQLValue, _ count: SQLValue) throws -> [Item]
    ) async throws -> Page<Item> {
        let limit = min(max(limit, 1), 1000)
        let below = try cursor.map { try Cursor($0).id } ?? .max
        var items = try await database.read { try read($0, .integer(below), .integer(Int64(limit) + 1)) }
        guard items.count > limit else { return Page(items: items, next: nil) }
        items.removeLast()
        return Page(items: items, next: items.last.map { Cursor(id: id($0)).text })
    }
}

/// A condition of a list that applies only where its value is given.
struct Filter: Sendable {
    /// Ends with `AND`, or is empty.
    var sql = ""
    var values: [SQLValue] = []

    init<Record>(_ condition: String, _ id: ID<Record>?) {
        guard let id else { return }
        sql = condition + " AND"
        values = [SQLValue(id)]
    }

    static func + (left: Filter, right: Filter) -> Filter {
        var both = left
        both.sql += " " + right.sql
        both.values += right.values
        return both
    }
}
