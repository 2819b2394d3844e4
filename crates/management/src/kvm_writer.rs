//! Run-time writes of policies to key value maps: durable before they return, and live.

use std::error::Error;

use pierhead_domain::SecretString;
use pierhead_gateway::ports::{KvmAddress, KvmUnavailable, KvmWriter, PortFuture};
use pierhead_store::management::{MapKey, Stamp, StoredMap};

use crate::live::{LivePart, map_key};
use crate::management::Management;

/// Who makes maps at run time, for `created_by`.
const RUNTIME: &str = "runtime";

pub(crate) struct Writer(pub(crate) Management);

type Failure = Box<dyn Error + Send + Sync>;

impl KvmWriter for Writer {
    fn put(&self, at: KvmAddress, value: String, replace: bool) -> PortFuture<Result<(), KvmUnavailable>> {
        let management = self.0.clone();
        Box::pin(async move {
            let key = map_key(&at.scope, &at.map);
            // A client that leaves now must not leave a value behind that is committed and not live.
            let work = async move { put(&management, &key, &at.key, &value.into(), replace).await };
            finish(tokio::spawn(work)).await
        })
    }

    fn delete(&self, at: KvmAddress) -> PortFuture<Result<(), KvmUnavailable>> {
        let management = self.0.clone();
        Box::pin(async move {
            let key = map_key(&at.scope, &at.map);
            let work = async move { delete(&management, &key, &at.key).await };
            finish(tokio::spawn(work)).await
        })
    }
}

async fn finish(work: tokio::task::JoinHandle<Result<(), Failure>>) -> Result<(), KvmUnavailable> {
    work.await.unwrap_or_else(|stopped| Err(stopped.into())).map_err(unavailable)
}

async fn put(
    management: &Management,
    key: &MapKey,
    name: &str,
    value: &SecretString,
    replace: bool,
) -> Result<(), Failure> {
    let parts = management.parts();
    let organization = parts.organization();
    let stamp = Stamp::new(parts.clock.now().as_i64(), RUNTIME);
    let tx = parts.store.write().await?;
    // As in the original, a put makes the map that is not there.
    tx.ensure_map(organization, &StoredMap { key: key.clone(), encrypted: false, stamp }).await?;
    tx.hold_map(organization, key).await?;
    tx.put_entry(organization, key, &parts.seal_entry(key, name, value)?, replace).await?;
    parts.note(&tx, &[LivePart::Map(key.clone())]).await?;
    tx.commit().await?;
    Ok(parts.publish_map(key).await?)
}

async fn delete(management: &Management, key: &MapKey, name: &str) -> Result<(), Failure> {
    let parts = management.parts();
    let tx = parts.store.write().await?;
    let removed = tx.remove_entry(parts.organization(), key, name).await?;
    if removed {
        parts.note(&tx, &[LivePart::Map(key.clone())]).await?;
    }
    tx.commit().await?;
    if removed {
        parts.publish_map(key).await?;
    }
    Ok(())
}

fn unavailable(failure: Failure) -> KvmUnavailable {
    let mut text = failure.to_string();
    let mut source = failure.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    KvmUnavailable(text)
}
