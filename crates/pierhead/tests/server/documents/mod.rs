//! The documents hub over the wire, every row of open-connectors §10, told once and run against three
//! vendors: a real directory, the Google Drive double, and a real WebDAV server where
//! `PIERHEAD_TEST_WEBDAV_URL` names one. Reads also go through an API proxy.

/// Makes one test of each story and each vendor.
macro_rules! on_every_vendor {
    ($($(#[$note:meta])* async fn $story:ident($hub:ident: &Hub) $body:block)*) => {$(
        mod $story {
            use super::*;

            $(#[$note])*
            async fn story($hub: &Hub) $body

            #[tokio::test]
            async fn folder() {
                let hub = Hub::folder().await;
                story(&hub).await;
                hub.end().await;
            }

            #[tokio::test]
            async fn googledrive() {
                let hub = Hub::googledrive().await;
                story(&hub).await;
                hub.end().await;
            }

            #[tokio::test]
            async fn webdav() {
                let Some(hub) = Hub::webdav().await else { return };
                story(&hub).await;
                hub.end().await;
            }
        }
    )*};
}

mod changes;
mod content;
mod copies;
mod drive;
mod every_call;
mod folders;
mod hub;
mod links;
mod listing;
mod names;
mod search;
mod shape;
mod unfinished;
mod uploads;
