//! The command line: what a person may type, and the configuration flags it sets.

pub mod trace;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;

use crate::config::{Flags, tls};

/// Pierhead: an API gateway, a connector hub and an app platform in one program.
#[derive(Debug, Parser)]
#[command(name = "pierhead", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    Serve(Serve),
    /// Serve one proxy bundle on this machine: no database, no set-up.
    Run(Run),
    /// Say what of a proxy bundle would run, and what is odd about it.
    Check(Check),
    /// Write a proxy bundle in SAP's or Apigee's layout.
    Convert(Convert),
    /// Record, list, show, export, import and replay requests of a running server.
    Trace(trace::Trace),
    /// Show the main job, end to end, over real HTTP on this machine.
    Demo(Demo),
    /// Run a vendor double alone.
    Sandbox {
        /// Which vendor.
        #[command(subcommand)]
        vendor: SandboxVendor,
    },
    /// Bring the database's schema up to this version.
    Migrate(Settings),
    /// Check configuration, database, keys, clock and ports.
    Doctor(Settings),
    /// Print the version.
    Version,
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Flags that set configuration, shared by all commands that read it.
#[derive(Debug, Clone, Default, Args)]
pub struct Settings {
    /// A configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "PIERHEAD_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where the embedded database and the key file live.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address that serves deployed API proxies.
    #[arg(long, value_name = "ADDR")]
    pub gateway: Option<SocketAddr>,
    /// Address that serves everything else.
    #[arg(long, value_name = "ADDR")]
    pub control: Option<SocketAddr>,
    /// Database address: sqlite:FILE or postgres://….
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// A network that outbound calls may reach although it is loopback or private; may be repeated.
    #[arg(long, value_name = "NET")]
    pub egress_allow: Vec<IpNet>,
    /// Base of links in answers and issuer of tokens.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// A folder with more connector definitions; may be repeated.
    #[arg(long, value_name = "DIR")]
    pub catalog: Vec<PathBuf>,
    /// What to log: trace, debug, info, warn, error, or directives.
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<String>,
}

impl Settings {
    /// The flags that were given, as configuration values.
    pub fn flags(&self) -> Flags {
        let mut flags = Flags::new();
        let mut set = |key, value: Option<String>| {
            if let Some(value) = value {
                flags.push((key, value.into()));
            }
        };
        set("server.data_dir", self.data_dir.as_ref().map(|path| path.display().to_string()));
        set("gateway.listen", self.gateway.map(|address| address.to_string()));
        set("control.listen", self.control.map(|address| address.to_string()));
        set("database.url", self.database.clone());
        set("server.public_url", self.public_url.clone());
        set("log.level", self.log.clone());
        if !self.egress_allow.is_empty() {
            let nets: Vec<String> = self.egress_allow.iter().map(ToString::to_string).collect();
            flags.push(("egress.allow", nets.into()));
        }
        if !self.catalog.is_empty() {
            let folders: Vec<String> = self.catalog.iter().map(|path| path.display().to_string()).collect();
            flags.push(("catalog.folders", folders.into()));
        }
        flags
    }
}

/// Flags of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct Serve {
    /// Configuration.
    #[command(flatten)]
    pub settings: Settings,
    /// Print one line per proxied request.
    #[arg(long)]
    pub access_log: bool,
    /// Address that serves deployed API proxies over TLS.
    #[arg(long, value_name = "ADDR", requires_all = ["gateway_cert", "gateway_key"])]
    pub gateway_tls: Option<SocketAddr>,
    /// Its certificate chain (PEM); may be repeated for several host names.
    #[arg(long, value_name = "FILE", requires = "gateway_tls")]
    pub gateway_cert: Vec<PathBuf>,
    /// The key of each --gateway-cert (PEM), in the same order.
    #[arg(long, value_name = "FILE", requires = "gateway_tls")]
    pub gateway_key: Vec<PathBuf>,
    /// Address that serves everything else over TLS.
    #[arg(long, value_name = "ADDR", requires_all = ["control_cert", "control_key"])]
    pub control_tls: Option<SocketAddr>,
    /// Its certificate chain (PEM); may be repeated for several host names.
    #[arg(long, value_name = "FILE", requires = "control_tls")]
    pub control_cert: Vec<PathBuf>,
    /// The key of each --control-cert (PEM), in the same order.
    #[arg(long, value_name = "FILE", requires = "control_tls")]
    pub control_key: Vec<PathBuf>,
    /// Print each setting, its value and where it came from, and exit.
    #[arg(long)]
    pub print_config: bool,
}

impl Serve {
    /// The flags that were given, as configuration values.
    pub fn flags(&self) -> Flags {
        let mut flags = self.settings.flags();
        if self.access_log {
            flags.push(("gateway.access_log", true.into()));
        }
        if let Some(listen) = self.gateway_tls {
            flags.push(("gateway.tls", tls::of_flags(listen, &self.gateway_cert, &self.gateway_key)));
        }
        if let Some(listen) = self.control_tls {
            flags.push(("control.tls", tls::of_flags(listen, &self.control_cert, &self.control_key)));
        }
        flags
    }
}

/// Flags of `run`.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// A bundle: an API proxy, shared flow or policy template of SAP API Management or Apigee.
    #[arg(value_name = "FOLDER|ZIP")]
    pub bundle: PathBuf,
    /// Answer every call to a target with an echo of it instead of making it.
    #[arg(long)]
    pub mock_targets: bool,
    /// An API key that gives access to everything; may be repeated.
    #[arg(long, value_name = "KEY")]
    pub key: Vec<String>,
    /// Serve the bundle anew whenever a file of it changes.
    #[arg(long)]
    pub watch: bool,
    /// Where to serve it.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Maps, servers, products and apps (TOML); pierhead-run.toml beside the bundle otherwise.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// What stands beside the bundle.
    #[command(flatten)]
    pub beside: Beside,
    /// Print one JSON object a line instead of text for people.
    #[arg(long)]
    pub json: bool,
    /// Print no line per request.
    #[arg(long)]
    pub quiet: bool,
}

/// What a bundle may need that is no part of it.
#[derive(Debug, Clone, Default, Args)]
pub struct Beside {
    /// A folder with JavaScript in place of code that cannot run here: CLASS.js of a Java class, FILE.py.js of a script.
    #[arg(long, value_name = "DIR")]
    pub substitutes: Option<PathBuf>,
    /// A key or trust store of the environment: an alias with its certificates (PEM) and, for a key store, the key
    /// of the first. May be repeated, also for other aliases of a store. Without an alias it is `default`.
    #[arg(long, value_name = "NAME[/ALIAS]=CERT[,KEY]")]
    pub keystore: Vec<String>,
    /// The key of a Google service account, to make the tokens with that the bundle's calls need.
    #[arg(long, value_name = "FILE")]
    pub google_service_account: Option<PathBuf>,
    /// The folder for files that MessageLogging writes; made by the first line.
    #[arg(long, value_name = "DIR", default_value = "message-logs")]
    pub message_logs: PathBuf,
}

/// Flags of `check`.
#[derive(Debug, Clone, Args)]
pub struct Check {
    /// A bundle: an API proxy, shared flow or policy template of SAP API Management or Apigee.
    #[arg(value_name = "FOLDER|ZIP")]
    pub bundle: PathBuf,
    /// Maps, servers, products and apps (TOML); pierhead-run.toml beside the bundle otherwise.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// What stands beside the bundle.
    #[command(flatten)]
    pub beside: Beside,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `convert`.
#[derive(Debug, Clone, Args)]
pub struct Convert {
    /// A bundle: an API proxy, shared flow or policy template of SAP API Management or Apigee.
    #[arg(value_name = "FOLDER|ZIP")]
    pub bundle: PathBuf,
    /// Whose layout to write.
    #[arg(long, value_enum)]
    pub to: Layout,
    /// The zip to write.
    #[arg(long, value_name = "ZIP")]
    pub out: PathBuf,
}

/// Layouts of bundles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Layout {
    /// SAP API Management's.
    Sap,
    /// Apigee's.
    Apigee,
}

/// Vendors with a double.
#[derive(Debug, Subcommand)]
pub enum SandboxVendor {
    /// Google Drive v3 with OAuth 2.0.
    Googledrive {
        /// Address to serve on.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
        listen: SocketAddr,
    },
}

/// Flags of `demo`.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Take free ports, exit after the last step: 0 when every step succeeded, else 1.
    #[arg(long)]
    pub once: bool,
    /// Print one JSON object a step instead of text for people.
    #[arg(long)]
    pub json: bool,
    /// The file to carry; a small one is made otherwise.
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// Which vendor holds the file.
    #[arg(long, value_enum, default_value_t = DemoVendor::Googledrive)]
    pub vendor: DemoVendor,
    /// With --vendor webdav: address of the server.
    #[arg(long, value_name = "URL", required_if_eq("vendor", "webdav"))]
    pub url: Option<String>,
    /// With --vendor webdav: who logs in. The password is read from PIERHEAD_DEMO_PASSWORD or asked for.
    #[arg(long, value_name = "NAME", required_if_eq("vendor", "webdav"))]
    pub user: Option<String>,
    /// With --vendor folder: an existing folder.
    #[arg(long, value_name = "DIR", required_if_eq("vendor", "folder"))]
    pub path: Option<PathBuf>,
    /// Where the server keeps its data; a temporary folder otherwise.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address that serves deployed API proxies.
    #[arg(long, value_name = "ADDR")]
    pub gateway: Option<SocketAddr>,
    /// Address that serves everything else.
    #[arg(long, value_name = "ADDR")]
    pub control: Option<SocketAddr>,
}

/// Vendors of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DemoVendor {
    /// The Google Drive double.
    Googledrive,
    /// A real WebDAV server.
    Webdav,
    /// A real folder of this machine.
    Folder,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn only_given_flags_change_the_configuration() {
        let Cli { command: Command::Serve(serve) } = Cli::parse_from([
            "pierhead",
            "serve",
            "--gateway",
            "127.0.0.1:9",
            "--egress-allow",
            "127.0.0.0/8",
        ]) else {
            panic!("not serve");
        };
        let keys: Vec<&str> = serve.flags().iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["gateway.listen", "egress.allow"]);
    }
}
