//! The `files` block: what a vendor of the documents hub can do, as primitive requests. The hub's own rules
//! (paths and ids, conflicts, missing parents, paging) are written once, in the engine.

use pierhead_script::Program;

use super::block::Block;
use super::pagination::NamedPaginations;
use super::push_down::PushDown;
use super::request::VendorRequest;

/// Variables a request of this block may use.
const NAMES: &[&str] = &[
    "connection",
    "query",
    "body",
    "id",
    "path",
    "name",
    "item",
    "parent",
    "target",
    "change",
    "overwrite",
    "where",
    "order",
    "temporary",
    "content",
    "media_type",
];

/// What a vendor of files can do.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) address: Address,
    /// The vendor's id of the root folder, for vendors that address by id.
    pub(crate) root: String,
    /// Vendor record → hub item, field by field.
    pub(crate) item: Vec<(String, Program)>,
    /// Vendor record → links.
    pub(crate) links: Vec<(String, Program)>,
    /// Which listed records are shown.
    pub(crate) visible: Option<Program>,
    pub(crate) get: VendorRequest,
    /// Children of `$parent` named `$name`, for vendors that address by id.
    pub(crate) child: Option<VendorRequest>,
    pub(crate) list: VendorRequest,
    pub(crate) download: VendorRequest,
    pub(crate) export: Option<Export>,
    pub(crate) upload: Option<Upload>,
    pub(crate) folder: Option<VendorRequest>,
    /// Changes properties, tags and description; for id-addressed vendors also name and parent.
    pub(crate) update: Option<VendorRequest>,
    /// Moves `$path` to `$target.path`, for vendors that address by path.
    pub(crate) rename: Option<VendorRequest>,
    pub(crate) copy: Option<VendorRequest>,
    /// Whether `copy` copies folders whole; else the engine walks them.
    pub(crate) copies_folders: bool,
    pub(crate) delete: Option<VendorRequest>,
    /// Deletes for good, asked by `emptyTrash=true`; `delete` when absent.
    pub(crate) purge: Option<VendorRequest>,
    pub(crate) search: Search,
    pub(crate) push_down: PushDown,
    pub(crate) storage: Option<(VendorRequest, Vec<(String, Program)>)>,
    /// Which members of a metadata change `update` can carry.
    pub(crate) changes: Vec<String>,
}

/// How a vendor addresses items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    Id,
    Path,
}

/// How a vendor finds files.
#[derive(Debug, Clone)]
pub(crate) enum Search {
    Request(Box<VendorRequest>),
    /// By listing folder after folder, at most so many.
    Walk {
        max_folders: usize,
    },
}

/// Files that have no bytes of their own and must be exported.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    /// Which records these are.
    pub(crate) when: Program,
    /// The media type when the caller names none.
    pub(crate) default: Program,
    pub(crate) request: VendorRequest,
}

/// How bytes get to the vendor.
#[derive(Debug, Clone)]
pub(crate) enum Upload {
    /// In the one request that makes the file.
    Simple { create: Box<VendorRequest>, replace: Box<VendorRequest> },
    /// A session is opened, then chunks follow with `Content-Range`.
    Resumable {
        create: Box<VendorRequest>,
        replace: Box<VendorRequest>,
        /// Where the session's URL stands in the opening answer.
        session: Program,
        /// Bytes per chunk.
        chunk: usize,
        /// Statuses that ask for more.
        more: Vec<u16>,
    },
    /// Written under a temporary name, then moved to its place, so that nothing half shows.
    Publish { write: Box<VendorRequest>, publish: Box<VendorRequest>, discard: Box<VendorRequest> },
}

impl Files {
    pub(crate) fn read(definition: &Block<'_>, paginations: &NamedPaginations) -> Option<Self> {
        let block = definition.block("files", "files")?;
        let request = |key: &str| VendorRequest::read(&block, key, NAMES, paginations);
        let address = block.choice("address", &[("id", Address::Id), ("path", Address::Path)]);
        if address.is_none() {
            block.mistake("address", "is required: id or path");
        }
        let root = block.text("root").unwrap_or_else(|| "root".to_owned());
        let item = mapping(&block, "item");
        let needed: &[&str] = match address {
            Some(Address::Id) => &["id", "name", "directory", "parentFolderId"],
            _ => &["directory"],
        };
        for name in needed {
            if !item.iter().any(|(known, _)| known == name) {
                block.mistake("item", format!("must map {name}"));
            }
        }
        let links = mapping(&block, "links");
        let visible = block.program("visible", &["connection", "query"]);
        let (get, list, download) = (request("get"), request("list"), request("download"));
        let child = request("child");
        for (key, there) in [
            ("get", get.is_some()),
            ("list", list.is_some()),
            ("download", download.is_some()),
            ("child", child.is_some() || address != Some(Address::Id)),
        ] {
            if !there {
                block.mistake(key, "is required");
            }
        }
        let (folder, update, rename) = (request("folder"), request("update"), request("rename"));
        let (copy, delete, purge) = (request("copy"), request("delete"), request("purge"));
        let export = Export::read(&block, paginations);
        let upload = Upload::read(&block, paginations);
        let copies_folders = block.flag("copies_folders").unwrap_or(address == Some(Address::Path));
        let changes = block.texts("changes");
        let push_down = PushDown::read(&block, "where");
        let storage = block.block("storage", "storage").and_then(|storage| {
            let request = VendorRequest::read(&storage, "request", NAMES, paginations);
            Some((request?, mapping(&storage, "answer")))
        });
        let search = Search::read(&block, paginations);
        Some(Self {
            address: address?,
            root,
            item,
            links,
            visible,
            get: get?,
            child,
            list: list?,
            download: download?,
            export,
            upload,
            folder,
            update,
            rename,
            copy,
            copies_folders,
            delete,
            purge,
            search,
            push_down,
            storage,
            changes,
        })
    }
}

/// A block of expressions over a vendor record.
fn mapping(block: &Block<'_>, key: &str) -> Vec<(String, Program)> {
    let Some(fields) = block.block(key, "mapping") else { return Vec::new() };
    let names = ["path", "parent", "connection"];
    let field = |(name, _): &(String, _)| fields.program(name, &names).map(|program| (name.clone(), program));
    fields.members().iter().filter_map(field).collect()
}

impl Search {
    fn read(files: &Block<'_>, paginations: &NamedPaginations) -> Self {
        const DEFAULT: usize = 1000;
        let Some(block) = files.block("search", "search") else { return Self::Walk { max_folders: DEFAULT } };
        let walk = block.number("walk").and_then(|folders| usize::try_from(folders).ok());
        match VendorRequest::read(&block, "request", NAMES, paginations) {
            Some(request) => Self::Request(Box::new(request)),
            None => Self::Walk { max_folders: walk.unwrap_or(DEFAULT) },
        }
    }
}

impl Export {
    fn read(files: &Block<'_>, paginations: &NamedPaginations) -> Option<Self> {
        let block = files.block("export", "export")?;
        let (when, default) = (block.program("when", &[]), block.program("default", &[]));
        let request = VendorRequest::read(&block, "request", NAMES, paginations);
        if when.is_none() || default.is_none() || request.is_none() {
            block.mistake("request", "export needs when, default and request");
        }
        Some(Self { when: when?, default: default?, request: request? })
    }
}

impl Upload {
    fn read(files: &Block<'_>, paginations: &NamedPaginations) -> Option<Self> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mode {
            Simple,
            Resumable,
            Publish,
        }
        let block = files.block("upload", "upload")?;
        let modes = [("simple", Mode::Simple), ("resumable", Mode::Resumable), ("publish", Mode::Publish)];
        let mode = block.choice("mode", &modes);
        let request = |key: &str| VendorRequest::read(&block, key, NAMES, paginations).map(Box::new);
        let (create, replace) = (request("create"), request("replace"));
        let (write, publish, discard) = (request("write"), request("publish"), request("discard"));
        let session = block.program("session", &["headers"]);
        let chunk = block.size("chunk").and_then(|size| usize::try_from(size).ok());
        let more: Vec<u16> = block.texts("more").iter().filter_map(|status| status.parse().ok()).collect();
        let complete = match mode {
            Some(Mode::Simple) => create.is_some() && replace.is_some(),
            Some(Mode::Resumable) => {
                create.is_some() && replace.is_some() && session.is_some() && !more.is_empty()
            }
            Some(Mode::Publish) => write.is_some() && publish.is_some() && discard.is_some(),
            None => false,
        };
        if !complete {
            let rule = "simple needs create and replace; resumable needs them, session and more; publish needs \
                        write, publish and discard";
            block.mistake("mode", rule);
        }
        Some(match mode? {
            Mode::Simple => Self::Simple { create: create?, replace: replace? },
            Mode::Resumable => Self::Resumable {
                create: create?,
                replace: replace?,
                session: session?,
                chunk: chunk.unwrap_or(8 << 20).clamp(1, 64 << 20),
                more,
            },
            Mode::Publish => Self::Publish { write: write?, publish: publish?, discard: discard? },
        })
    }
}
