//! Running other programs.

use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command};

use anyhow::{Context, bail};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(PathBuf::from).unwrap_or_default()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Where installed tools and environments live; not in version control.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let cache = root().join(".cache");
    std::fs::create_dir_all(&cache).context("making .cache")?;
    Ok(cache)
}

/// Runs a program in the workspace's root, showing its output; fails when it does.
pub(crate) fn call(command: &mut Command) -> anyhow::Result<()> {
    eprintln!("+ {}", shown(command));
    let status =
        command.current_dir(root()).status().with_context(|| format!("starting {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs a program and returns what it prints on standard output; fails when it does.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output =
        command.current_dir(root()).output().with_context(|| format!("starting {}", shown(command)))?;
    if !output.status.success() {
        bail!("{} failed: {}\n{}", shown(command), output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program of this name can be started.
pub(crate) fn exists(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// A process of ours that ends with this value.
pub(crate) struct Running(Child);

impl Running {
    /// Starts `command` in the background.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        Ok(Self(command.spawn().with_context(|| format!("starting {}", shown(command)))?))
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// What it prints, when it was started with a pipe.
    pub(crate) fn printed(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    /// Asks it to end in order, and waits until it did.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        output(Command::new("kill").arg("-TERM").arg(self.pid().to_string()))?;
        self.0.wait().context("waiting for the end of a process")?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing useful can be done when the process is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until something accepts connections on 127.0.0.1.
pub(crate) fn wait_for_port(port: u16) -> anyhow::Result<()> {
    for _ in 0..300 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    bail!("nothing answered on port {port} within 30 seconds")
}
