//! Flags of `trace`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Flags of `trace`.
#[derive(Debug, Clone, Args)]
pub struct Trace {
    /// Which server, and as whom.
    #[command(flatten)]
    pub server: Server,
    /// Print the server's JSON instead of text for people.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: TraceCommand,
}

/// A running server. Who logs in comes from the environment: PIERHEAD_TOKEN, or PIERHEAD_USER and PIERHEAD_PASSWORD; what
/// is missing is asked for.
#[derive(Debug, Clone, Args)]
pub struct Server {
    /// Control address of a running server.
    #[arg(
        long,
        value_name = "URL",
        env = "PIERHEAD_URL",
        default_value = "http://127.0.0.1:8081",
        global = true
    )]
    pub url: String,
    /// Email of who logs in.
    #[arg(long, value_name = "EMAIL", env = "PIERHEAD_USER", global = true)]
    pub user: Option<String>,
    /// Name of the organization.
    #[arg(long, value_name = "NAME", default_value = "default", global = true)]
    pub organization: String,
    /// Name of the environment.
    #[arg(long, value_name = "NAME", default_value = "default", global = true)]
    pub environment: String,
}

/// What can be done with debug sessions.
#[derive(Debug, Clone, Subcommand)]
pub enum TraceCommand {
    /// Record what requests to a proxy go through.
    Start(Start),
    /// List sessions, or with a session what it recorded.
    List(List),
    /// Show a recorded request step by step.
    Show(Recorded),
    /// Save a session.
    Export(Export),
    /// Show an exported session again.
    Import(Import),
    /// Run a recorded request again and say what differs; ends with 1 when something does.
    Replay(Replay),
    /// End a session; what it recorded stays for an hour.
    Stop(Stop),
}

/// A name and a value.
pub type Pair = (String, String);

fn pair(text: &str) -> Result<Pair, String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Flags of `trace start`.
#[derive(Debug, Clone, Args)]
pub struct Start {
    /// Name of the API proxy.
    pub proxy: String,
    /// Name of the session; one is made otherwise.
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// Revision; the deployed one otherwise.
    #[arg(long, value_name = "NUMBER")]
    pub revision: Option<String>,
    /// How long it records.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub timeout: u64,
    /// Only requests with this header; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub header: Vec<Pair>,
    /// Only requests with this query parameter; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub query: Vec<Pair>,
    /// Only requests for which this condition holds.
    #[arg(long, value_name = "CONDITION")]
    pub when: Option<String>,
}

/// Flags of `trace list`.
#[derive(Debug, Clone, Args)]
pub struct List {
    /// Sessions of this API proxy; of all otherwise.
    pub proxy: Option<String>,
    /// What this session recorded.
    #[arg(requires = "proxy")]
    pub session: Option<String>,
    /// Only this status: 404, 4xx, or failed.
    #[arg(long, value_name = "STATUS", requires = "session")]
    pub status: Option<String>,
    /// Only requests whose path holds this.
    #[arg(long, value_name = "TEXT", requires = "session")]
    pub path: Option<String>,
}

/// One recorded request.
#[derive(Debug, Clone, Args)]
pub struct Recorded {
    /// Name of the API proxy.
    pub proxy: String,
    /// Name of the session.
    pub session: String,
    /// Id of the recorded request, as `trace list` shows it.
    pub id: String,
}

/// Flags of `trace export`.
#[derive(Debug, Clone, Args)]
pub struct Export {
    /// Name of the API proxy.
    pub proxy: String,
    /// Name of the session.
    pub session: String,
    /// An HTTP archive for other tools, which cannot be imported again.
    #[arg(long)]
    pub har: bool,
    /// The file to write; standard output otherwise.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Flags of `trace import`.
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// Name of the API proxy.
    pub proxy: String,
    /// What `trace export` saved.
    pub file: PathBuf,
    /// Name of the session; the file's otherwise.
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
}

/// Flags of `trace replay`.
#[derive(Debug, Clone, Args)]
pub struct Replay {
    /// Which request.
    #[command(flatten)]
    pub recorded: Recorded,
    /// Through which revision: a number, or draft for the design as it stands.
    #[arg(long, value_name = "NUMBER", default_value = "draft")]
    pub revision: String,
    /// Call the targets again instead of answering with what was recorded.
    #[arg(long)]
    pub live: bool,
    /// A header to set, for what an imported session does not hold; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub header: Vec<Pair>,
}

/// Flags of `trace stop`.
#[derive(Debug, Clone, Args)]
pub struct Stop {
    /// Name of the API proxy.
    pub proxy: String,
    /// Name of the session.
    pub session: String,
    /// Discard what it recorded.
    #[arg(long)]
    pub delete: bool,
}
