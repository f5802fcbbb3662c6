import Base
import Gateway
import Storage

/// `/api/v1/export` and `/api/v1/import`: the whole configuration as one document.
struct TransferAPI: Sendable {
    let store: Store
    let clock: WallClock
    let log: Log

    var operations: [Operation] {
        let outcome: [Field] = [
            .shown("created", .object, "How many were added, by collection."),
            .shown("updated", .object, "How many were there already, and now are as in the document."),
            .shown("notes", .texts, "What remains to be done."),
        ]
        return [
            Operation(
                id: "export", method: .get, path: "/api/v1/export",
                summary: "The whole configuration as one document; with `?secrets=true` its keys and tokens too",
                status: 200, gives: .anything,
                handler: { request in
                    let secrets = try Query(request).flag("secrets") ?? false
                    let document = try await store.exportConfiguration(secrets: secrets, now: clock.now)
                    if secrets {
                        log.warning("the secrets were exported", ["who": .text(request.principal.name)])
                        try await store.add(
                            ChangeRecord(
                                madeAt: clock.now, who: request.principal.name, action: "export", target: "secrets",
                                fields: "", portalID: nil))
                    }
                    return .json(document)
                }),
            Operation(
                id: "import", method: .post, path: "/api/v1/import",
                summary: "Takes such a document: adds what is not there, changes what is, removes nothing",
                takesAnything: true, status: 200, gives: .one("import", outcome), mostBytes: 8 * 1024 * 1024,
                handler: { .json(try await take($0.body)) }),
        ]
    }

    /// - Throws: ``APIError``.
    func take(_ body: [UInt8]) async throws -> JSON {
        guard let document = try? JSON(parsing: body), document.object != nil else {
            throw APIError.badRequest("The body must be a JSON object")
        }
        do {
            let outcome = try await store.importConfiguration(document, now: clock.now)
            return [
                "created": .object(Members(outcome.created.mapValues { .integer(Int64($0)) })),
                "updated": .object(Members(outcome.updated.mapValues { .integer(Int64($0)) })),
                "notes": .array(outcome.notes.map(JSON.string)),
            ]
        } catch let error as ImportError {
            throw APIError(status: 422, code: "cannot_import", message: error.message)
        }
    }
}
