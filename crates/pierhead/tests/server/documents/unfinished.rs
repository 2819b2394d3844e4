//! An upload that stops midway: nothing of it shows, and nothing stays.

use std::future::Future;
use std::time::Duration;

use pierhead_testkit::raw;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::hub::{Hub, Vendor};

const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n";
/// How the hidden names of unfinished uploads begin.
const HIDDEN: &str = ".pierhead-";

fn head(hub: &Hub, framing: &str) -> String {
    format!(
        "POST /elements/api-v2/files?path=/half.bin HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\
         Authorization: {}\r\nContent-Type: multipart/form-data; boundary=b\r\n{framing}\r\n\r\n",
        hub.admin.element(&hub.token)
    )
}

/// Asks again and again until it is so.
async fn until<F: Future<Output = bool>>(what: &str, so: impl Fn() -> F) {
    let asking = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), asking).await.is_ok(), "{what}");
}

async fn nothing_shows(hub: &Hub) {
    hub.refused(404, "GET", "/files?path=/half.bin", None).await;
    let shown = hub.json("/folders/contents?path=/&where=name='half.bin'").await;
    assert_eq!(shown.as_array().unwrap().len(), 0, "{shown}");
    assert!(!hub.names("/").await.iter().any(|name| name.starts_with(HIDDEN)));
}

/// A server may hold the file a moment longer than the caller waits for its answer.
async fn nothing_stays(hub: &Hub) {
    until("the unfinished file goes", async || !hub.vendor_names().await.contains(HIDDEN)).await;
    nothing_shows(hub).await;
}

on_every_vendor! {
    async fn a_client_that_stops_gets_400_and_nothing_shows(hub: &Hub) {
        let form = format!("{FORM}{}", "half of it ".repeat(50_000));

        let cut = raw(&hub.pierhead.control(""), format!(
            "{}{form}", head(hub, &format!("Content-Length: {}", form.len()))
        ).as_bytes()).await;
        assert_eq!(cut.status, 400, "{}", cut.text);
        assert!(cut.text.contains("the upload broke off"), "{}", cut.text);
        nothing_stays(hub).await;

        // A chunk whose size is no number.
        let broken = format!("{}{:x}\r\n{form}\r\nzz\r\n", head(hub, "Transfer-Encoding: chunked"), form.len());
        let broken = raw(&hub.pierhead.control(""), broken.as_bytes()).await;
        assert_eq!(broken.status, 400, "{}", broken.text);
        nothing_stays(hub).await;
    }

    /// Nobody is there to be answered any more.
    async fn a_client_that_leaves_leaves_nothing_behind(hub: &Hub) {
        let address = hub.pierhead.control("").trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let start = format!("{}{FORM}{}", head(hub, "Content-Length: 9000000"), "half ".repeat(200_000));
        stream.write_all(start.as_bytes()).await.unwrap();
        if hub.vendor != Vendor::GoogleDrive {
            until("the upload is under way", async || hub.vendor_names().await.contains(HIDDEN)).await;
        }
        nothing_shows(hub).await;

        drop(stream);

        nothing_stays(hub).await;
        hub.upload("/half.bin", b"the whole").await;
    }
}
