//! What happens before anything serves: the data directory, its lock, the database.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::{Context, bail};
use pierhead_management::{BadLastGood, LastGoodFile};
use pierhead_store::keys::StoredKey;
use pierhead_store::{DatabaseUrl, Store};
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::Config;

/// Makes the data directory for its owner only.
pub(crate) fn data_dir(config: &Config) -> anyhow::Result<()> {
    private_folder(&config.server.data_dir)
}

/// Makes a folder that only its owner may enter, unless it is there.
pub(crate) fn private_folder(folder: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("making the data directory {}", folder.display()))
}

/// Takes the data directory for this process; the lock goes with the returned file. Two servers on one
/// embedded database would each trust their own memory.
pub(crate) fn lock(config: &Config) -> anyhow::Result<File> {
    let path = config.server.data_dir.join("pierhead.lock");
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => bail!(
            "another pierhead uses the data directory {}; stop it, or choose another with --data-dir",
            config.server.data_dir.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("locking {}", path.display()))
        }
    }
}

/// The database, and when it is away what a node needs besides.
pub(crate) struct Opened {
    pub(crate) store: Store,
    /// The wrapped data keys that were kept beside the database, when it is away.
    pub(crate) without_database: Option<Vec<StoredKey>>,
}

/// The last good snapshot of this node.
pub(crate) fn last_good(config: &Config) -> LastGoodFile {
    LastGoodFile::in_folder(&config.server.data_dir)
}

/// Opens the database and brings it up to this version. When it does not answer and there is a last good snapshot,
/// the node starts from that.
pub(crate) async fn open_database(config: &Config) -> anyhow::Result<Opened> {
    let url = config.database_url()?;
    match Store::open(&url).await {
        Ok(store) => Ok(Opened { store: migrated(config, store).await?, without_database: None }),
        Err(away) => {
            let why = causes(&away);
            let away = anyhow::Error::new(away).context(format!("opening the database {url}"));
            match last_good(config).keys() {
                Ok(keys) => {
                    tracing::error!("the database {url} does not answer: {why}");
                    let store =
                        Store::open_unasked(&url).await.context("preparing for the database's return")?;
                    Ok(Opened { store, without_database: Some(keys) })
                }
                Err(BadLastGood::Missing(_)) => Err(away),
                Err(bad) => Err(away.context(format!("no start without the database: {bad}"))),
            }
        }
    }
}

/// Brings the database up to this version.
async fn migrated(config: &Config, store: Store) -> anyhow::Result<Store> {
    let url = config.database_url()?;
    store.migrate().await.with_context(|| format!("migrating the database {url}"))?;
    if let DatabaseUrl::Sqlite(file) = &url {
        private(file)?;
    }
    Ok(store)
}

/// The embedded database is for its owner only, whatever the umask was.
fn private(file: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for name in [file.to_owned(), format!("{file}-wal"), format!("{file}-shm")] {
        if Path::new(&name).exists() {
            std::fs::set_permissions(&name, std::fs::Permissions::from_mode(0o600))
                .with_context(|| format!("protecting {name}"))?;
        }
    }
    Ok(())
}

/// Whether the database holds data keys already, so that a missing key file is a loss.
pub(crate) async fn has_keys(config: &Config) -> bool {
    let Ok(url) = config.database_url() else { return false };
    if let DatabaseUrl::Sqlite(file) = &url
        && !Path::new(file).exists()
    {
        return false;
    }
    match Store::open(&url).await {
        Ok(store) => store.data_keys().await.is_ok_and(|keys| !keys.is_empty()),
        Err(_) => false,
    }
}

/// An error with its causes, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The gateway's address, held until the gateway itself listens on it. Links need the port before anything
/// may be served; a bound socket that does not listen takes no connections.
pub(crate) struct Reserved {
    pub(crate) address: SocketAddr,
    _socket: Socket,
}

/// Holds `address`; port 0 takes a free one.
pub(crate) fn reserve(address: SocketAddr) -> anyhow::Result<Reserved> {
    // Sharing the port with our own listeners would also share it with another server's: look first.
    if address.port() != 0 {
        std::net::TcpListener::bind(address).with_context(|| {
            format!("listening on the gateway address {address}; choose another with --gateway")
        })?;
    }
    let hold = || -> std::io::Result<Reserved> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        let address = socket.local_addr()?.as_socket().unwrap_or(address);
        Ok(Reserved { address, _socket: socket })
    };
    hold().with_context(|| format!("listening on the gateway address {address}"))
}
