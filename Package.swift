// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is held to: a warning stops the build. An `async` function runs where its caller runs.
var strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Where libFuzzer is, while `scripts/fuzz` builds: then everything is watched by it, and there is the program `fuzz`.
let fuzzer = Context.environment["BITBOT_FUZZER"]
if fuzzer != nil { strict.append(.unsafeFlags(["-sanitize=fuzzer", "-O"])) }

let package = Package(
    name: "bitbot",
    products: [
        .executable(name: "bitbot", targets: ["bitbot"]),
        .library(name: "Bitrix24", targets: ["Bitrix24"]),
        // For tests: a library is built as a file of its own only where it is a product.
        .library(name: "Outside", type: .dynamic, targets: ["Outside"]),
    ],
    targets: [
        .target(
            name: "CBase",
            cxxSettings: fuzzer == nil ? [] : [.unsafeFlags(["-fsanitize=fuzzer-no-link", "-O1"])],
            linkerSettings: [
                .linkedLibrary("event_core"), .linkedLibrary("event_pthreads"), .linkedLibrary("event_extra"),
                .linkedLibrary("curl"), .linkedLibrary("sqlite3"), .linkedLibrary("hiredis"),
                .linkedLibrary("sodium"), .linkedLibrary("z"), .linkedLibrary("cmark-gfm"),
                .linkedLibrary("cmark-gfm-extensions"),
            ]),
        .target(name: "Base", dependencies: ["CBase"], swiftSettings: strict),
        // The pages of Web as they are; a C target, as its compiler takes files in at once.
        .target(name: "CPages", dependencies: ["CBase"], exclude: ["design", "admin", "application", "guide"]),
        .target(
            name: "Storage", dependencies: ["Base", "CBase"], resources: [.embedInCode("Migrations")],
            swiftSettings: strict),
        .target(name: "Bitrix24", dependencies: ["Base", "CBase"], swiftSettings: strict),
        .target(name: "BotPlatforms", dependencies: ["Base"], swiftSettings: strict),
        .target(
            name: "Gateway", dependencies: ["Base", "Storage", "Bitrix24", "BotPlatforms"], swiftSettings: strict),
        .target(
            name: "Web", dependencies: ["Base", "CPages", "Storage", "Bitrix24", "BotPlatforms", "Gateway"],
            swiftSettings: strict),
        .target(name: "Sandbox", dependencies: ["Base"], resources: [.embedInCode("Page")], swiftSettings: strict),
        .executableTarget(
            name: "load", dependencies: ["Base", "Sandbox"], path: "Benchmarks/Load", swiftSettings: strict),
        .executableTarget(
            name: "bitbot", dependencies: ["Base", "Storage", "Web", "Gateway", "Sandbox"], swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["Base"], path: "Tests/TestSupport",
            resources: [.copy("Contract/Documents")], swiftSettings: strict),
        .target(name: "Outside", path: "Tests/Outside"),
        .testTarget(
            name: "EndToEndTests", dependencies: ["bitbot", "Sandbox", "Base", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "BaseTests", dependencies: ["Base", "TestSupport"], swiftSettings: strict,
            // Tests stand in front of the C library's name lookup and connecting, to have names that never answer or change.
            linkerSettings: [
                .unsafeFlags([
                    "-Xlinker", "--export-dynamic-symbol=getaddrinfo", "-Xlinker", "--export-dynamic-symbol=connect",
                ])
            ]),
        .testTarget(
            name: "BotPlatformsTests", dependencies: ["BotPlatforms", "Bitrix24", "Base", "Sandbox", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "Base", "CBase", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "WebTests",
            dependencies: ["Web", "Gateway", "Bitrix24", "Storage", "Base", "Sandbox", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "SandboxTests", dependencies: ["Sandbox", "Base", "TestSupport"], resources: [.copy("Fixtures")],
            swiftSettings: strict),
        .testTarget(
            name: "Bitrix24Tests", dependencies: ["Bitrix24", "Sandbox", "Base", "TestSupport"],
            resources: [.embedInCode("Fixtures")], swiftSettings: strict),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "Bitrix24", "BotPlatforms", "Storage", "Base", "TestSupport"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

if let fuzzer {
    package.targets += [
        .target(name: "CFuzzer", path: "Fuzzing/CFuzzer"),
        .executableTarget(
            name: "fuzz", dependencies: ["Base", "Bitrix24", "BotPlatforms", "CBase", "CFuzzer"],
            path: "Fuzzing/Sources",
            swiftSettings: strict, linkerSettings: [.unsafeFlags([fuzzer, "-lstdc++"])]),
    ]
}

// `scripts/sanitize` builds the tests under the thread sanitizer, which is told of Swift's `Mutex` then.
if Context.environment["BITBOT_THREAD_SANITIZER"] != nil {
    package.targets.append(.target(name: "SanitizerSupport", path: "Tests/SanitizerSupport"))
    package.targets.first { $0.name == "TestSupport" }?.dependencies.append("SanitizerSupport")
}
