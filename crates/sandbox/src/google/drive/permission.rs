//! Who may do what with a file.

use pierhead_domain::EpochMillis;

/// What a permission allows, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Reader,
    Commenter,
    Writer,
    Owner,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Commenter => "commenter",
            Self::Writer => "writer",
            Self::Owner => "owner",
        }
    }

    /// The role of this name; roles of shared drives are not here.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Reader, Self::Commenter, Self::Writer, Self::Owner]
            .into_iter()
            .find(|role| role.name() == name)
    }
}

/// Whom a permission is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grantee {
    User(String),
    Group(String),
    Domain(String),
    /// Whoever has the link, or, when discoverable, whoever searches.
    Anyone,
}

impl Grantee {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::Domain(_) => "domain",
            Self::Anyone => "anyone",
        }
    }

    pub(crate) fn email(&self) -> Option<&str> {
        match self {
            Self::User(email) | Self::Group(email) => Some(email),
            Self::Domain(_) | Self::Anyone => None,
        }
    }

    pub(crate) fn covers(&self, email: &str) -> bool {
        match self {
            Self::User(named) => named.eq_ignore_ascii_case(email),
            Self::Group(_) => false,
            Self::Domain(domain) => {
                email.rsplit_once('@').is_some_and(|(_, of)| of.eq_ignore_ascii_case(domain))
            }
            Self::Anyone => true,
        }
    }
}

/// One entry of a file's access list.
#[derive(Debug, Clone)]
pub(crate) struct Permission {
    pub(crate) id: String,
    pub(crate) grantee: Grantee,
    pub(crate) role: Role,
    pub(crate) display_name: Option<String>,
    pub(crate) discoverable: bool,
    pub(crate) expires: Option<EpochMillis>,
    pub(crate) pending_owner: bool,
}

impl Permission {
    pub(crate) fn in_force(&self, now: EpochMillis) -> bool {
        self.expires.is_none_or(|at| at > now)
    }

    /// Whether a file shows up in searches by this permission, not only by its link.
    pub(crate) fn makes_listed(&self) -> bool {
        match self.grantee {
            Grantee::User(_) | Grantee::Group(_) => true,
            Grantee::Domain(_) | Grantee::Anyone => self.discoverable,
        }
    }
}
