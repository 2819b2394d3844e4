//! Which hub calls a definition answers, for docs and the console.

use http::Method;

use super::files::Files;
use super::resource::{Resource, Segment, Verb};
use super::{HubOperation, HubParameter, ObjectField, ObjectModel, ParameterPlace};

/// Every hub call of a connector.
pub(super) fn of(files: Option<&Files>, resources: &[Resource]) -> Vec<HubOperation> {
    let mut all = vec![operation("GET", "/ping", "Checks that the connector can be reached.", &[], false)];
    if let Some(files) = files {
        of_files(files, &mut all);
    }
    resources.iter().for_each(|resource| of_resource(resource, &mut all));
    all
}

/// The objects a connector deals in.
pub(super) fn objects(files: Option<&Files>, resources: &[Resource]) -> Vec<ObjectModel> {
    let mut all = Vec::new();
    if let Some(files) = files {
        for name in ["files", "folders"] {
            let field = |(path, kind): &(&str, &str)| ObjectField {
                path: (*path).to_owned(),
                kind: (*kind).to_owned(),
                filterable: matches!(*path, "name" | "size" | "createdDate" | "modifiedDate" | "directory"),
                createable: matches!(*path, "name" | "path"),
                updateable: matches!(*path, "name" | "path") || files.changes.iter().any(|name| name == path),
            };
            all.push(ObjectModel { name: name.to_owned(), fields: ITEM.iter().map(field).collect() });
        }
    }
    for resource in resources {
        let Some(Segment::Fixed(name)) = resource.path.last() else { continue };
        let fields = resource.fields.iter().flatten().map(super::fields::Field::describe).collect();
        all.push(ObjectModel { name: name.clone(), fields });
    }
    all
}

/// The file and folder JSON (open-connectors §10).
const ITEM: &[(&str, &str)] = &[
    ("id", "string"),
    ("name", "string"),
    ("path", "string"),
    ("size", "number"),
    ("directory", "boolean"),
    ("createdDate", "date"),
    ("modifiedDate", "date"),
    ("tags", "array"),
    ("parentFolderId", "string"),
    ("properties", "object"),
];

const PAGE: &[&str] = &["where", "orderBy", "page", "pageSize", "nextPage", "returnCount"];

fn of_files(files: &Files, all: &mut Vec<HubOperation>) {
    let mut both = |method, kind: &str, tail: &str, text, query: &[&str], streams| {
        let mut by_path = operation(method, &format!("/{kind}{tail}"), text, query, streams);
        let path = HubParameter { required: true, ..parameter("path", ParameterPlace::Query) };
        by_path.parameters.insert(0, path);
        all.push(by_path);
        all.push(operation(method, &format!("/{kind}/{{id}}{tail}"), text, query, streams));
    };
    both("GET", "files", "", "Downloads a file.", &["mediaType"], true);
    both("GET", "files", "/metadata", "Describes a file.", &["raw", "calculateFolderPath"], false);
    both("GET", "files", "/links", "Links to a file.", &["raw"], false);
    both("GET", "folders", "/metadata", "Describes a folder.", &["raw", "calculateFolderPath"], false);
    both("GET", "folders", "/links", "Links to a folder.", &["raw"], false);
    let listed: Vec<&str> = PAGE.iter().copied().chain(["raw", "calculateFolderPath"]).collect();
    both("GET", "folders", "/contents", "Lists a folder.", &listed, false);
    if files.upload.is_some() {
        both("PUT", "files", "", "Replaces a file's content.", &[], false);
        both("PATCH", "files", "", "Replaces a file's content.", &[], false);
    }
    if files.update.is_some() || files.rename.is_some() {
        both("PATCH", "files", "/metadata", "Renames, moves or tags a file.", &["overwrite"], false);
        both("PATCH", "folders", "/metadata", "Renames, moves or tags a folder.", &["overwrite"], false);
    }
    if files.changes.iter().any(|change| change == "properties") {
        both("PATCH", "files", "/metadata/properties", "Sets custom properties.", &[], false);
    }
    if files.copy.is_some() {
        both("POST", "files", "/copy", "Copies a file.", &["overwrite"], false);
        both("POST", "folders", "/copy", "Copies a folder with all it holds.", &["overwrite"], false);
    }
    if files.delete.is_some() {
        both("DELETE", "files", "", "Deletes a file.", &["emptyTrash"], false);
        both("DELETE", "folders", "", "Deletes a folder with all it holds.", &["emptyTrash"], false);
    }
    if files.upload.is_some() {
        let query = ["overwrite", "description", "tags[]", "size", "folderId", "calculateFolderPath"];
        let mut upload = operation("POST", "/files", "Uploads a file.", &query, false);
        let path = HubParameter { required: true, ..parameter("path", ParameterPlace::Query) };
        let file = parameter("file", ParameterPlace::FormData);
        upload.parameters.insert(0, path);
        upload.parameters.push(HubParameter { required: true, kind: "file", ..file });
        all.push(upload);
    }
    if files.folder.is_some() {
        all.push(operation("POST", "/folders", "Makes a folder and its missing parents.", &[], false));
    }
    let search =
        ["path", "text", "startDate", "endDate", "tags[]", "extension", "mimeType", "calculateFolderPath"];
    let search: Vec<&str> = search.into_iter().chain(PAGE.iter().copied()).collect();
    all.push(operation("GET", "/search", "Finds files and folders.", &search, false));
    if files.storage.is_some() {
        all.push(operation("GET", "/storage", "Space in all and in use, in bytes.", &[], false));
    }
}

fn of_resource(resource: &Resource, all: &mut Vec<HubOperation>) {
    for operation_of in &resource.operations {
        let verb = operation_of.verb;
        let segments = resource.path.iter().map(|segment| match segment {
            Segment::Fixed(text) => text.clone(),
            Segment::Named(name) => format!("{{{name}}}"),
        });
        let mut path: String = segments.map(|segment| format!("/{segment}")).collect();
        if verb.has_key() {
            path.push_str("/{key}");
        }
        let query = if verb == Verb::List { PAGE } else { &[] };
        let streams = operation_of.request.answer == super::request::AnswerCodec::Stream;
        let text = format!("{} of {}", verb.word(), path.trim_start_matches('/'));
        all.push(operation(verb.method().as_str(), &path, &text, query, streams));
        if resource.item {
            let by_path = path.replacen("/{id}", "", 1);
            let mut same = operation(verb.method().as_str(), &by_path, &text, query, streams);
            let path = HubParameter { required: true, ..parameter("path", ParameterPlace::Query) };
            same.parameters.insert(0, path);
            all.push(same);
        }
    }
}

fn operation(method: &str, path: &str, description: &str, query: &[&str], streams: bool) -> HubOperation {
    let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
    let mut parameters: Vec<HubParameter> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
        .map(|name| HubParameter { required: true, ..parameter(name, ParameterPlace::Path) })
        .collect();
    parameters.extend(query.iter().map(|name| parameter(name, ParameterPlace::Query)));
    let has_body = matches!(method, Method::POST | Method::PATCH | Method::PUT);
    if has_body && (path.ends_with("/files") || path.ends_with("/files/{id}")) && method != Method::POST {
        let file = parameter("file", ParameterPlace::FormData);
        parameters.push(HubParameter { required: true, kind: "file", ..file });
    } else if has_body && !path.ends_with("/files") {
        let body = parameter("body", ParameterPlace::Body);
        parameters.push(HubParameter { required: true, kind: "object", ..body });
    }
    HubOperation { method, path: path.to_owned(), description: description.to_owned(), parameters, streams }
}

fn parameter(name: &str, place: ParameterPlace) -> HubParameter {
    let kind = match name {
        "page" | "pageSize" | "size" => "integer",
        "overwrite" | "raw" | "calculateFolderPath" | "emptyTrash" | "returnCount" => "boolean",
        _ => "string",
    };
    HubParameter { name: name.to_owned(), place, kind, required: false, description: String::new() }
}
