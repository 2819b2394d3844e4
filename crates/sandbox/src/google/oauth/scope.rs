//! The scopes a client can ask for, and which ones cover a method.

/// A scope, its Drive short name if it is one of Drive's, and what the consent page says of it.
struct Scope {
    name: &'static str,
    says: &'static str,
}

const PREFIX: &str = "https://www.googleapis.com/auth/";

const SCOPES: &[Scope] = &[
    Scope { name: "openid", says: "Know who you are on this account" },
    Scope { name: "email", says: "See the e-mail address of your account" },
    Scope { name: "profile", says: "See your name and picture" },
    Scope { name: "userinfo.email", says: "See the e-mail address of your account" },
    Scope { name: "userinfo.profile", says: "See your name and picture" },
    Scope { name: "drive", says: "See, change, create and delete all of your Drive files" },
    Scope { name: "drive.file", says: "See, change, create and delete only the files you use with this app" },
    Scope { name: "drive.readonly", says: "See and download all of your Drive files" },
    Scope { name: "drive.metadata", says: "See and change information about your Drive files" },
    Scope { name: "drive.metadata.readonly", says: "See information about your Drive files" },
    Scope { name: "drive.appdata", says: "See, create and delete this app's own data in your Drive" },
    Scope { name: "drive.appfolder", says: "See, create and delete this app's own data in your Drive" },
    Scope { name: "drive.photos.readonly", says: "See the photos in your Drive" },
    Scope { name: "drive.meet.readonly", says: "See the Drive files that Meet made" },
    Scope { name: "drive.scripts", says: "Change the behaviour of your scripts" },
    Scope { name: "drive.apps.readonly", says: "See the apps of your Drive" },
];

/// What the consent page says of a scope; `None` for a scope Google would not know.
pub(crate) fn explain(scope: &str) -> Option<&'static str> {
    let short = scope.strip_prefix(PREFIX).unwrap_or(scope);
    SCOPES.iter().find(|known| known.name == short).map(|known| known.says)
}

/// Groups of methods by the scopes that cover them. Source: the `scopes` of each method in `drive.v3.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Reading metadata.
    Read,
    /// Reading contents.
    Content,
    /// Changing metadata of existing files.
    Change,
    /// Creating, copying, deleting, contents.
    Write,
    /// Only the whole Drive scope.
    Whole,
}

impl Needs {
    pub(crate) fn covered_by(self, scopes: &[String]) -> bool {
        let accepted: &[&str] = match self {
            Self::Read => &[
                "drive",
                "drive.file",
                "drive.readonly",
                "drive.metadata",
                "drive.metadata.readonly",
                "drive.appdata",
                "drive.appfolder",
                "drive.photos.readonly",
                "drive.meet.readonly",
            ],
            Self::Content => &[
                "drive",
                "drive.file",
                "drive.readonly",
                "drive.appdata",
                "drive.appfolder",
                "drive.photos.readonly",
                "drive.meet.readonly",
            ],
            Self::Change => &[
                "drive",
                "drive.file",
                "drive.metadata",
                "drive.appdata",
                "drive.appfolder",
                "drive.scripts",
            ],
            Self::Write => &["drive", "drive.file", "drive.appdata", "drive.appfolder"],
            Self::Whole => &["drive"],
        };
        scopes.iter().any(|scope| accepted.iter().any(|short| scope.strip_prefix(PREFIX) == Some(short)))
    }
}

/// Whether a grant has the Drive scope of this short name.
pub(crate) fn has(scopes: &[String], short: &str) -> bool {
    scopes.iter().any(|scope| scope.strip_prefix(PREFIX) == Some(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_only_grant_does_not_cover_writing() {
        let scopes = vec![format!("{PREFIX}drive.readonly")];
        assert!(Needs::Read.covered_by(&scopes) && Needs::Content.covered_by(&scopes));
        assert!(!Needs::Write.covered_by(&scopes) && !Needs::Change.covered_by(&scopes));
    }

    #[test]
    fn a_scope_google_does_not_know_is_not_explained() {
        assert!(explain("https://www.googleapis.com/auth/drive.file").is_some());
        assert!(explain("https://www.googleapis.com/auth/drive.everything").is_none());
    }
}
