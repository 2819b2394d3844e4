//! The properties each resource has, and those sent when nobody selects any.
//!
//! Source: the schemas of `drive.v3.json`; the defaults are those the service sends.

use std::sync::LazyLock;

use super::super::problem::Problem;
use super::fields::{BadSelection, Mask};

/// What can be selected of a resource.
pub(crate) struct Shape {
    schema: Mask,
    /// What is sent with no `fields`; `None` where Google insists on `fields`.
    default: Option<Mask>,
}

impl Shape {
    /// Both texts are masks; `($any)` behind a property says that anything may be selected below it.
    fn new(schema: &str, default: Option<&str>) -> Self {
        // The texts below are constants that a test parses.
        let read = |text: &str| Mask::parse(text).unwrap_or_default();
        Self { schema: read(schema), default: default.map(read) }
    }

    /// The mask for a `fields` parameter.
    pub(crate) fn select(&self, fields: Option<&str>) -> Result<Mask, Problem> {
        let refused = |bad: BadSelection| Problem::invalid_parameter("fields", bad.to_string());
        let Some(text) = fields else {
            return self.default.clone().ok_or_else(|| Problem::required("fields"));
        };
        let mask = Mask::parse(text).map_err(refused)?;
        match mask.outside(&self.schema) {
            Some(name) => Err(refused(BadSelection(name.to_owned()))),
            None => Ok(mask),
        }
    }
}

macro_rules! user {
    () => {
        "(displayName,emailAddress,kind,me,permissionId,photoLink)"
    };
}

macro_rules! permission {
    () => {
        "allowFileDiscovery,deleted,displayName,domain,emailAddress,expirationTime,id,\
         inheritedPermissionsDisabled,kind,pendingOwner,\
         permissionDetails(inherited,inheritedFrom,permissionType,role),photoLink,role,\
         teamDrivePermissionDetails(inherited,inheritedFrom,role,teamDrivePermissionType),type,view"
    };
}

macro_rules! file {
    () => {
        concat!(
            "appProperties($any),capabilities($any),clientEncryptionDetails($any),contentHints(indexableText,\
             thumbnail(image,mimeType)),contentRestrictions($any),copyRequiresWriterPermission,createdTime,\
             description,downloadRestrictions($any),driveId,explicitlyTrashed,exportLinks($any),fileExtension,\
             folderColorRgb,fullFileExtension,hasAugmentedPermissions,hasThumbnail,headRevisionId,iconLink,\
             id,imageMediaMetadata($any),inheritedPermissionsDisabled,isAppAuthorized,kind,labelInfo($any),\
             lastModifyingUser", user!(), ",linkShareMetadata($any),md5Checksum,mimeType,modifiedByMe,\
             modifiedByMeTime,modifiedTime,name,originalFilename,ownedByMe,owners", user!(), ",parents,\
             permissionIds,permissions(", permission!(), "),properties($any),quotaBytesUsed,resourceKey,\
             sha1Checksum,sha256Checksum,shared,sharedWithMeTime,sharingUser", user!(), ",\
             shortcutDetails(targetId,targetMimeType,targetResourceKey),size,spaces,starred,teamDriveId,\
             thumbnailLink,thumbnailVersion,trashed,trashedTime,trashingUser", user!(), ",version,\
             videoMediaMetadata($any),viewedByMe,viewedByMeTime,viewersCanCopyContent,webContentLink,\
             webViewLink,writersCanShare"
        )
    };
}

macro_rules! revision {
    () => {
        concat!(
            "exportLinks($any),id,keepForever,kind,lastModifyingUser", user!(), ",md5Checksum,mimeType,\
             modifiedTime,originalFilename,publishAuto,published,publishedLink,publishedOutsideDomain,size"
        )
    };
}

macro_rules! reply {
    () => {
        concat!(
            "action,assigneeEmailAddress,author",
            user!(),
            ",content,createdTime,deleted,htmlContent,id,\
             kind,mentionedEmailAddresses,modifiedTime"
        )
    };
}

macro_rules! comment {
    () => {
        concat!(
            "anchor,assigneeEmailAddress,author",
            user!(),
            ",content,createdTime,deleted,htmlContent,id,\
             kind,mentionedEmailAddresses,modifiedTime,quotedFileContent(mimeType,value),replies(",
            reply!(),
            "),resolved"
        )
    };
}

macro_rules! shape {
    ($($(#[$doc:meta])* $name:ident = $schema:expr, $default:expr;)*) => {
        $($(#[$doc])* pub(crate) static $name: LazyLock<Shape> = LazyLock::new(|| Shape::new($schema, $default));)*

        #[cfg(test)]
        #[test]
        fn every_shape_parses_and_its_default_lies_within_it() {
            $(
                let schema = Mask::parse($schema).unwrap();
                if let Some(text) = $default {
                    let default: &str = text;
                    assert_eq!(Mask::parse(default).unwrap().outside(&schema), None, stringify!($name));
                }
            )*
        }
    };
}

shape! {
    FILE = file!(), Some("kind,id,name,mimeType");
    FILE_LIST = concat!("kind,incompleteSearch,nextPageToken,files(", file!(), ")"),
        Some("kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)");
    PERMISSION = permission!(), Some("kind,id,type,role");
    PERMISSION_LIST = concat!("kind,nextPageToken,permissions(", permission!(), ")"),
        Some("kind,nextPageToken,permissions(kind,id,type,role)");
    REVISION = revision!(), Some("kind,id,mimeType,modifiedTime");
    REVISION_LIST = concat!("kind,nextPageToken,revisions(", revision!(), ")"),
        Some("kind,nextPageToken,revisions(kind,id,mimeType,modifiedTime)");
    COMMENT = comment!(), None::<&str>;
    COMMENT_LIST = concat!("kind,nextPageToken,comments(", comment!(), ")"), None::<&str>;
    REPLY = reply!(), None::<&str>;
    REPLY_LIST = concat!("kind,nextPageToken,replies(", reply!(), ")"), None::<&str>;
    ABOUT = concat!(
        "appInstalled,canCreateDrives,canCreateTeamDrives,driveThemes(backgroundImageLink,colorRgb,id),\
         exportFormats($any),folderColorPalette,importFormats($any),kind,maxImportSizes($any),maxUploadSize,\
         storageQuota(limit,usage,usageInDrive,usageInDriveTrash),\
         teamDriveThemes(backgroundImageLink,colorRgb,id),user", user!()
    ), None::<&str>;
    CHANGE_LIST = concat!(
        "kind,newStartPageToken,nextPageToken,changes(changeType,drive($any),driveId,file(", file!(), "),\
         fileId,kind,removed,teamDrive($any),teamDriveId,time,type)"
    ), Some("kind,newStartPageToken,nextPageToken,\
             changes(kind,type,changeType,time,removed,fileId,file(kind,id,name,mimeType))");
    START_PAGE_TOKEN = "kind,startPageToken", Some("*");
    GENERATED_IDS = "ids,kind,space", Some("*");
    DRIVE_LIST = "kind,nextPageToken,drives($any)", Some("kind,nextPageToken,drives(id,kind,name)");
}
