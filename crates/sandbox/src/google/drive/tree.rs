//! Everybody's files: where they lie, who sees them, and what happened to them.

use std::collections::{BTreeSet, HashMap, HashSet};

use pierhead_domain::{EpochMillis, SharedRng};

use super::super::options::Account;
use super::super::problem::Problem;
use super::super::state::random_text;
use super::node::{FOLDER, Node};
use super::people::Member;
pub(crate) use super::people::{Person, Viewer};
use super::permission::{Grantee, Permission, Role};

/// Something happened to a file; the changes feed replays these.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) file_id: String,
    pub(crate) at: EpochMillis,
    pub(crate) removed: bool,
    /// Who could see the file when it happened.
    pub(crate) audience: Vec<Person>,
}

/// A permission as it stands on a file, given there or on a folder above.
#[derive(Debug, Clone)]
pub(crate) struct Effective {
    pub(crate) permission: Permission,
    /// The folder it comes from, when it is not the file itself.
    pub(crate) inherited_from: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Tree {
    members: Vec<Member>,
    nodes: HashMap<String, Node>,
    children: HashMap<String, BTreeSet<String>>,
    changes: Vec<Change>,
    /// Ids handed out by `generateIds` and not used yet.
    reserved: HashSet<String>,
}

impl Tree {
    pub(crate) fn new(accounts: &[Account], now: EpochMillis, rng: &SharedRng) -> Self {
        let mut tree = Self {
            members: Vec::new(),
            nodes: HashMap::new(),
            children: HashMap::new(),
            changes: Vec::new(),
            reserved: HashSet::new(),
        };
        for (at, account) in accounts.iter().enumerate() {
            let person = Person::at(at);
            let root = format!("{}Uk9PVA", random_text(rng, "0A", 8));
            let app_data = random_text(rng, "1", 24);
            tree.members.push(Member {
                account: account.clone(),
                permission_id: digits(rng),
                root: root.clone(),
                app_data: app_data.clone(),
            });
            for (id, name) in [(root, "My Drive"), (app_data, "App data")] {
                let mut node = Node::new(id, name.to_owned(), FOLDER.to_owned(), person, now);
                node.permissions.push(tree.owner_permission(person));
                tree.nodes.insert(node.id.clone(), node);
            }
        }
        tree
    }

    pub(crate) fn person(&self, email: &str) -> Option<Person> {
        let at = self.members.iter().position(|member| member.account.email.eq_ignore_ascii_case(email))?;
        Some(Person::at(at))
    }

    pub(crate) fn member(&self, person: Person) -> &Member {
        &self.members[person.index()]
    }

    pub(crate) fn email(&self, person: Person) -> &str {
        &self.member(person).account.email
    }

    pub(crate) fn permission_id(&self, person: Person) -> &str {
        &self.member(person).permission_id
    }

    pub(crate) fn owner_permission(&self, person: Person) -> Permission {
        let member = self.member(person);
        Permission {
            id: member.permission_id.clone(),
            grantee: Grantee::User(member.account.email.clone()),
            role: Role::Owner,
            display_name: Some(member.account.display_name.clone()),
            discoverable: false,
            expires: None,
            pending_owner: false,
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Node> {
        self.nodes.get(id)
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    pub(crate) fn children(&self, id: &str) -> impl Iterator<Item = &Node> {
        self.children.get(id).into_iter().flatten().filter_map(|child| self.nodes.get(child))
    }

    /// The file and the folders above it, nearest first.
    pub(crate) fn lineage<'t>(&'t self, id: &str) -> impl Iterator<Item = &'t Node> {
        std::iter::successors(self.nodes.get(id), |node| self.nodes.get(node.parent.as_deref()?))
    }

    pub(crate) fn is_root(&self, id: &str) -> bool {
        self.members.iter().any(|member| member.root == id || member.app_data == id)
    }

    /// Whether the file lies in somebody's app data folder, or is one.
    pub(crate) fn in_app_data(&self, id: &str) -> bool {
        let top = self.lineage(id).last().map(|node| node.id.as_str());
        self.members.iter().any(|member| Some(member.app_data.as_str()) == top)
    }

    /// Whether the file or a folder above it was put into the trash.
    pub(crate) fn trashed(&self, id: &str) -> bool {
        self.lineage(id).any(|node| node.explicitly_trashed)
    }

    /// What a person may do with a file; `None` when it is none of theirs.
    pub(crate) fn role(&self, person: Person, id: &str, now: EpochMillis) -> Option<Role> {
        self.role_by(person, id, now, |_| true)
    }

    fn role_by(
        &self,
        person: Person,
        id: &str,
        now: EpochMillis,
        counts: impl Fn(&Permission) -> bool,
    ) -> Option<Role> {
        let email = self.email(person);
        self.lineage(id)
            .flat_map(|node| &node.permissions)
            .filter(|given| given.in_force(now) && given.grantee.covers(email) && counts(given))
            .map(|given| given.role)
            .max()
    }

    fn shows(&self, viewer: Viewer, node: &Node) -> bool {
        if self.in_app_data(&node.id) {
            return viewer.app_data && node.owner == viewer.person;
        }
        viewer.every_file || node.made_by_app || self.is_root(&node.id)
    }

    /// Whether a file shows up in the viewer's lists.
    pub(crate) fn listed(&self, viewer: Viewer, node: &Node, now: EpochMillis) -> bool {
        self.shows(viewer, node)
            && self.role_by(viewer.person, &node.id, now, Permission::makes_listed).is_some()
    }

    /// The id behind an alias (`root`, `appDataFolder`) or an id.
    pub(crate) fn canonical<'i>(&'i self, person: Person, id: &'i str) -> &'i str {
        match id {
            "root" => &self.member(person).root,
            "appDataFolder" => &self.member(person).app_data,
            id => id,
        }
    }

    /// The file of this id or alias, as far as the viewer can see it, with the viewer's role.
    pub(crate) fn visible(
        &self,
        viewer: Viewer,
        id: &str,
        now: EpochMillis,
    ) -> Result<(&Node, Role), Problem> {
        let gone = || Problem::no_file(id);
        let node = self.nodes.get(self.canonical(viewer.person, id)).ok_or_else(gone)?;
        if id == "appDataFolder" && !viewer.app_data {
            return Err(Problem::insufficient_scopes());
        }
        let role = self.role(viewer.person, &node.id, now).filter(|_| self.shows(viewer, node));
        Ok((node, role.ok_or_else(gone)?))
    }

    /// As [`Self::visible`], insisting on a role.
    pub(crate) fn permitted(
        &self,
        viewer: Viewer,
        id: &str,
        least: Role,
        now: EpochMillis,
    ) -> Result<&Node, Problem> {
        let (node, role) = self.visible(viewer, id, now)?;
        if role < least { Err(Problem::no_permission(id)) } else { Ok(node) }
    }

    /// Every permission in force on a file: of a grantee's several, the strongest.
    pub(crate) fn effective(&self, id: &str, now: EpochMillis) -> Vec<Effective> {
        let mut all: Vec<Effective> = Vec::new();
        for node in self.lineage(id) {
            let inherited_from = (node.id != id).then(|| node.id.clone());
            for permission in node.permissions.iter().filter(|permission| permission.in_force(now)) {
                match all.iter_mut().find(|known| known.permission.id == permission.id) {
                    Some(known) if known.permission.role >= permission.role => {}
                    Some(known) => known.permission.role = permission.role,
                    None => {
                        let permission = permission.clone();
                        all.push(Effective { permission, inherited_from: inherited_from.clone() });
                    }
                }
            }
        }
        all
    }

    /// Bytes that count against a person's quota, and those of them in the trash.
    pub(crate) fn usage(&self, person: Person) -> (u64, u64) {
        let owned = self.nodes.values().filter(|node| node.owner == person);
        owned.fold((0, 0), |(all, trash), node| {
            let bytes = node.quota_bytes();
            (all + bytes, if self.trashed(&node.id) { trash + bytes } else { trash })
        })
    }

    /// Adds a new file under its parent.
    pub(crate) fn insert(&mut self, node: Node, now: EpochMillis) {
        if let Some(parent) = &node.parent {
            self.children.entry(parent.clone()).or_default().insert(node.id.clone());
        }
        self.reserved.remove(&node.id);
        let id = node.id.clone();
        self.nodes.insert(id.clone(), node);
        self.record(&id, now, false);
    }

    /// Changes a file in place; its version grows and the change is recorded for all who saw it before.
    pub(crate) fn change<R>(
        &mut self,
        id: &str,
        now: EpochMillis,
        edit: impl FnOnce(&mut Node) -> R,
    ) -> Result<R, Problem> {
        let before = self.audience(id, now);
        let node = self.nodes.get_mut(id).ok_or_else(|| Problem::no_file(id))?;
        let result = edit(node);
        node.version += 1;
        self.record(id, now, false);
        if let Some(change) = self.changes.last_mut() {
            let lost = before.into_iter().filter(|person| !change.audience.contains(person));
            let lost: Vec<Person> = lost.collect();
            change.audience.extend(lost);
        }
        Ok(result)
    }

    /// Puts a file under another folder. Refuses to put a folder into itself.
    pub(crate) fn relocate(&mut self, id: &str, to: Option<String>, now: EpochMillis) -> Result<(), Problem> {
        if let Some(to) = &to
            && self.lineage(to).any(|folder| folder.id == id)
        {
            return Err(Problem::bad_request("A folder cannot be moved into itself or a folder below it."));
        }
        let from = self.nodes.get(id).and_then(|node| node.parent.clone());
        if let Some(siblings) = from.and_then(|from| self.children.get_mut(&from)) {
            siblings.remove(id);
        }
        if let Some(to) = &to {
            self.children.entry(to.clone()).or_default().insert(id.to_owned());
        }
        self.change(id, now, |node| node.parent = to)
    }

    /// Deletes a file for good, with everything below it.
    pub(crate) fn remove(&mut self, id: &str, now: EpochMillis) {
        let below: Vec<String> = self.children(id).map(|child| child.id.clone()).collect();
        for child in below {
            self.remove(&child, now);
        }
        self.record(id, now, true);
        self.children.remove(id);
        if let Some(node) = self.nodes.remove(id)
            && let Some(siblings) = node.parent.and_then(|parent| self.children.get_mut(&parent))
        {
            siblings.remove(id);
        }
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    pub(crate) fn reserve(&mut self, id: String) {
        self.reserved.insert(id);
    }

    pub(crate) fn is_reserved(&self, id: &str) -> bool {
        self.reserved.contains(id)
    }

    fn audience(&self, id: &str, now: EpochMillis) -> Vec<Person> {
        let everybody = (0..self.members.len()).map(Person::at);
        everybody.filter(|person| self.role(*person, id, now).is_some()).collect()
    }

    fn record(&mut self, id: &str, at: EpochMillis, removed: bool) {
        let audience = self.audience(id, at);
        self.changes.push(Change { file_id: id.to_owned(), at, removed, audience });
    }
}

/// Twenty digits, as Google's permission ids have.
pub(crate) fn digits(rng: &SharedRng) -> String {
    let mut random = [0u8; 19];
    rng.fill(&mut random);
    let tail = random.iter().map(|byte| char::from(b'0' + byte % 10));
    std::iter::once('1').chain(tail).collect()
}
