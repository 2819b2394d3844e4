//! Where bundles are among files.

use std::collections::BTreeMap;

/// How the files of a bundle are laid out (api-management §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layout {
    SapProxy,
    Template,
    ApigeeProxy,
    SharedFlow,
}

/// The root folder of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    /// Without a slash at its end; empty when the files stand at the top.
    pub(crate) path: String,
    pub(crate) layout: Layout,
}

/// The bundles among files of these paths, in order of their folders.
///
/// A folder is one when it holds a subfolder that only bundles have: so a root that was renamed
/// (`OAuthResource-APIProxy`) is found too, and one that is named `apiproxy` and holds something else is not.
pub(crate) fn roots<'p>(paths: impl IntoIterator<Item = &'p str>) -> Vec<Root> {
    let mut found = BTreeMap::<&str, Layout>::new();
    for path in paths {
        let mut at = 0;
        for part in path.split('/') {
            let before = path[..at].trim_end_matches('/');
            at += part.len() + 1;
            // The last part is a file.
            if at > path.len() {
                break;
            }
            let own = before.rsplit('/').next().unwrap_or_default();
            let is_document = path.ends_with(".xml") && !path[at..].contains('/');
            let layout = match part {
                "APIProxyEndPoint" => Some(Layout::SapProxy),
                "sharedflows" if is_document => Some(Layout::SharedFlow),
                "proxies" if own == "apiproxy" || (before.is_empty() && is_document) => {
                    Some(Layout::ApigeeProxy)
                }
                "policies" | "targets" if own == "apiproxy" => Some(Layout::ApigeeProxy),
                "policies" if own == "sharedflowbundle" => Some(Layout::SharedFlow),
                "Policy" if before.is_empty() && is_document => Some(Layout::Template),
                "PolicyTemplateContainer" => {
                    found.entry(path[..at - 1].trim_end_matches('/')).or_insert(Layout::Template);
                    None
                }
                _ => None,
            };
            if let Some(layout) = layout {
                found.entry(before).or_insert(layout);
                break;
            }
        }
    }
    found.into_iter().map(|(path, layout)| Root { path: path.to_owned(), layout }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> Vec<(String, Layout)> {
        roots(paths.iter().copied()).into_iter().map(|root| (root.path, root.layout)).collect()
    }

    #[test]
    fn a_bundle_is_known_by_its_folders() {
        assert_eq!(
            found(&["APIProxy/a.xml", "APIProxy/APIProxyEndPoint/default.xml"]),
            [("APIProxy".into(), Layout::SapProxy)]
        );
        assert_eq!(
            found(&["x/OAuth-APIProxy/APIProxyEndPoint/default.xml"]),
            [("x/OAuth-APIProxy".into(), Layout::SapProxy)]
        );
        assert_eq!(
            found(&["apiproxy/a.xml", "apiproxy/proxies/default.xml", "README.md"]),
            [("apiproxy".into(), Layout::ApigeeProxy)]
        );
        assert_eq!(found(&["a.xml", "proxies/default.xml"]), [("".into(), Layout::ApigeeProxy)]);
        assert_eq!(
            found(&["d/sharedflowbundle/sharedflows/default.xml"]),
            [("d/sharedflowbundle".into(), Layout::SharedFlow)]
        );
        assert_eq!(
            found(&["PolicyTemplateContainer/Policy/a.xml"]),
            [("PolicyTemplateContainer".into(), Layout::Template)]
        );
    }

    #[test]
    fn two_bundles_are_two_and_other_files_are_none() {
        assert_eq!(found(&["a/apiproxy/proxies/d.xml", "b/apiproxy/proxies/d.xml"]).len(), 2);
        assert_eq!(
            found(&[
                "src/proxies/d.xml",
                "webapp/view/a.xml",
                "sharedflows/a/readme.xml",
                "policies/a.xml",
                "apiproxy",
                "PolicyTemplateContainer"
            ])
            .len(),
            0
        );
    }
}
