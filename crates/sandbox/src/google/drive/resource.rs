//! The File resource, and the people in it, as JSON.

use pierhead_domain::EpochMillis;
use serde_json::{Map, Value, json};

use super::export;
use super::fields::{Fields, Mask};
use super::moment;
use super::node::{DOCUMENT, FOLDER, Node, PRESENTATION, SHORTCUT, SPREADSHEET};
use super::permission::{Grantee, Role};
use super::permissions;
use super::tree::{Person, Tree, Viewer};
use crate::google::bearer::Call;

/// From where and by whom resources are looked at.
pub(crate) struct View<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) viewer: Viewer,
    pub(crate) now: EpochMillis,
    pub(crate) base: &'a str,
}

impl<'a> View<'a> {
    pub(crate) fn of(call: &'a Call, tree: &'a Tree) -> Self {
        Self { tree, viewer: call.viewer(), now: call.app.now(), base: &call.base }
    }

    /// A `drive#user`.
    pub(crate) fn user(&self, person: Person, mask: &Mask) -> Value {
        let member = self.tree.member(person);
        let mut out = Fields::of(mask);
        out.put("kind", || "drive#user");
        out.put("displayName", || member.account.display_name.clone());
        out.put("me", || person == self.viewer.person);
        out.put("permissionId", || member.permission_id.clone());
        out.put("emailAddress", || member.account.email.clone());
        out.finish()
    }

    /// A `drive#user` of a comment, which hides address and permission id.
    pub(crate) fn author(&self, person: Person, mask: &Mask) -> Value {
        let mut out = Fields::of(mask);
        out.put("kind", || "drive#user");
        out.put("displayName", || self.tree.member(person).account.display_name.clone());
        out.put("me", || person == self.viewer.person);
        out.finish()
    }

    /// A `drive#file`, no more of it than the mask selects.
    pub(crate) fn file(&self, node: &Node, mask: &Mask) -> Value {
        let Self { tree, viewer, now, .. } = *self;
        let me = viewer.person;
        let head = node.binary();
        let mut out = Fields::of(mask);
        out.put("kind", || "drive#file");
        out.put("id", || node.id.clone());
        out.put("name", || node.name.clone());
        out.put("mimeType", || node.mime_type.clone());
        out.put_some("description", || node.description.clone());
        out.put("starred", || node.starred.contains(&me));
        out.put("trashed", || tree.trashed(&node.id));
        out.put("explicitlyTrashed", || node.explicitly_trashed);
        out.put_some("parents", || {
            // A parent that the person cannot see is not told.
            let parent = node.parent.as_deref().filter(|id| tree.role(me, id, now).is_some())?;
            Some(json!([parent]))
        });
        out.put_some("properties", || properties(&node.properties));
        out.put_some("appProperties", || properties(&node.app_properties));
        out.put("spaces", || json!([if tree.in_app_data(&node.id) { "appDataFolder" } else { "drive" }]));
        out.put("version", || node.version.to_string());
        out.put_some("webContentLink", || {
            head.map(|_| format!("{}/uc?id={}&export=download&sig={}", self.base, node.id, node.download_key))
        });
        out.put("webViewLink", || self.view_link(node));
        out.put("iconLink", || format!("{}/icons/16/type/{}", self.base, node.mime_type));
        out.put("hasThumbnail", || false);
        out.put("thumbnailVersion", || "0");
        out.put("createdTime", || moment::write(node.created));
        out.put("modifiedTime", || moment::write(node.modified));
        out.put("viewedByMe", || node.viewed.contains_key(&me));
        out.put_some("viewedByMeTime", || node.viewed.get(&me).map(|at| moment::write(*at)));
        out.put("modifiedByMe", || node.modified_by_person.contains_key(&me));
        out.put_some("modifiedByMeTime", || node.modified_by_person.get(&me).map(|at| moment::write(*at)));
        out.put_some("sharedWithMeTime", || node.shared_with.get(&me).map(|at| moment::write(*at)));
        if node.shared_with.contains_key(&me) {
            out.nest("sharingUser", |below| self.user(node.owner, below));
        }
        out.nest("owners", |below| json!([self.user(node.owner, below)]));
        out.nest("lastModifyingUser", |below| self.user(node.modified_by, below));
        out.put("ownedByMe", || node.owner == me);
        self.sharing(node, &mut out);
        if mask.has("capabilities") {
            let role = tree.role(me, &node.id, now).unwrap_or(Role::Reader);
            out.nest("capabilities", |below| below.apply(capabilities(node, role, tree.is_root(&node.id))));
        }
        out.put("copyRequiresWriterPermission", || node.copy_requires_writer);
        out.put("viewersCanCopyContent", || !node.copy_requires_writer);
        out.put("writersCanShare", || node.writers_can_share);
        out.put("isAppAuthorized", || node.made_by_app);
        out.put("inheritedPermissionsDisabled", || false);
        out.put_some("folderColorRgb", || folder_color(node));
        if let Some(target) = &node.shortcut_target {
            out.nest("shortcutDetails", |below| below.apply(self.shortcut(target)));
        }
        out.nest("linkShareMetadata", |below| {
            below.apply(json!({"securityUpdateEligible": false, "securityUpdateEnabled": true}))
        });
        out.put_some("originalFilename", || head.and(node.original_filename.clone()));
        out.put_some("fullFileExtension", || head.map(|_| node.full_extension().to_owned()));
        out.put_some("fileExtension", || {
            head.map(|_| node.full_extension().rsplit('.').next().unwrap_or_default().to_owned())
        });
        out.put_some("md5Checksum", || head.map(|head| head.blob.md5().to_owned()));
        out.put_some("sha1Checksum", || head.map(|head| head.blob.sha1().to_owned()));
        out.put_some("sha256Checksum", || head.map(|head| head.blob.sha256().to_owned()));
        out.put_some("size", || match node.mime_type.as_str() {
            FOLDER | SHORTCUT => None,
            _ => node.head().map(|head| head.blob.size().to_string()),
        });
        out.put_some("headRevisionId", || head.map(|head| head.id.clone()));
        out.put("quotaBytesUsed", || node.quota_bytes().to_string());
        if let Some(links) = export::links(node, self.base) {
            out.nest("exportLinks", |below| below.apply(links));
        }
        out.finish()
    }

    fn sharing(&self, node: &Node, out: &mut Fields<'_>) {
        let effective = || self.tree.effective(&node.id, self.now);
        out.put("shared", || {
            effective().iter().any(|given| given.permission.id != self.tree.permission_id(node.owner))
        });
        // Only people who can share a file are told who else has it.
        let role = self.tree.role(self.viewer.person, &node.id, self.now);
        if role >= Some(Role::Writer) {
            out.nest("permissions", |below| {
                effective().iter().map(|given| permissions::json(given, below)).collect()
            });
            out.put("permissionIds", || {
                let ids = effective().into_iter().map(|given| Value::from(given.permission.id));
                Value::from_iter(ids)
            });
        }
    }

    fn shortcut(&self, target: &str) -> Value {
        let mut details = json!({"targetId": target});
        if let Ok((node, _)) = self.tree.visible(self.viewer, target, self.now) {
            details["targetMimeType"] = json!(node.mime_type);
        }
        details
    }

    fn view_link(&self, node: &Node) -> String {
        let (base, id) = (self.base, &node.id);
        match node.mime_type.as_str() {
            FOLDER => format!("{base}/drive/folders/{id}"),
            DOCUMENT => format!("{base}/document/d/{id}/edit?usp=drivesdk"),
            SPREADSHEET => format!("{base}/spreadsheets/d/{id}/edit?usp=drivesdk"),
            PRESENTATION => format!("{base}/presentation/d/{id}/edit?usp=drivesdk"),
            _ => format!("{base}/file/d/{id}/view?usp=drivesdk"),
        }
    }
}

fn properties(of: &std::collections::BTreeMap<String, String>) -> Option<Value> {
    (!of.is_empty())
        .then(|| of.iter().map(|(key, value)| (key.clone(), json!(value))).collect::<Map<_, _>>().into())
}

fn folder_color(node: &Node) -> Option<String> {
    node.is_folder().then(|| node.folder_color.clone().unwrap_or_else(|| "#8f8f8f".into()))
}

/// What a role allows. Source: the capability names of `drive.v3.json`.
fn capabilities(node: &Node, role: Role, root: bool) -> Value {
    let (folder, binary) = (node.is_folder(), node.binary().is_some());
    let writer = role >= Role::Writer;
    let owner = role == Role::Owner;
    let open = writer || !node.copy_requires_writer;
    let exportable = export::targets(&node.mime_type).is_some();
    json!({
        "canAcceptOwnership": false,
        "canAddChildren": folder && writer,
        "canAddMyDriveParent": false,
        "canChangeCopyRequiresWriterPermission": writer && !root,
        "canChangeItemDownloadRestriction": owner && !root,
        "canChangeSecurityUpdateEnabled": false,
        "canChangeViewersCanCopyContent": writer && !root,
        "canComment": role >= Role::Commenter && !root,
        "canCopy": !folder && open,
        "canDelete": owner && !root,
        "canDisableInheritedPermissions": false,
        "canDownload": open && (binary || exportable),
        "canEdit": writer,
        "canEnableInheritedPermissions": false,
        "canListChildren": folder,
        "canModifyContent": writer && !folder,
        "canModifyContentRestriction": writer && binary,
        "canModifyEditorContentRestriction": writer && binary,
        "canModifyLabels": false,
        "canModifyOwnerContentRestriction": owner && binary,
        "canMoveChildrenWithinDrive": folder && writer,
        "canMoveItemIntoTeamDrive": owner && !root,
        "canMoveItemOutOfDrive": false,
        "canMoveItemWithinDrive": writer && !root,
        "canReadLabels": false,
        "canReadRevisions": !folder && writer,
        "canRemoveChildren": folder && writer,
        "canRemoveContentRestriction": false,
        "canRemoveMyDriveParent": owner && !root,
        "canRename": writer && !root,
        "canShare": !root && (owner || (writer && node.writers_can_share)),
        "canTrash": owner && !root,
        "canUntrash": owner && !root,
    })
}

/// Whether a grantee is one of the accounts here.
pub(crate) fn known(tree: &Tree, grantee: &Grantee) -> Option<Person> {
    match grantee {
        Grantee::User(email) => tree.person(email),
        Grantee::Group(_) | Grantee::Domain(_) | Grantee::Anyone => None,
    }
}
