import CFuzzer
import Foundation

// Gives one part of BitBot inputs that libFuzzer makes up.
//
//   fuzz PART [libFuzzer's arguments]

let part = CommandLine.arguments.dropFirst().first ?? ""
guard let chosen = parts[part] else {
    print("usage: fuzz PART [libFuzzer's arguments]\nparts: \(parts.keys.sorted().joined(separator: " "))")
    exit(2)
}
// libFuzzer takes the arguments without the part's name.
var arguments: [UnsafeMutablePointer<CChar>?] =
    (CommandLine.arguments.prefix(1) + CommandLine.arguments.dropFirst(2)).map { strdup($0) } + [nil]
var count = CInt(arguments.count - 1)
exit(
    arguments.withUnsafeMutableBufferPointer { buffer in
        var start = buffer.baseAddress
        return LLVMFuzzerRunDriver(&count, &start, chosen)
    })
