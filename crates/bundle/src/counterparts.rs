//! What the dialects say in different words.

use pierhead_gateway::design::Property;
use pierhead_gateway::dialect::Dialect;

use crate::write::Ledger;

/// Notes of the root document that both have: SAP's, Apigee's.
const PAIRS: &[(&str, &str)] = &[
    ("life_cycle/created_by", "CreatedBy"),
    ("life_cycle/created_at", "CreatedAt"),
    ("life_cycle/changed_by", "LastModifiedBy"),
    ("life_cycle/changed_at", "LastModifiedAt"),
];

/// What only SAP's root document has.
const OF_SAP: &[&str] = &["life_cycle", "APIState", "isVersioned", "version"];

/// What only Apigee's has and does not begin with a capital letter, as all else of it does.
const OF_APIGEE: &[&str] = &["validate", "subType"];

/// The notes in the words of a dialect; those it has no place for are left out.
pub(crate) fn annotations_in(notes: &[Property], dialect: Dialect, ledger: &mut Ledger) -> Vec<Property> {
    let mut kept = Vec::new();
    let mut lost = Vec::new();
    for note in notes {
        match name_in(&note.name, dialect) {
            Some(name) => kept.push(Property { name: name.to_owned(), value: note.value.clone() }),
            None => lost.push(note.name.as_str()),
        }
    }
    if !lost.is_empty() {
        ledger.lose("", format!("notes of the root document: {}", lost.join(", ")));
    }
    kept
}

fn name_in(name: &str, dialect: Dialect) -> Option<&str> {
    let first = name.split(['/', '@']).next().unwrap_or_default();
    match dialect {
        Dialect::Apigee => match PAIRS.iter().find(|(sap, _)| *sap == name) {
            Some((_, apigee)) => Some(apigee),
            None => (!OF_SAP.contains(&first)).then_some(name),
        },
        Dialect::Sap => match PAIRS.iter().find(|(_, apigee)| *apigee == name) {
            Some((sap, _)) => Some(sap),
            None => {
                let of_apigee = first.is_empty()
                    || OF_APIGEE.contains(&first)
                    || (first.starts_with(char::is_uppercase) && !OF_SAP.contains(&first));
                (!of_apigee).then_some(name)
            }
        },
    }
}
