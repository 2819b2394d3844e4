//! The strict request checker, on a small description of our own in Google's format.
//!
//! With `PIERHEAD_DRIVE_DESCRIPTION` naming Google's `drive.v3.json` (it is not ours to keep here), the same
//! rules are tried on the real one.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use pierhead_sandbox::check::{BadDescription, Description};
use pierhead_sandbox::google::{BearerState, JournalEntry};
use serde_json::{Value, json};

fn shelf() -> Description {
    let document = json!({
        "servicePath": "shelf/v1/",
        "parameters": {
            "alt": {"type": "string", "enum": ["json", "media"], "location": "query"},
            "fields": {"type": "string", "location": "query"},
            "uploadType": {"type": "string", "location": "query"},
        },
        "schemas": {
            "Book": {"type": "object", "properties": {
                "title": {"type": "string"},
                "pages": {"type": "integer", "format": "int32", "minimum": "1"},
                "size": {"type": "string", "format": "int64", "description": "Output only. Bytes."},
                "bought": {"type": "string", "format": "date-time"},
                "lent": {"type": "boolean"},
                "marks": {"type": "object", "additionalProperties": {"type": "string"}},
                "authors": {"type": "array", "items": {"$ref": "Author"}},
            }},
            "Author": {"type": "object", "properties": {"name": {"type": "string", "enum": ["Ada", "Bea"]}}},
        },
        "resources": {"books": {"methods": {
            "get": {
                "id": "shelf.books.get", "httpMethod": "GET", "path": "books/{id}",
                "parameters": {
                    "id": {"type": "string", "location": "path", "required": true},
                    "page": {"type": "integer", "format": "int32", "minimum": "1", "maximum": "9", "location": "query"},
                    "lent": {"type": "boolean", "location": "query"},
                    "tag": {"type": "string", "repeated": true, "location": "query"},
                },
                "response": {"$ref": "Book"}, "supportsMediaDownload": true,
            },
            "search": {
                "id": "shelf.books.search", "httpMethod": "GET", "path": "books/search",
                "parameters": {"q": {"type": "string", "location": "query", "required": true}},
            },
            "create": {
                "id": "shelf.books.create", "httpMethod": "POST", "path": "books",
                "request": {"$ref": "Book"}, "response": {"$ref": "Book"},
                "mediaUpload": {"protocols": {"simple": {"path": "/upload/shelf/v1/books"}}},
            },
        }}},
    });
    Description::parse(&document.to_string()).unwrap()
}

fn request(method: &str, url: &str) -> JournalEntry {
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    JournalEntry {
        sequence: 1,
        at_ms: 0,
        method: method.into(),
        path: path.into(),
        query: query.map(str::to_owned),
        status: 200,
        bearer: BearerState::Valid,
        token_fingerprint: None,
        content_type: None,
        headers: Vec::new(),
        body: None,
    }
}

fn with_body(url: &str, content_type: &str, body: Value) -> JournalEntry {
    JournalEntry { content_type: Some(content_type.into()), body: Some(body), ..request("POST", url) }
}

#[test]
fn what_the_description_allows_is_not_objected_to() {
    let book = json!({
        "title": "t", "pages": 3, "bought": "2020-01-01T00:00:00Z", "lent": false, "marks": {"a": "b"},
        "authors": [{"name": "Ada"}],
    });
    for good in [
        request("GET", "/shelf/v1/books/7?page=9&lent=true&fields=title,authors(name),marks/a&alt=media"),
        request("GET", "/shelf/v1/books/7?tag=a&tag=b"),
        request("GET", "/shelf/v1/books/search?q=x"),
        with_body("/shelf/v1/books", "application/json; charset=utf-8", book.clone()),
        with_body("/upload/shelf/v1/books?uploadType=multipart", "multipart/related; boundary=b", book),
        request("POST", "/token"),
    ] {
        assert_eq!(shelf().violations(&good), Vec::<String>::new(), "{good:?}");
    }
}

#[test]
fn a_query_the_description_does_not_allow_is_told() {
    for (url, told) in [
        ("/shelf/v1/pens", "no method GET /shelf/v1/pens"),
        ("/other/books/7", "no method"),
        ("/shelf/v1/books/", "no method"),
        ("/shelf/v1/books/7?colour=red", "colour is not described"),
        ("/shelf/v1/books/7?page=10", "10 is outside"),
        ("/shelf/v1/books/7?page=one", "whole number"),
        ("/shelf/v1/books/7?page=1&page=2", "given twice"),
        ("/shelf/v1/books/7?lent=yes", "true or false"),
        ("/shelf/v1/books/7?alt=xml", "must be one of"),
        ("/shelf/v1/books/7?id=8", "id is not described"),
        ("/shelf/v1/books/7?fields=colour", "colour is not described"),
        ("/shelf/v1/books/7?fields=authors/age", "authors/age is not described"),
        ("/shelf/v1/books/7?fields=title(", "Invalid field selection"),
        ("/shelf/v1/books/7?uploadType=media", "upload path"),
        ("/shelf/v1/books/search", "q is required"),
        ("/shelf/v1/books/search?q=x&alt=media", "no media"),
    ] {
        let found = shelf().violations(&request("GET", url));
        assert_eq!(found.len(), 1, "{url}: {found:?}");
        assert!(found[0].contains(told), "{url}: {found:?}");
    }
}

#[test]
fn a_body_the_schema_does_not_allow_is_told() {
    for (body, told) in [
        (json!({"colour": "red"}), "Book.colour is not described"),
        (json!({"pages": "3"}), "Book.pages must be integer"),
        (json!({"pages": 0}), "0 is outside"),
        (json!({"pages": 3_000_000_000_i64}), "outside"),
        (json!({"title": 3}), "Book.title must be string"),
        (json!({"lent": "no"}), "Book.lent must be boolean"),
        (json!({"bought": "today"}), "RFC 3339"),
        (json!({"size": "5"}), "Book.size is written by the server only"),
        (json!({"authors": [{"name": "Cleo"}]}), "Book.authors[0].name must be one of"),
        (json!({"authors": {"name": "Ada"}}), "Book.authors must be array"),
        (json!({"marks": {"a": 1}}), "Book.marks.a must be string"),
    ] {
        let found = shelf().violations(&with_body("/shelf/v1/books", "application/json", body));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(told), "{told}: {found:?}");
    }
    let as_text = shelf().violations(&with_body("/shelf/v1/books", "text/plain", json!({"title": "t"})));
    assert!(as_text[0].contains("Content-Type"), "{as_text:?}");
    let untyped = shelf().violations(&request("POST", "/upload/shelf/v1/books"));
    assert!(untyped[0].contains("uploadType"), "{untyped:?}");
    let mut get = request("GET", "/shelf/v1/books/7");
    get.body = Some(json!({}));
    assert!(shelf().violations(&get)[0].contains("no JSON body"));
}

#[test]
fn a_request_to_an_upload_session_is_judged_by_its_range() {
    let session = |headers: &[(&str, &str)]| {
        let mut put = request("PUT", "/upload/shelf/v1/books?uploadType=resumable&upload_id=x");
        put.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        shelf().violations(&put).len()
    };
    assert_eq!(session(&[("content-range", "bytes 0-9/10")]), 0);
    assert_eq!(session(&[("content-range", "bytes */*")]), 0);
    assert_eq!(session(&[("content-length", "10")]), 0);
    assert_eq!(session(&[("content-range", "0-9/10")]), 1);
    assert_eq!(session(&[]), 1);
}

#[test]
fn a_file_that_is_no_description_is_refused() {
    assert!(matches!(Description::load("/nonexistent/drive.json"), Err(BadDescription::Unreadable { .. })));
    assert!(matches!(Description::parse("{}"), Err(BadDescription::Malformed(_))));
}

#[test]
fn googles_own_description_is_understood() {
    let Ok(path) = std::env::var("PIERHEAD_DRIVE_DESCRIPTION") else {
        println!("not tried: PIERHEAD_DRIVE_DESCRIPTION names no drive.v3.json");
        return;
    };
    let drive = Description::load(path).unwrap();
    let files = "/drive/v3/files";
    for good in [
        request(
            "GET",
            "/drive/v3/files?q=trashed%3Dfalse&pageSize=1000&fields=nextPageToken,files(id,owners/me,properties)",
        ),
        request("GET", "/drive/v3/files/generateIds?count=3"),
        request("DELETE", "/drive/v3/files/trash"),
        request("GET", "/drive/v3/files/x?alt=media&acknowledgeAbuse=true"),
        with_body(
            "/drive/v3/files/x/permissions",
            "application/json",
            json!({"type": "user", "role": "reader", "emailAddress": "a@b.c"}),
        ),
        with_body(
            "/upload/drive/v3/files?uploadType=resumable",
            "application/json",
            json!({"name": "n", "parents": ["root"]}),
        ),
    ] {
        assert_eq!(drive.violations(&good), Vec::<String>::new(), "{good:?}");
    }
    for (bad, told) in [
        (request("GET", "/drive/v3/files?pageSize=1001"), "outside"),
        (request("GET", "/drive/v3/files?maxResults=5"), "not described"),
        (request("GET", "/drive/v3/files/x/export"), "mimeType is required"),
        (request("PUT", "/drive/v3/files/x"), "no method"),
        (with_body(files, "application/json", json!({"title": "v2"})), "File.title is not described"),
        (with_body(files, "application/json", json!({"parents": [{"id": "v2"}]})), "must be string"),
        (with_body(files, "application/json", json!({"md5Checksum": "0"})), "server only"),
    ] {
        let found = drive.violations(&bad);
        assert!(found.len() == 1 && found[0].contains(told), "{told}: {found:?}");
    }
}
