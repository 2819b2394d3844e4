//! Uploads: written under a hidden name, shown when whole and on disk.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Buf;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use rustix::fs::{AtFlags, Mode, OFlags, fsync, linkat, openat, renameat, unlinkat};
use tokio::io::AsyncWriteExt;

use super::answer::{Fault, reply};
use super::walk::{ItemPath, Jail, Kind, kind};
use super::{Root, entry};
use crate::engine::Body;

/// `PUT`: the body becomes the file. Without `overwrite` something of that name is a conflict; a folder of
/// that name always is. Answers like `STAT`.
pub(super) async fn file(
    root: Root,
    path: ItemPath,
    overwrite: bool,
    temporary: String,
    mut body: Body,
) -> Result<Response<Body>, Fault> {
    let (jail, path, unfinished, file) = blocking(move || {
        let jail = root.open()?;
        let (unfinished, file) = Unfinished::begin(&jail, &path, overwrite, temporary)?;
        Ok((jail, path, unfinished, file))
    })
    .await?;
    let mut file = tokio::fs::File::from_std(file);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Fault::new(StatusCode::BAD_REQUEST, "the upload broke off"))?;
        if let Ok(mut data) = frame.into_data() {
            while data.has_remaining() {
                file.write_all_buf(&mut data).await?;
            }
        }
    }
    file.flush().await?;
    let file = file.into_std().await;
    let value = blocking(move || {
        fsync(&file)?;
        unfinished.finish(overwrite)?;
        entry::stat(&jail, &path)
    });
    Ok(reply(&value.await?))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the work was given up"))?
}

/// A file that has no name yet; dropping it removes it.
struct Unfinished {
    parent: Arc<OwnedFd>,
    temporary: String,
    name: String,
    done: bool,
}

impl Unfinished {
    fn begin(
        jail: &Jail,
        path: &ItemPath,
        overwrite: bool,
        temporary: String,
    ) -> Result<(Self, std::fs::File), Fault> {
        let (parent, name) = jail.parent(path)?;
        match kind(&parent, name)? {
            None => {}
            Some(Kind::File) if overwrite => {}
            Some(_) => return Err(Fault::exists()),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&parent, &*temporary, flags, Mode::from_raw_mode(0o666))?;
        let parent = Arc::new(parent);
        Ok((Self { parent, temporary, name: name.to_owned(), done: false }, file.into()))
    }

    /// Gives the file its name in one step; without `overwrite` that step fails when the name is taken.
    fn finish(mut self, overwrite: bool) -> Result<(), Fault> {
        if overwrite {
            if !matches!(kind(&self.parent, &self.name)?, None | Some(Kind::File)) {
                return Err(Fault::exists());
            }
            renameat(&*self.parent, &*self.temporary, &*self.parent, &*self.name)?;
            self.done = true;
        } else {
            // A hard link is refused by the kernel when the name exists; dropping removes the hidden one.
            linkat(&*self.parent, &*self.temporary, &*self.parent, &*self.name, AtFlags::empty())?;
        }
        fsync(&*self.parent)?;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.done {
            // A failure leaves a hidden file, which a later listing sweeps away.
            let _ = unlinkat(&*self.parent, &*self.temporary, AtFlags::empty());
        }
    }
}
