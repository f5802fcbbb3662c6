import Base
import Testing

@Suite("A download's name is read from its header")
struct ContentDispositionTests {
    @Test(
        "in every form that servers write",
        arguments: [
            ("attachment; filename=\"photo.png\"", "photo.png"), ("attachment; filename=photo.png", "photo.png"),
            ("attachment; filename=\"_.png\"; filename*=utf-8''%D1%84%D0%BE%D1%82%D0%BE.png", "фото.png"),
            ("attachment; filename*=UTF-8'en'a%20b.pdf; filename=x", "a b.pdf"),
            ("attachment; filename=\"../../etc/passwd\"", "passwd"),
            ("attachment; filename=\"C:\\\\a\\\\b.txt\"", "b.txt"),
            ("attachment; filename*=iso-8859-1''%E4.txt; filename=a.txt", "a.txt"),
            ("attachment; filename*=utf-8''%ZZ; filename=a.txt", "a.txt"),
            ("attachment; filename*=utf-8''a%0D%0Ab.txt", "ab.txt"),
        ])
    func names(header: String, name: String) {
        #expect(HTTPHeaders.filename(in: header) == name)
    }

    @Test("no name is no name", arguments: ["", "attachment", "attachment; filename=", "inline; filename=\"/\""])
    func none(header: String) {
        #expect(HTTPHeaders.filename(in: header) == nil)
    }
}
