//! Names that are awkward in paths, queries, headers and vendors' own languages.

use super::hub::{Hub, Vendor, both};
use super::shape::expect_item;

/// WsgiDAV cuts the target of a MOVE at such characters.
const CUT: &str = "why? #1; no.txt";

const NAMES: &[&str] = &[
    "plain.txt",
    "two words.txt",
    "ä ö ü ß.txt",
    "日本 語.txt",
    "50% off.txt",
    "a%2Fb.txt",
    "it's \"quoted\".txt",
    "a&b=c.txt",
    CUT,
    "plus+sign.txt",
    "comma,and.txt",
    "back\\slash.txt",
    "emoji 🚢.txt",
    "[brackets] {braces}.txt",
    ".hidden",
    "no extension",
    "dots...txt",
];

on_every_vendor! {
    async fn a_file_of_any_name_is_found_under_it(hub: &Hub) {
        let names = NAMES.iter().filter(|name| hub.vendor != Vendor::WebDav || **name != CUT);
        for name in names.clone() {
            let path = format!("/o'dd & 100% näme/{name}");
            let content = format!("I am {name}");
            let item = hub.upload(&path, content.as_bytes()).await;
            for target in both("files", &item, "") {
                assert_eq!(hub.get(&target).await.expect_status(200).text(), content, "{target}");
            }
            for target in both("files", &item, "/metadata") {
                expect_item(&hub.json(&target).await, &path, false);
            }
        }
        let mut expected: Vec<String> = names.map(|name| (*name).to_owned()).collect();
        expected.sort();
        assert_eq!(hub.names("/o'dd & 100% näme").await, expected);
    }

    async fn names_differing_in_case_are_two(hub: &Hub) {
        hub.upload("/case/Plan.txt", b"upper").await;
        hub.upload("/case/plan.txt", b"lower").await;
        assert_eq!(hub.get("/files?path=/case/Plan.txt").await.text(), "upper");
        assert_eq!(hub.get("/files?path=/case/plan.txt").await.text(), "lower");
        hub.refused(404, "GET", "/files?path=/case/PLAN.txt", None).await;
    }
}
