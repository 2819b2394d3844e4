//! `pierhead serve`.

use crate::cli::Serve;
use crate::commands::{run_until_stopped, say};
use crate::config::Config;
use crate::server::{Parts, Server};
use crate::telemetry;

pub(super) async fn run(arguments: Serve) -> anyhow::Result<()> {
    let file = arguments.settings.config.as_deref();
    if arguments.print_config {
        let origins = Config::origins(file, arguments.flags())?;
        let widest = origins.iter().map(|origin| origin.key.len() + origin.value.len()).max().unwrap_or(0);
        for origin in origins {
            let pad = widest - origin.key.len() - origin.value.len() + 2;
            say(&format!("{} = {}{:pad$}# {}", origin.key, origin.value, "", origin.source));
        }
        return Ok(());
    }
    let config = Config::load(file, arguments.flags())?;
    telemetry::start(&config.log);
    let server = Server::start(config, Parts::system()).await?;
    say(&format!("gateway  http://{}", server.gateway()));
    for address in server.gateway_tls() {
        say(&format!("gateway  https://{address}"));
    }
    say(&format!("control  http://{}  console at /console", server.control()));
    for address in server.control_tls() {
        say(&format!("control  https://{address}"));
    }
    if let Some(news) = server.first_start() {
        say(&news.to_string());
    }
    run_until_stopped(server).await
}
