//! The page that is written from the sheets.

use std::fmt::Write as _;

use super::mutation::Mutations;
use super::sheet::Sheet;

const FAMILIES: &[(&str, &str)] = &[
    ("security", "Who may call"),
    ("traffic", "How often, and what is remembered"),
    ("mediation", "What messages become"),
    ("extension", "Code, callouts and logs"),
];

/// The whole page.
pub(super) fn text(sheets: &[Sheet], mutations: &Mutations) -> String {
    let mut page = String::from(
        "# Policy reference\n\n\
         <!-- Written by `cargo xtask policies` from the fact sheets beside the policies: edit those. -->\n\n\
         Every policy that runs, with every element, attribute, variable and fault that the originals document. A\n\
         name in *shown by* is the test that fails when the line is no longer true. How to write policies:\n\
         [Write policies](write-policies.md).\n\n\
         All policies take the attributes `name`, `enabled`, `continueOnError` and `async` (without effect, as in the\n\
         originals). One that fails sets `<prefix>.<policy>.failed` and `fault.name`.\n",
    );
    for (family, title) in FAMILIES {
        let of_family = || sheets.iter().filter(|sheet| sheet.family() == *family);
        if of_family().next().is_none() {
            continue;
        }
        let _ = write!(page, "\n## {title}\n\n| policy | | in |\n|---|---|---|\n");
        for sheet in of_family() {
            let _ = writeln!(
                page,
                "| [{}](#{}) | {} | {} |",
                sheet.kind,
                sheet.kind.to_ascii_lowercase(),
                cell(&sheet.summary),
                sheet.originals.join(", ")
            );
        }
        for sheet in of_family() {
            policy(&mut page, sheet, mutations);
        }
    }
    page
}

fn policy(page: &mut String, sheet: &Sheet, mutations: &Mutations) {
    let _ = write!(page, "\n### {}\n\n{} Prefix: `{}`.\n", sheet.kind, sheet.summary, sheet.prefix);
    if let Some(mutation) = mutations.of(&sheet.kind) {
        let _ = writeln!(page, "Without its body {} of its {} tests fail.", mutation.fail, mutation.tests);
    }
    let elements = sheet.element.iter().map(|element| match (&element.test, &element.refused) {
        (Some(test), _) => [format!("`{}`", element.name), format!("`{test}`")],
        (None, reason) => [
            format!("`{}`", element.name),
            format!("refused at deploy: {}", reason.as_deref().unwrap_or_default()),
        ],
    });
    table(page, ["element", "shown by"], elements);
    let variables = sheet.variable.iter().map(|v| [format!("`{}`", v.name), format!("`{}`", v.test)]);
    table(page, ["variable", "shown by"], variables);
    let faults =
        sheet.fault.iter().map(|f| [format!("`{}`", f.code), f.status.clone(), format!("`{}`", f.test)]);
    table(page, ["fault", "status", "shown by"], faults);
    let rules = sheet.deploy.iter().map(|rule| [format!("`{}`", rule.rule), format!("`{}`", rule.test)]);
    table(page, ["refused at deploy", "shown by"], rules);
}

fn table<const N: usize>(page: &mut String, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = writeln!(page, "\n| {} |\n|{}", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(page, "| {} |", row.map(|text| cell(&text)).join(" | "));
    }
}

/// Text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
