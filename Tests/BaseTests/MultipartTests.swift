import Testing

@testable import Base

@Suite struct MultipartTests {
    private func decode(_ text: String, type: String = "multipart/form-data; boundary=XX") throws -> [Multipart.Part] {
        try Multipart.decode(Array(text.replacing("\n", with: "\r\n").utf8), contentType: type)
    }

    @Test("what was written is read back, whatever the names and bodies hold")
    func roundTrip() throws {
        let parts = [
            Multipart.Part(name: "text", body: Array("line\r\n--XX\r\n".utf8)),
            Multipart.Part(name: "empty", filename: "", body: []),
            Multipart.Part(
                name: "a \"b\"; c", filename: "Прайс \"новый\" \\ 2.pdf\r\nX: y", contentType: "application/pdf",
                body: (0...255).map { UInt8($0) } + [13, 10, 13, 10, 45, 45]),
            Multipart.Part(name: "back\\", filename: "C:\\", body: [13]),
        ]
        let (body, contentType) = Multipart.encode(parts)
        #expect(try Multipart.decode(body, contentType: contentType) == parts)
    }

    @Test("no parts are read back as no parts")
    func none() throws {
        let (body, contentType) = Multipart.encode([])
        #expect(try Multipart.decode(body, contentType: contentType).isEmpty)
    }

    @Test("a line end in a content type cannot begin another header")
    func injection() throws {
        let (body, contentType) = Multipart.encode([.init(name: "a", contentType: "x/y\r\nX-Evil: 1", body: [])])
        #expect(try Multipart.decode(body, contentType: contentType).first?.contentType == "x/yX-Evil: 1")
    }

    @Test("preamble, epilogue, blanks behind a boundary and folded case of names are understood")
    func liberties() throws {
        let parts = try decode(
            "hello\n--XX  \nCONTENT-disposition:form-data;NAME=a\ncontent-TYPE: text/plain \n\nbody\n--XX--\nbye",
            type: "Multipart/Form-Data; charset=x; BOUNDARY=\"XX\"")
        #expect(parts == [.init(name: "a", contentType: "text/plain", body: Array("body".utf8))])
    }

    @Test("a quoted boundary may hold blanks and colons")
    func quotedBoundary() throws {
        let text = "--a b:c\nContent-Disposition: form-data; name=\"n\"\n\n1\n--a b:c--"
        #expect(try decode(text, type: "multipart/form-data; boundary=\"a b:c\"").map(\.name) == ["n"])
    }

    @Test(
        "file names are read in each way in which clients write them",
        arguments: [
            (#"filename="a \"b\".txt""#, #"a "b".txt"#),
            (#"filename="a %22b%22.txt""#, #"a "b".txt"#),
            (#"filename="C:\dir\file.txt""#, #"C:\dir\file.txt"#),
            (#"filename="a; name=b.txt""#, "a; name=b.txt"),
            (#"filename=plain.txt"#, "plain.txt"),
            (#"filename="Прайс.pdf""#, "Прайс.pdf"),
            (#"filename="x.pdf"; filename*=UTF-8''%D0%9F.pdf"#, "П.pdf"),
            (#"filename*=utf-8'ru'%D0%9F.pdf; filename="x.pdf""#, "П.pdf"),
            (#"filename="x.pdf"; filename*=UTF-8''%FF"#, "x.pdf"),
            (#"filename="never closed"#, "never closed"),
        ])
    func filenames(parameter: String, expected: String) throws {
        let parts = try decode("--XX\nContent-Disposition: form-data; name=\"f\"; \(parameter)\n\nx\n--XX--\n")
        #expect(parts.first?.filename == expected)
    }

    @Test(
        "a broken body is refused with a reason",
        arguments: [
            "", "--XX", "--XXX\n", "nothing", "--XX\nContent-Disposition: form-data; name=a\n\nnever ends",
            "--XX\n\nno name\n--XX--", "--XX\nContent-Disposition: attachment; name=a\n\nx\n--XX--",
            "--XX\nbad header\n\nx\n--XX--", "--XX\nContent-Disposition: form-data; name=a\n--XX--",
        ])
    func broken(text: String) {
        #expect(throws: FormError.self) { try decode(text) }
    }

    @Test("a Content-Type without a boundary is refused")
    func noBoundary() {
        #expect(throws: FormError.self) { try decode("--XX--", type: "multipart/form-data") }
        #expect(throws: FormError.self) { try decode("--XX--", type: "multipart/form-data; boundary=\"\"") }
    }

    @Test("too many parts and too long a header are refused")
    func limits() {
        let one = "--XX\nContent-Disposition: form-data; name=a\n\nx\n"
        #expect(throws: FormError.tooManyKeys(limit: 1_000)) {
            try decode(String(repeating: one, count: 1_001) + "--XX--")
        }
        let padding = String(repeating: "a", count: 20_000)
        #expect(throws: FormError.self) { try decode("--XX\nX: \(padding)\n\nx\n--XX--") }
    }
}
