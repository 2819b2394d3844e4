//! Creating and changing files: what is checked before a byte is taken, and what is done after the last.

use std::sync::Arc;

use http::StatusCode;
use pierhead_domain::EpochMillis;

use super::super::bearer::Call;
use super::super::problem::Problem;
use super::super::state::App;
use super::blob::Blob;
use super::body::Metadata;
use super::export;
use super::node::{FOLDER, Node, Revision, SHORTCUT};
use super::permission::Role;
use super::tree::{Person, Tree};

/// Revisions kept of one file, besides those kept forever.
const KEPT_REVISIONS: usize = 100;
const OCTETS: &str = "application/octet-stream";

/// Contents that arrived with a request.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    pub(crate) blob: Arc<Blob>,
    pub(crate) content_type: Option<String>,
}

/// A write that the caller may do. It is checked when it is made, so that a long upload is not refused
/// only at its end, and done by [`Self::commit`].
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    /// The file to change; a new one when `None`.
    target: Option<String>,
    metadata: Metadata,
}

impl Intent {
    /// A new file.
    pub(crate) fn create(call: &Call, metadata: Metadata) -> Result<Self, Problem> {
        let tree = call.app.tree();
        if let Some(id) = &metadata.id {
            if tree.get(id).is_some() {
                let message = "A file already exists with the provided ID.";
                return Err(Problem::new(StatusCode::CONFLICT, "fileIdInUse", message));
            }
            if !tree.is_reserved(id) {
                let message = "The provided file ID is not usable.";
                return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid", message).about_body("file.id"));
            }
        }
        parent_of_new(&tree, call, &metadata)?;
        if metadata.mime_type.as_deref() == Some(SHORTCUT) {
            let target = metadata.shortcut_target.as_deref();
            let target =
                target.ok_or_else(|| Problem::bad_request("A shortcut needs shortcutDetails.targetId."))?;
            tree.visible(call.viewer(), target, call.app.now())?;
        }
        Ok(Self { target: None, metadata })
    }

    /// A change of an existing file.
    pub(crate) fn update(
        call: &Call,
        id: &str,
        metadata: Metadata,
        with_media: bool,
    ) -> Result<Self, Problem> {
        let tree = call.app.tree();
        let (node, role) = tree.visible(call.viewer(), id, call.app.now())?;
        if metadata.parents.is_some() {
            return Err(Problem::not_writable(
                "The parents field is not directly writable in update requests. Use the addParents and \
                 removeParents parameters instead.",
            ));
        }
        if metadata.created.is_some() || metadata.id.as_ref().is_some_and(|new| *new != node.id) {
            return Err(Problem::not_writable(
                "The resource body includes fields which are not directly writable.",
            ));
        }
        let native_to = metadata.mime_type.as_deref().is_some_and(|to| {
            to != node.mime_type && (node.is_native() || to.starts_with("application/vnd.google-apps."))
        });
        if native_to || (with_media && node.is_native() && export::targets(&node.mime_type).is_none()) {
            return Err(Problem::bad_request("The requested conversion is not supported."));
        }
        let least = if metadata.trashed.is_some() {
            Role::Owner
        } else if with_media || changes_more_than_own_marks(&metadata) || moves(call) {
            Role::Writer
        } else {
            Role::Reader
        };
        let root_stays = tree.is_root(&node.id) && (least > Role::Writer || with_media || moves(call));
        if role < least || root_stays {
            return Err(Problem::no_permission(id));
        }
        let target = node.id.clone();
        new_parent(&tree, call, &target)?;
        Ok(Self { target: Some(target), metadata })
    }

    /// Refuses contents of `size` bytes that would not fit into the owner's storage.
    pub(crate) fn check_room(&self, call: &Call, size: u64) -> Result<(), Problem> {
        let tree = call.app.tree();
        let owner = match self.target.as_deref().and_then(|id| tree.get(id)) {
            Some(node) => node.owner,
            None => call.person(),
        };
        let (used, _) = tree.usage(owner);
        if used.saturating_add(size) > call.app.options.storage_limit {
            return Err(Problem::quota_exceeded());
        }
        Ok(())
    }

    /// Does it, and answers the file's id.
    pub(crate) async fn commit(self, call: &Call, media: Option<Media>) -> Result<String, Problem> {
        if let Some(media) = &media {
            self.check_room(call, media.blob.size())?;
        }
        match self.target {
            Some(id) => update(call, &id, self.metadata, media),
            None => {
                let media = match media {
                    // A file that is not Google's has contents, if only empty ones.
                    None if !is_native_type(self.metadata.mime_type.as_deref()) => {
                        let blob = call.app.blobs.writer().await?.finish().await?;
                        Some(Media { blob, content_type: None })
                    }
                    media => media,
                };
                create(call, self.metadata, media)
            }
        }
    }
}

fn create(call: &Call, metadata: Metadata, media: Option<Media>) -> Result<String, Problem> {
    let (app, me, now) = (&call.app, call.person(), call.app.now());
    let name = metadata.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| "Untitled".into());
    let sent_type = media.as_ref().and_then(|media| media.content_type.clone());
    let mime_type = metadata.mime_type.clone().unwrap_or_else(|| settled_type(sent_type.as_deref(), &name));
    if media.is_some() && !export::can_hold(&mime_type, sent_type.as_deref()) {
        return Err(Problem::bad_request("The requested conversion is not supported."));
    }
    let id = metadata.id.clone().unwrap_or_else(|| app.token("1", 24));
    let mut node = Node::new(id.clone(), name, mime_type, me, now);
    node.made_by_app = true;
    node.download_key = app.token("", 16);
    node.shortcut_target = metadata.shortcut_target.clone();
    let media = match media {
        None if export::targets(&node.mime_type).is_some() => {
            Some(Media { blob: app.blobs.put(b"")?, content_type: None })
        }
        media => media,
    };
    if let Some(media) = media {
        node.original_filename =
            Some(metadata.original_filename.clone().unwrap_or_else(|| node.name.clone()));
        node.revisions.push(revision(
            app,
            &node,
            media.blob,
            me,
            now,
            call.params.flag("keepRevisionForever"),
        ));
    }
    apply(&mut node, metadata.clone(), me, now);
    node.created = metadata.created.unwrap_or(now);

    let mut tree = app.tree();
    node.parent = Some(parent_of_new(&tree, call, &metadata)?);
    node.permissions.push(tree.owner_permission(me));
    if tree.get(&id).is_some() {
        // Somebody else used the same reserved id in the meantime.
        let message = "A file already exists with the provided ID.";
        return Err(Problem::new(StatusCode::CONFLICT, "fileIdInUse", message));
    }
    tree.insert(node, now);
    Ok(id)
}

fn update(call: &Call, id: &str, metadata: Metadata, media: Option<Media>) -> Result<String, Problem> {
    let (app, me, now) = (&call.app, call.person(), call.app.now());
    let keep = call.params.flag("keepRevisionForever");
    let mut tree = app.tree();
    // The file may have gone, or its rights, while contents were on their way.
    let (node, _) = tree.visible(call.viewer(), id, now)?;
    let sent_type = media.as_ref().map(|media| media.content_type.as_deref());
    if sent_type.is_some_and(|sent| !export::can_hold(&node.mime_type, sent)) {
        return Err(Problem::bad_request("The requested conversion is not supported."));
    }
    let to = new_parent(&tree, call, id)?;
    tree.change(id, now, |node| {
        if let Some(media) = media {
            if metadata.mime_type.is_none()
                && !node.is_native()
                && let Some(sent) = media.content_type.filter(|sent| plain_type(sent) != OCTETS)
            {
                node.mime_type = plain_type(&sent).to_owned();
            }
            if let Some(mime_type) = &metadata.mime_type {
                node.mime_type.clone_from(mime_type);
            }
            let new = revision(app, node, media.blob, me, now, keep);
            node.revisions.push(new);
            drop_old_revisions(&mut node.revisions);
            touch(node, me, now);
        }
        apply(node, metadata, me, now);
    })?;
    if let Some(to) = to {
        tree.relocate(id, to, now)?;
    }
    Ok(id.to_owned())
}

/// Writes what a client said into the file.
fn apply(node: &mut Node, metadata: Metadata, me: Person, now: EpochMillis) {
    if changes_more_than_own_marks(&metadata) {
        touch(node, me, now);
    }
    if let Some(name) = metadata.name.filter(|name| !name.is_empty()) {
        node.name = name;
    }
    if let Some(mime_type) = metadata.mime_type {
        node.mime_type = mime_type;
    }
    if let Some(text) = metadata.description {
        node.description = Some(text).filter(|text| !text.is_empty());
    }
    match metadata.starred {
        Some(true) => drop(node.starred.insert(me)),
        Some(false) => drop(node.starred.remove(&me)),
        None => {}
    }
    node.explicitly_trashed = metadata.trashed.unwrap_or(node.explicitly_trashed);
    for (properties, changes) in
        [(&mut node.properties, metadata.properties), (&mut node.app_properties, metadata.app_properties)]
    {
        for (key, value) in changes {
            match value {
                Some(value) => drop(properties.insert(key, value)),
                None => drop(properties.remove(&key)),
            }
        }
    }
    if let Some(at) = metadata.modified {
        node.modified = at;
        node.modified_by_person.insert(me, at);
    }
    if let Some(at) = metadata.viewed {
        node.viewed.insert(me, at);
    }
    if metadata.original_filename.is_some() {
        node.original_filename = metadata.original_filename;
    }
    if metadata.folder_color.is_some() {
        node.folder_color = metadata.folder_color;
    }
    if metadata.index_text.is_some() {
        node.index_text = metadata.index_text;
    }
    node.copy_requires_writer = metadata.copy_requires_writer.unwrap_or(node.copy_requires_writer);
    node.writers_can_share = metadata.writers_can_share.unwrap_or(node.writers_can_share);
}

fn touch(node: &mut Node, me: Person, now: EpochMillis) {
    node.modified = now;
    node.modified_by = me;
    node.modified_by_person.insert(me, now);
    node.viewed.insert(me, now);
}

pub(crate) fn revision(
    app: &App,
    node: &Node,
    blob: Arc<Blob>,
    by: Person,
    now: EpochMillis,
    keep_forever: bool,
) -> Revision {
    Revision {
        id: app.token("0B", 36),
        blob,
        mime_type: node.mime_type.clone(),
        modified: now,
        by,
        keep_forever,
        original_filename: node.original_filename.clone(),
        published: false,
        publish_auto: false,
    }
}

fn drop_old_revisions(revisions: &mut Vec<Revision>) {
    let passing = revisions.iter().filter(|revision| !revision.keep_forever).count();
    if passing > KEPT_REVISIONS
        && let Some(oldest) = revisions.iter().position(|revision| !revision.keep_forever)
    {
        revisions.remove(oldest);
    }
}

/// Stars and viewing times are everybody's own; all else changes the file.
fn changes_more_than_own_marks(metadata: &Metadata) -> bool {
    metadata.name.is_some()
        || metadata.mime_type.is_some()
        || metadata.description.is_some()
        || metadata.modified.is_some()
        || !metadata.properties.is_empty()
        || !metadata.app_properties.is_empty()
        || metadata.original_filename.is_some()
        || metadata.folder_color.is_some()
        || metadata.copy_requires_writer.is_some()
        || metadata.writers_can_share.is_some()
        || metadata.index_text.is_some()
}

fn moves(call: &Call) -> bool {
    call.params.filled("addParents").is_some() || call.params.filled("removeParents").is_some()
}

/// The folder a new file goes into: the one named, or the person's root.
pub(crate) fn parent_of_new(tree: &Tree, call: &Call, metadata: &Metadata) -> Result<String, Problem> {
    match metadata.parents.as_deref() {
        None | Some([]) => Ok(tree.canonical(call.person(), "root").to_owned()),
        Some([one]) => folder(tree, call, one),
        Some(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid",
            "A file cannot have more than one parent folder.",
        )
        .about_body("file.parents")),
    }
}

/// Where `addParents` and `removeParents` put a file: `None` when it stays, `Some(None)` when it is left
/// with no folder.
fn new_parent(tree: &Tree, call: &Call, id: &str) -> Result<Option<Option<String>>, Problem> {
    if !moves(call) {
        return Ok(None);
    }
    let old = tree.get(id).and_then(|node| node.parent.as_deref());
    let removed = call.params.list("removeParents");
    let leaves = removed.iter().any(|parent| Some(tree.canonical(call.person(), parent)) == old);
    let added = call.params.list("addParents");
    let added: Vec<String> =
        added.into_iter().map(|parent| folder(tree, call, parent)).collect::<Result<_, _>>()?;
    match added.as_slice() {
        [] => Ok(leaves.then_some(None)),
        [one] if Some(one.as_str()) == old => Ok(None),
        [one] if leaves || old.is_none() => {
            if tree.lineage(one).any(|above| above.id == id) {
                return Err(Problem::bad_request(
                    "A folder cannot be moved into itself or a folder below it.",
                ));
            }
            Ok(Some(Some(one.clone())))
        }
        _ => {
            let message = "Increasing the number of parents is not allowed";
            Err(Problem::new(StatusCode::FORBIDDEN, "cannotAddParent", message))
        }
    }
}

/// A folder that the caller may put something into.
fn folder(tree: &Tree, call: &Call, id: &str) -> Result<String, Problem> {
    let (node, role) = tree.visible(call.viewer(), id, call.app.now())?;
    if node.mime_type != FOLDER {
        let message = "The specified parent is not a folder.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "parentNotAFolder", message));
    }
    if role < Role::Writer {
        let message = "Insufficient permissions for the specified parent.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "insufficientParentPermissions", message));
    }
    Ok(node.id.clone())
}

fn is_native_type(mime_type: Option<&str>) -> bool {
    mime_type.is_some_and(|kind| kind.starts_with("application/vnd.google-apps."))
}

/// The type of contents whose sender did not settle it: guessed from the name, as Google does.
fn settled_type(sent: Option<&str>, name: &str) -> String {
    match sent.map(plain_type) {
        Some(sent) if sent != OCTETS => sent.to_owned(),
        _ => mime_guess::from_path(name).first_raw().unwrap_or(OCTETS).to_owned(),
    }
}

/// A media type without its parameters.
fn plain_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or(content_type).trim()
}
