//! A file as the double remembers it. Folders, shortcuts and Google documents are files too.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use pierhead_domain::EpochMillis;

use super::blob::Blob;
use super::people::Person;
use super::permission::Permission;

pub(crate) const FOLDER: &str = "application/vnd.google-apps.folder";
pub(crate) const SHORTCUT: &str = "application/vnd.google-apps.shortcut";
pub(crate) const DOCUMENT: &str = "application/vnd.google-apps.document";
pub(crate) const SPREADSHEET: &str = "application/vnd.google-apps.spreadsheet";
pub(crate) const PRESENTATION: &str = "application/vnd.google-apps.presentation";
const NATIVE_PREFIX: &str = "application/vnd.google-apps.";

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) mime_type: String,
    pub(crate) description: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) owner: Person,
    /// Permissions given here; those of folders above are inherited, not repeated.
    pub(crate) permissions: Vec<Permission>,
    pub(crate) starred: HashSet<Person>,
    pub(crate) explicitly_trashed: bool,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) app_properties: BTreeMap<String, String>,
    pub(crate) created: EpochMillis,
    pub(crate) modified: EpochMillis,
    pub(crate) modified_by: Person,
    pub(crate) modified_by_person: HashMap<Person, EpochMillis>,
    pub(crate) viewed: HashMap<Person, EpochMillis>,
    pub(crate) shared_with: HashMap<Person, EpochMillis>,
    pub(crate) version: u64,
    /// Contents, oldest first; the last is the head. Google documents keep their text here.
    pub(crate) revisions: Vec<Revision>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) original_filename: Option<String>,
    pub(crate) shortcut_target: Option<String>,
    pub(crate) folder_color: Option<String>,
    pub(crate) copy_requires_writer: bool,
    pub(crate) writers_can_share: bool,
    /// Whether the app made it: what `drive.file` shows.
    pub(crate) made_by_app: bool,
    /// What makes the download link work without a token.
    pub(crate) download_key: String,
    /// Text given for search by the client.
    pub(crate) index_text: Option<String>,
}

impl Node {
    pub(crate) fn new(id: String, name: String, mime_type: String, owner: Person, now: EpochMillis) -> Self {
        Self {
            id,
            name,
            mime_type,
            description: None,
            parent: None,
            owner,
            permissions: Vec::new(),
            starred: HashSet::new(),
            explicitly_trashed: false,
            properties: BTreeMap::new(),
            app_properties: BTreeMap::new(),
            created: now,
            modified: now,
            modified_by: owner,
            modified_by_person: HashMap::from([(owner, now)]),
            viewed: HashMap::from([(owner, now)]),
            shared_with: HashMap::new(),
            version: 1,
            revisions: Vec::new(),
            comments: Vec::new(),
            original_filename: None,
            shortcut_target: None,
            folder_color: None,
            copy_requires_writer: false,
            writers_can_share: true,
            made_by_app: false,
            download_key: String::new(),
            index_text: None,
        }
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.mime_type == FOLDER
    }

    /// Whether it has no bytes of its own to download: folders, shortcuts, Google documents.
    pub(crate) fn is_native(&self) -> bool {
        self.mime_type.starts_with(NATIVE_PREFIX)
    }

    pub(crate) fn head(&self) -> Option<&Revision> {
        self.revisions.last()
    }

    /// The downloadable head, absent for Google's own types.
    pub(crate) fn binary(&self) -> Option<&Revision> {
        self.head().filter(|_| !self.is_native())
    }

    /// Bytes that count against the owner's quota: every kept revision.
    pub(crate) fn quota_bytes(&self) -> u64 {
        if self.is_native() { 0 } else { self.revisions.iter().map(|revision| revision.blob.size()).sum() }
    }

    /// Everything after the first dot of the name, as `tar.gz`.
    pub(crate) fn full_extension(&self) -> &str {
        self.name.trim_start_matches('.').split_once('.').map_or("", |(_, rest)| rest)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) id: String,
    pub(crate) blob: Arc<Blob>,
    pub(crate) mime_type: String,
    pub(crate) modified: EpochMillis,
    pub(crate) by: Person,
    pub(crate) keep_forever: bool,
    pub(crate) original_filename: Option<String>,
    pub(crate) published: bool,
    pub(crate) publish_auto: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: String,
    pub(crate) author: Person,
    pub(crate) content: String,
    pub(crate) anchor: Option<String>,
    pub(crate) quoted: Option<serde_json::Value>,
    pub(crate) created: EpochMillis,
    pub(crate) modified: EpochMillis,
    pub(crate) deleted: bool,
    pub(crate) replies: Vec<Reply>,
}

impl Comment {
    /// Whether the last word on it was `resolve`.
    pub(crate) fn resolved(&self) -> Option<bool> {
        let last = self.replies.iter().filter(|reply| !reply.deleted).rev().find_map(|reply| reply.action);
        last.map(|action| action == Action::Resolve)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) id: String,
    pub(crate) author: Person,
    pub(crate) content: String,
    pub(crate) action: Option<Action>,
    pub(crate) created: EpochMillis,
    pub(crate) modified: EpochMillis,
    pub(crate) deleted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Resolve,
    Reopen,
}

impl Action {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Reopen => "reopen",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Resolve, Self::Reopen].into_iter().find(|action| action.name() == name)
    }
}
