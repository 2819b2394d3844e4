//! `GET /search`.

use serde_json::json;

use super::hub::{Hub, Vendor, encode, names};
use super::shape::expect_item;

async fn found(hub: &Hub, query: &str) -> Vec<String> {
    let list = hub.json(&format!("/search?{query}&where={}", encode("name like 'q%'"))).await;
    let mut names = names(&list);
    names.sort();
    names
}

on_every_vendor! {
    async fn a_search_finds_files_wherever_they_lie(hub: &Hub) {
        hub.upload("/one/q-alpha.txt", b"x").await;
        hub.upload("/one/two/q-beta.csv", b"x").await;
        hub.upload("/three/q-gamma.txt", b"x").await;
        assert_eq!(found(hub, "").await, ["q-alpha.txt", "q-beta.csv", "q-gamma.txt"]);
        assert_eq!(found(hub, "extension=txt").await, ["q-alpha.txt", "q-gamma.txt"]);
        assert_eq!(found(hub, "extension=.csv").await, ["q-beta.csv"]);
        assert_eq!(found(hub, "text=alpha").await, ["q-alpha.txt"]);
        assert_eq!(found(hub, "startDate=2020-01-01T00:00:00Z").await.len(), 3);
        assert_eq!(found(hub, "endDate=2020-01-01T00:00:00Z").await.len(), 0);
        assert_eq!(found(hub, "startDate=2020-01-01&endDate=2200-01-01").await.len(), 3);
        let tagged = found(hub, "tags[]=blue").await;
        assert_eq!(tagged.len(), 0);

        let list = hub.json(&format!("/search?orderBy=name&where={}", encode("name='q-beta.csv'"))).await;
        expect_item(&list[0], "/one/two/q-beta.csv", false);
        let bare = format!("/search?calculateFolderPath=false&where={}", encode("name='q-beta.csv'"));
        let list = hub.json(&bare).await;
        assert!(list[0].get("path").is_none() && list[0]["name"] == "q-beta.csv", "{list}");
        let list = hub.json(&format!("{bare}&raw=true")).await;
        assert!(list[0]["raw"].is_object(), "{list}");
    }

    async fn searching_by_path_finds_that_item_only(hub: &Hub) {
        hub.upload("/in/deep/file.txt", b"x").await;
        for query in [
            "path=/in/deep".to_owned(), format!("where={}", encode("path = '/in/deep'")), "path=/in/deep/".to_owned(),
        ] {
            let list = hub.json(&format!("/search?{query}")).await;
            assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
            expect_item(&list[0], "/in/deep", true);
        }
        let list = hub.json("/search?path=/in/deep&calculateFolderPath=false").await;
        assert!(list[0].get("path").is_none(), "{list}");
        assert_eq!(hub.json("/search?path=/nowhere").await, json!([]));
        let within = hub.json(&format!("/search?path=/in/deep&where={}", encode("name like '%.txt'"))).await;
        assert_eq!(names(&within), ["file.txt"]);
        let both = format!("/search?where={}", encode("path = '/in/deep' and extension = 'txt'"));
        assert_eq!(names(&hub.json(&both).await), ["file.txt"]);
    }

    async fn a_search_comes_in_pages(hub: &Hub) {
        for number in 0..5 {
            hub.upload(&format!("/p{number}/page {number}.log"), b"x").await;
        }
        let base = "/search?extension=log&orderBy=name";
        let (mut walked, mut token) = (Vec::new(), String::new());
        loop {
            let answer = hub.get(&format!("{base}&pageSize=2&nextPage={token}")).await.expect_status(200);
            let page = names(&answer.json());
            assert_eq!(answer.header("elements-returned-count"), page.len().to_string());
            assert!(page.len() <= 2);
            walked.extend(page);
            token = answer.header("elements-next-page-token").to_owned();
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(walked, (0..5).map(|number| format!("page {number}.log")).collect::<Vec<_>>());
        let two = names(&hub.json(&format!("{base}&pageSize=2&page=2")).await);
        assert_eq!(two, walked[2..4]);
        let counted = hub.get(&format!("{base}&pageSize=1&returnCount=true")).await;
        assert_eq!(counted.header("elements-total-count"), "5");
        assert_eq!(hub.json(&format!("{base}&page=9")).await, json!([]));
    }

    async fn a_search_that_makes_no_sense_is_400(hub: &Hub) {
        for query in ["where=name+~+1", "pageSize=0", "page=x", "path=relative", "path=/../x", "orderBy=,", "startDate=soon", "endDate=13"] {
            hub.refused(400, "GET", &format!("/search?{query}"), None).await;
        }
        assert_eq!(hub.call("POST", "/search", Some(&json!({}))).await.status, 405);
    }

    async fn tags_are_found_where_they_are_kept(hub: &Hub) {
        for (name, tags) in [("x.txt", "red,it's"), ("y.txt", "red,blue"), ("z.txt", "blue")] {
            let target = format!("/files?path=/tagged/{name}&tags[]={}", encode(tags));
            hub.try_upload("POST", &target, b"x").await.expect_status(200);
        }
        let mut both = names(&hub.json("/search?tags[]=red").await);
        both.sort();
        let kept = hub.vendor == Vendor::GoogleDrive;
        assert_eq!(both, if kept { vec!["x.txt", "y.txt"] } else { vec![] });
        if kept {
            assert_eq!(names(&hub.json("/search?tags[]=red,blue").await), ["y.txt"]);
            assert_eq!(names(&hub.json("/search?tags[]=red&tags[]=blue").await), ["y.txt"]);
            assert_eq!(names(&hub.json(&format!("/search?tags[]={}", encode("it's"))).await), ["x.txt"]);
        }
    }
}
