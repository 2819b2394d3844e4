//! What a fresh Drive holds, so that there is something to list, download and export.

use std::io;

use super::super::state::App;
use super::node::{DOCUMENT, FOLDER, Node, PRESENTATION, SPREADSHEET};
use super::tree::Person;
use super::write::revision;

const WELCOME: &str =
    "Welcome to the sandbox of Google Drive.\nNothing here is real; everything behaves as if it were.\n";
const MINUTES: &str = "Minutes of the harbour board\n\nThe new crane arrives in spring.\nThe pier's lamps are to be repaired before winter.\n";
const BERTHS: &str = "Berth,Length,Vessel\n1,120,Marguerite\n2,95,Tern\n3,140,\n";
const SLIDES: &str = "A year at the pier\n\nBerths: 3\nVessels: 2\n";

/// Gives every account its samples.
pub(crate) fn plant(app: &App) -> io::Result<()> {
    for at in 0..app.options.users.len() {
        let person = Person::at(at);
        let root = app.tree().canonical(person, "root").to_owned();
        let folder = add(app, person, &root, "Harbour board", FOLDER, None)?;
        add(app, person, &root, "Welcome.txt", "text/plain", Some(WELCOME))?;
        add(app, person, &folder, "Minutes", DOCUMENT, Some(MINUTES))?;
        add(app, person, &folder, "Berths", SPREADSHEET, Some(BERTHS))?;
        add(app, person, &folder, "A year at the pier", PRESENTATION, Some(SLIDES))?;
    }
    Ok(())
}

fn add(
    app: &App,
    person: Person,
    parent: &str,
    name: &str,
    mime_type: &str,
    text: Option<&str>,
) -> io::Result<String> {
    let now = app.now();
    let id = app.token("1", 24);
    let mut node = Node::new(id.clone(), name.to_owned(), mime_type.to_owned(), person, now);
    node.parent = Some(parent.to_owned());
    node.download_key = app.token("", 16);
    if let Some(text) = text {
        node.original_filename = Some(name.to_owned());
        let first = revision(app, &node, app.blobs.put(text.as_bytes())?, person, now, false);
        node.revisions.push(first);
    }
    let mut tree = app.tree();
    node.permissions.push(tree.owner_permission(person));
    tree.insert(node, now);
    Ok(id)
}
