//! The `resources` block: hub paths and the vendor requests behind them.

use http::Method;

use super::block::Block;
use super::fields::Field;
use super::pagination::NamedPaginations;
use super::push_down::PushDown;
use super::request::VendorRequest;

/// One hub resource.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// Hub path, split: `/files/{id}/comments`.
    pub(crate) path: Vec<Segment>,
    /// `{id}` names a file or folder of the documents hub, by id, by path, or as `root`.
    pub(crate) item: bool,
    pub(crate) fields: Option<Vec<Field>>,
    pub(crate) push_down: PushDown,
    pub(crate) operations: Vec<Operation>,
}

/// One segment of a hub path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Fixed(String),
    /// `{name}`
    Named(String),
}

/// One verb of a resource.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) verb: Verb,
    /// Requests made first, each answer's record under its name.
    pub(crate) before: Vec<(String, VendorRequest)>,
    pub(crate) request: VendorRequest,
}

/// What a verb does, and the hub method it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// `GET` of the resource: a list.
    List,
    /// `GET` of the resource itself: one record.
    Read,
    /// `GET …/{key}`
    Get,
    /// `POST`
    Create,
    /// `PATCH …/{key}`
    Update,
    /// `PUT …/{key}`
    Replace,
    /// `DELETE …/{key}`
    Delete,
}

const VERBS: &[(&str, Verb)] = &[
    ("list", Verb::List),
    ("read", Verb::Read),
    ("get", Verb::Get),
    ("create", Verb::Create),
    ("update", Verb::Update),
    ("replace", Verb::Replace),
    ("delete", Verb::Delete),
];

/// Variables every request of this block may use, besides those its path and its chain name.
const NAMES: &[&str] = &["connection", "query", "body", "fields", "item", "key", "where", "order"];

impl Verb {
    pub(crate) fn method(self) -> Method {
        match self {
            Self::List | Self::Read | Self::Get => Method::GET,
            Self::Create => Method::POST,
            Self::Update => Method::PATCH,
            Self::Replace => Method::PUT,
            Self::Delete => Method::DELETE,
        }
    }

    /// Whether the hub path has the record's key behind the resource.
    pub(crate) fn has_key(self) -> bool {
        matches!(self, Self::Get | Self::Update | Self::Replace | Self::Delete)
    }
}

impl Resource {
    pub(crate) fn read_all(definition: &Block<'_>, paginations: &NamedPaginations) -> Vec<Self> {
        let Some(block) = definition.block("resources", "resources") else { return Vec::new() };
        let resources = block.members().iter().map(|(path, node)| {
            if !path.starts_with('/') {
                block.mistake(path, "a resource is named by its hub path, with a leading slash");
            }
            Self::read(path, &block.member(path, node, "resource"), paginations)
        });
        resources.collect()
    }

    fn read(path: &str, block: &Block<'_>, paginations: &NamedPaginations) -> Self {
        let path: Vec<Segment> = path.split('/').filter(|part| !part.is_empty()).map(Segment::of).collect();
        let item = block.flag("item").unwrap_or(false);
        if item && !path.contains(&Segment::Named("id".to_owned())) {
            block.mistake("item", "needs {id} in the resource's path");
        }
        let fields = Field::read_all(block, "fields");
        let push_down = PushDown::read(block, "where");
        let mut names: Vec<&str> = NAMES.to_vec();
        names.extend(path.iter().filter_map(Segment::name));
        let operations = VERBS.iter().filter_map(|(word, verb)| {
            let operation = block.block(word, "request")?;
            let (before, names) = Self::read_chain(&operation, &names, paginations);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let request = VendorRequest::from_block(&operation, block.path_of(word), &names, paginations)?;
            Some(Operation { verb: *verb, before, request })
        });
        let operations = operations.collect();
        Self { path, item, fields, push_down, operations }
    }

    fn read_chain(
        operation: &Block<'_>,
        names: &[&str],
        paginations: &NamedPaginations,
    ) -> (Vec<(String, VendorRequest)>, Vec<String>) {
        let mut seen: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut chain = Vec::new();
        for step in operation.blocks("before", "step") {
            let name = step.required_text("as");
            let known: Vec<&str> = seen.iter().map(String::as_str).collect();
            if let Some(request) = VendorRequest::read(&step, "request", &known, paginations) {
                chain.push((name.clone(), request));
            }
            seen.push(name);
        }
        (chain, seen)
    }
}

impl Segment {
    fn of(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => Self::Named(name.to_owned()),
            None => Self::Fixed(text.to_owned()),
        }
    }

    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Fixed(_) => None,
            Self::Named(name) => Some(name),
        }
    }
}

impl Verb {
    /// For descriptions.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Read | Self::Get => "Read",
            Self::Create => "Create",
            Self::Update | Self::Replace => "Change",
            Self::Delete => "Delete",
        }
    }
}
