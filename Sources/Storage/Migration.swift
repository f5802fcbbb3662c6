import Base
import Foundation

/// One step from a version of the schema to the next. A store remembers its version in `PRAGMA user_version`.
struct Migration: Sendable {
    /// The file's name in `Migrations/`, which starts with the version.
    let file: String
    let sql: [UInt8]

    var version: Int { Int(file.prefix(while: \.isNumber)) ?? 0 }

    /// Every file of the folder, in order.
    static let all: [Migration] = [
        Migration(file: "0001_start.sql", sql: PackageResources._001_start_sql),
        Migration(file: "0002_replies.sql", sql: PackageResources._002_replies_sql),
        Migration(file: "0003_intake.sql", sql: PackageResources._003_intake_sql),
        Migration(file: "0004_fetch.sql", sql: PackageResources._004_fetch_sql),
        Migration(file: "0005_operator.sql", sql: PackageResources._005_operator_sql),
        Migration(file: "0006_profile.sql", sql: PackageResources._006_profile_sql),
        Migration(file: "0007_pages.sql", sql: PackageResources._007_pages_sql),
        Migration(file: "0008_dialogs.sql", sql: PackageResources._008_dialogs_sql),
        Migration(file: "0009_exchanges.sql", sql: PackageResources._009_exchanges_sql),
        Migration(file: "0010_statistics.sql", sql: PackageResources._010_statistics_sql),
        Migration(file: "0011_indexes.sql", sql: PackageResources._011_indexes_sql),
    ]

    /// Applies what is missing, each step in a transaction together with its version.
    /// - Throws: ``StoreError/newerVersion(found:known:)`` if the store has seen a later step than the last of `steps`.
    static func apply(_ steps: [Migration], on connection: Connection, log: Log) throws {
        let found = Int(try connection.row("PRAGMA user_version") { $0.integer(0) } ?? 0)
        let known = steps.last?.version ?? 0
        guard found <= known else { throw StoreError.newerVersion(found: found, known: known) }
        for step in steps where step.version > found {
            try connection.runScript("BEGIN IMMEDIATE")
            do {
                try connection.runScript(String(decoding: step.sql, as: UTF8.self))
                try connection.runScript("PRAGMA user_version = \(step.version); COMMIT")
            } catch {
                if connection.isInTransaction { try connection.runScript("ROLLBACK") }
                throw error
            }
            log.info("store_migrated", ["file": .text(step.file)])
        }
    }
}
