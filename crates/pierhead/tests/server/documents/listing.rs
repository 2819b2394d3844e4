//! `GET /folders/contents` and `/folders/{id}/contents`: pages, conditions, orders.

use serde_json::{Value, json};

use super::hub::{Hub, Vendor, both, encode, names};
use super::shape::expect_item;

/// Seven items, one of them a folder.
async fn stock(hub: &Hub) -> Value {
    for (name, size) in
        [("a.txt", 1), ("b.csv", 20), ("c.txt", 300), ("d'oh.txt", 4), ("e.pdf", 5), ("f.txt", 60)]
    {
        let target = format!("/files?path=/s/{}", encode(name));
        let request = hub.request(http::Method::POST, &target);
        let kind = match name.rsplit('.').next() {
            Some("csv") => "text/csv",
            Some("pdf") => "application/pdf",
            _ => "text/plain",
        };
        hub.send(request.file(name, kind, &vec![b'x'; size])).await.expect_status(200);
    }
    hub.make_folder("/s/sub").await;
    hub.json("/folders/metadata?path=/s").await
}

async fn listed(hub: &Hub, target: &str) -> Vec<String> {
    let answer = hub.get(target).await.expect_status(200);
    let list = answer.json();
    assert_eq!(
        answer.header("elements-returned-count"),
        list.as_array().unwrap().len().to_string(),
        "{target}"
    );
    names(&list)
}

on_every_vendor! {
    async fn a_folder_lists_its_items_by_path_and_by_id(hub: &Hub) {
        let folder = stock(hub).await;
        for target in both("folders", &folder, "/contents") {
            let list = hub.json(&target).await;
            for item in list.as_array().unwrap() {
                let name = item["name"].as_str().unwrap();
                expect_item(item, &format!("/s/{name}"), name == "sub");
                assert_eq!(item["parentFolderId"], folder["id"]);
            }
            let mut found = names(&list);
            found.sort();
            assert_eq!(found, ["a.txt", "b.csv", "c.txt", "d'oh.txt", "e.pdf", "f.txt", "sub"]);

            let list = hub.json(&format!("{target}&calculateFolderPath=false")).await;
            assert!(list.as_array().unwrap().iter().all(|item| item.get("path").is_none()), "{list}");
            let list = hub.json(&format!("{target}&raw=true")).await;
            assert!(list.as_array().unwrap().iter().all(|item| item["raw"].is_object()), "{list}");
        }
        let root = hub.json("/folders/root/contents").await;
        assert!(names(&root).contains(&"s".to_owned()), "{root}");
        hub.refused(404, "GET", "/folders/contents?path=/nothing", None).await;
        hub.refused(404, "GET", "/folders/no-such-id/contents", None).await;
        hub.refused(404, "GET", "/folders/contents?path=/s/a.txt", None).await;
        hub.refused(400, "GET", "/folders/contents", None).await;
        assert_eq!(hub.json("/folders/contents?path=/s/sub").await, json!([]));
    }

    async fn pages_obey_their_laws(hub: &Hub) {
        let folder = stock(hub).await;
        for base in both("folders", &folder, "/contents") {
            for order in ["", "&orderBy=name desc", "&orderBy=size", "&where=directory=false"] {
                let base = format!("{base}{}", encode_query(order));
                let all = listed(hub, &base).await;
                for size in [1, 2, 3] {
                    // Page one and page two of a size are page one of twice the size.
                    let one = listed(hub, &format!("{base}&pageSize={size}&page=1")).await;
                    let two = listed(hub, &format!("{base}&pageSize={size}&page=2")).await;
                    let double = listed(hub, &format!("{base}&pageSize={}", 2 * size)).await;
                    assert_eq!([one, two].concat(), double, "{base} {size}");

                    // Walking by token meets every item once; the token is there exactly when more follows.
                    let (mut walked, mut token) = (Vec::new(), String::new());
                    loop {
                        let target = format!("{base}&pageSize={size}&nextPage={token}");
                        let answer = hub.get(&target).await.expect_status(200);
                        let page = names(&answer.json());
                        assert!(!page.is_empty() && page.len() <= size, "{target}: {page:?}");
                        walked.extend(page);
                        token = answer.header("elements-next-page-token").to_owned();
                        assert_eq!(token.is_empty(), walked.len() == all.len(), "{target}: {walked:?}");
                        if token.is_empty() {
                            break;
                        }
                    }
                    assert_eq!(walked, all, "{base} {size}");
                }
                let past = hub.get(&format!("{base}&pageSize=5&page=9")).await.expect_status(200);
                assert_eq!((past.json(), past.header("elements-next-page-token")), (json!([]), ""));
            }
        }
    }

    async fn counts_are_told_in_headers(hub: &Hub) {
        stock(hub).await;
        let base = "/folders/contents?path=/s&pageSize=2";
        let plain = hub.get(base).await;
        assert_eq!((plain.header("elements-returned-count"), plain.header("elements-total-count")), ("2", ""));
        for asked in ["returnCount", "returnTotalCount"] {
            let counted = hub.get(&format!("{base}&{asked}=true")).await;
            let told = (counted.header("elements-returned-count"), counted.header("elements-total-count"));
            assert_eq!(told, ("2", "7"));
        }
        let filtered = hub.get(&format!("{base}&returnCount=true&where=extension%3D'txt'")).await;
        assert_eq!(filtered.header("elements-total-count"), "4");
    }

    async fn conditions_select_and_orders_sort(hub: &Hub) {
        stock(hub).await;
        let base = "/folders/contents?path=/s&orderBy=name";
        for (condition, expected) in [
            ("name='a.txt'", vec!["a.txt"]),
            ("name = 'd''oh.txt'", vec!["d'oh.txt"]),
            ("name='nothing'", vec![]),
            ("name LIKE '%.txt'", vec!["a.txt", "c.txt", "d'oh.txt", "f.txt"]),
            ("name like 'C%'", vec!["c.txt"]),
            ("name IN ('a.txt', 'e.pdf', 'zz')", vec!["a.txt", "e.pdf"]),
            ("extension='csv'", vec!["b.csv"]),
            ("extension in ('csv','pdf')", vec!["b.csv", "e.pdf"]),
            ("mimeType='application/pdf'", vec!["e.pdf"]),
            ("properties.mimeType='text/csv'", vec!["b.csv"]),
            ("directory=true", vec!["sub"]),
            ("size >= 60 and directory = false", vec!["c.txt", "f.txt"]),
            ("not (extension='txt') and directory=false", vec!["b.csv", "e.pdf"]),
            ("(name='a.txt' or name='b.csv') and size < 10", vec!["a.txt"]),
            ("modifiedDate > '2020-01-01T00:00:00Z' and name != 'a.txt' and extension = 'txt'",
                vec!["c.txt", "d'oh.txt", "f.txt"]),
            ("modifiedDate < '2020-01-01T00:00:00Z'", vec![]),
        ] {
            let target = format!("{base}&where={}", encode(condition));
            assert_eq!(listed(hub, &target).await, expected, "{condition}");
        }
        let by = async |order: &str| {
            listed(hub, &format!("/folders/contents?path=/s&where=extension%3D'txt'&orderBy={}", encode(order))).await
        };
        assert_eq!(by("name desc").await, ["f.txt", "d'oh.txt", "c.txt", "a.txt"]);
        assert_eq!(by("size asc").await, ["a.txt", "d'oh.txt", "f.txt", "c.txt"]);
        assert_eq!(by("size desc, name").await, ["c.txt", "f.txt", "d'oh.txt", "a.txt"]);
        for order in ["modifiedDate asc", "createdDate desc"] {
            assert_eq!(by(order).await.len(), 4, "{order}");
        }
        // What the vendor could not do is named.
        let local = hub.get("/folders/contents?path=/s&where=extension%3D'txt'").await;
        assert_eq!(local.header("pierhead-filtered-locally"), "extension");
        let pushed = hub.get("/folders/contents?path=/s&where=name%3D'a.txt'").await;
        let told = pushed.header("pierhead-filtered-locally");
        assert_eq!(told, if hub.vendor == Vendor::GoogleDrive { "" } else { "name" });
    }

    async fn bad_parameters_are_400(hub: &Hub) {
        for parameter in [
            "page=0", "page=-1", "page=x", "pageSize=0", "pageSize=x", "pageSize=100000", "nextPage=nonsense",
            "where=name ~ 1", "where=name =", "where='a'", "where=(name='a'", "orderBy=name sideways", "orderBy=,",
        ] {
            let target = format!("/folders/contents?path=/&{}", encode_query(parameter));
            let answer = hub.get(&target).await.expect_status(400);
            if parameter.starts_with("where") {
                let message = answer.json()["message"].as_str().unwrap().to_owned();
                assert!(message.contains("Error parsing query"), "{message}");
            }
        }
    }
}

/// A query with its separators left alone.
fn encode_query(query: &str) -> String {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => format!("{name}={}", encode(value)),
        None => pair.to_owned(),
    };
    query.split('&').map(pair).collect::<Vec<_>>().join("&")
}
