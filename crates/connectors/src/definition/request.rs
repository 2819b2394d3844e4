//! One vendor request: what is sent, and how the answer is read.

use std::sync::Arc;

use http::{HeaderName, Method};
use pierhead_script::{Escape, Program, Template};

use super::block::Block;
use super::pagination::{NamedPaginations, Pagination};
use super::yaml::{Node, NodeData};

/// One vendor request of a definition.
#[derive(Debug, Clone)]
pub(crate) struct VendorRequest {
    /// Key path in the definition, for messages and logs.
    pub(crate) label: String,
    pub(crate) method: Method,
    pub(crate) path: Template,
    pub(crate) query: Vec<(String, Template)>,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) body: RequestBody,
    pub(crate) answer: AnswerCodec,
    /// Statuses besides 2xx that are no errors.
    pub(crate) accept: Vec<u16>,
    /// Where the one record stands in the answer; the whole answer when absent.
    pub(crate) record: Option<Program>,
    /// Where the records of a list stand.
    pub(crate) records: Option<Program>,
    /// Where the number of all records stands.
    pub(crate) total: Option<Program>,
    pub(crate) pagination: Arc<Pagination>,
    /// May be sent again when it is not known whether it arrived.
    pub(crate) idempotent: bool,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) enum RequestBody {
    Nothing,
    /// The value of an expression.
    Json(Program),
    /// `application/x-www-form-urlencoded`; absent values are left out.
    Form(Vec<(String, Template)>),
    /// XML with its values escaped.
    Xml(Template),
    /// `multipart/form-data` of text fields.
    Multipart(Vec<(String, Template)>),
    /// The client's bytes, streamed.
    Content,
}

/// How an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerCodec {
    Json,
    Xml,
    /// Bytes, streamed to the client.
    Stream,
    /// Not read at all.
    Nothing,
}

impl VendorRequest {
    /// Reads a request block; none when it is not there or has mistakes.
    pub(crate) fn read(
        parent: &Block<'_>,
        key: &str,
        names: &[&str],
        paginations: &NamedPaginations,
    ) -> Option<Self> {
        let block = parent.block(key, "request")?;
        Self::from_block(&block, parent.path_of(key), names, paginations)
    }

    pub(crate) fn from_block(
        block: &Block<'_>,
        label: String,
        names: &[&str],
        paginations: &NamedPaginations,
    ) -> Option<Self> {
        let line = Self::read_line(block, names);
        let mut paged: Vec<&str> = names.to_vec();
        paged.extend(["page", "size"]);
        let query = block.templates("query", &paged);
        let headers = block.headers("headers", &paged);
        let body = Self::read_body(block, &paged);
        let answers = [
            ("json", AnswerCodec::Json),
            ("xml", AnswerCodec::Xml),
            ("stream", AnswerCodec::Stream),
            ("nothing", AnswerCodec::Nothing),
        ];
        let answer = block.choice("answer", &answers).unwrap_or(AnswerCodec::Json);
        let mut seen: Vec<&str> = names.to_vec();
        seen.extend(["request", "headers", "status"]);
        let (record, records) = (block.program("record", &seen), block.program("records", &seen));
        let total = block.program("total", &seen);
        let accept = block.list("accept").iter().filter_map(|node| match node.data {
            NodeData::Integer(status) => u16::try_from(status).ok(),
            _ => {
                block.mistake("accept", "must be a list of statuses");
                None
            }
        });
        let accept = accept.collect();
        let pagination = match block.text("pagination") {
            None => Arc::default(),
            Some(name) => paginations.get(&name).cloned().unwrap_or_else(|| {
                block.mistake("pagination", format!("no pagination is named {name}"));
                Arc::default()
            }),
        };
        let repeatable = block.flag("idempotent");
        let (method, path) = line?;
        let idempotent =
            repeatable.unwrap_or(method.is_idempotent() || matches!(method.as_str(), "PROPFIND" | "MKCOL"));
        Some(Self {
            label,
            method,
            path,
            query,
            headers,
            body,
            answer,
            accept,
            record,
            records,
            total,
            pagination,
            idempotent,
        })
    }

    /// `get: /path`, `post: /path`, … or `call: METHOD /path`.
    fn read_line(block: &Block<'_>, names: &[&str]) -> Option<(Method, Template)> {
        const VERBS: &[&str] = &["get", "post", "put", "patch", "delete", "head"];
        let given: Vec<(&str, String)> =
            VERBS.iter().filter_map(|verb| block.text(verb).map(|path| (*verb, path))).collect();
        let call = block.text("call");
        let (key, method, path) = match (given.as_slice(), call) {
            ([(verb, path)], None) => (*verb, verb.to_uppercase(), path.clone()),
            ([], Some(call)) => match call.split_once(' ') {
                Some((method, path)) => ("call", method.to_owned(), path.trim().to_owned()),
                None => {
                    block.mistake("call", "must be a method, a blank and a path");
                    return None;
                }
            },
            _ => {
                block.mistake("get", "needs exactly one of get, post, put, patch, delete, head, call");
                return None;
            }
        };
        if !path.starts_with('/') && !path.starts_with('{') {
            block.mistake(key, "the path must start with a slash");
        }
        let Ok(method) = Method::from_bytes(method.as_bytes()) else {
            block.mistake(key, format!("{method} is no method"));
            return None;
        };
        Some((method, block.compile_template(key, &path, Escape::Url, names)?))
    }

    fn read_body(block: &Block<'_>, names: &[&str]) -> RequestBody {
        let json = block.program("json", names).map(RequestBody::Json);
        let form = block.node("form").map(|_: &Node| RequestBody::Form(block.templates("form", names)));
        let xml = block.template("xml", Escape::Xml, names).map(RequestBody::Xml);
        let multipart = block
            .node("multipart")
            .map(|_: &Node| RequestBody::Multipart(block.templates("multipart", names)));
        let content = block.flag("content").filter(|given| *given).map(|_| RequestBody::Content);
        let mut bodies = [json, form, xml, multipart, content].into_iter().flatten();
        let body = bodies.next().unwrap_or(RequestBody::Nothing);
        if bodies.next().is_some() {
            block.mistake("json", "a request has one body: json, form, xml, multipart or content");
        }
        body
    }
}
