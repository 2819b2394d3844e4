//! A real WebDAV server (WsgiDAV) over a folder of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::peers::python;
use crate::run::{Running, free_port, wait_for_port};

/// A running server with the user `pier` and the password `head-1`.
pub(crate) struct WebDav {
    _server: Running,
    folder: PathBuf,
    /// Base address.
    pub(crate) url: String,
}

/// Who may log in.
pub(crate) const USER: &str = "pier";
/// The password of [`USER`].
pub(crate) const PASSWORD: &str = "head-1";

impl WebDav {
    /// Starts the server on a free port of 127.0.0.1.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let programs = python::environment("webdav", &["wsgidav==4.3.3", "cheroot==10.0.1"])?;
        let folder = std::env::temp_dir().join(format!("pierhead-webdav-{}", std::process::id()));
        let root = folder.join("root");
        std::fs::create_dir_all(&root)?;
        let port = free_port()?;
        let config = folder.join("wsgidav.json");
        let text = serde_json::json!({
            "host": "127.0.0.1",
            "port": port,
            "provider_mapping": {"/": root},
            "http_authenticator": {"accept_basic": true, "accept_digest": false, "default_to_digest": false},
            "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
            "property_manager": true,
            "lock_storage": true,
            "logging": {"enable": false},
            "verbose": 1
        });
        std::fs::write(&config, text.to_string())?;
        let server = Running::start(
            Command::new(programs.join("wsgidav"))
                .arg("--config")
                .arg(&config)
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        wait_for_port(port)?;
        Ok(Self { _server: server, folder, url: format!("http://127.0.0.1:{port}/") })
    }
}

impl Drop for WebDav {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
