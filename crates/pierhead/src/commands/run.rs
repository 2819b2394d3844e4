//! `pierhead run`: one bundle served on this machine, and anew when it changes.

mod voice;

use std::time::Duration;

use anyhow::Context;
use pierhead_bundle::local::{LocalGateway, Options, Served};
use pierhead_bundle::{BadBundle, Bundle, Limits, read_path, stamp};

use self::voice::Voice;
use crate::cli::Run;
use crate::commands::bundles::{beside, settings};
use crate::commands::stop_signal;

/// Between two looks at the files.
const LOOK: Duration = Duration::from_millis(250);

/// `Ok(false)` when the bundle cannot be served and nobody waits for it to change.
pub(super) async fn run(arguments: Run) -> anyhow::Result<bool> {
    let voice = Voice::new(arguments.json);
    let limits = Limits::default();
    let options = Options {
        listen: arguments.listen,
        mock_targets: arguments.mock_targets,
        keys: arguments.key.clone(),
        settings: settings(&arguments.bundle, arguments.settings.as_deref())?,
        access_log: (!arguments.quiet).then(|| voice.access_log()),
        ..beside(&arguments.beside)?
    };
    let mut seen = stamp(&arguments.bundle, &limits);
    let first = read_path(&arguments.bundle, &limits);
    if let Err(why) = &first
        && !arguments.watch
    {
        anyhow::bail!("{}: {why}", arguments.bundle.display());
    }
    let gateway =
        LocalGateway::start(options).await.with_context(|| format!("listening on {}", arguments.listen))?;
    let mut serves = serve(&gateway, first, voice, false);
    if !serves && !arguments.watch {
        gateway.stop().await;
        return Ok(false);
    }
    let stopped = stop_signal();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            stop = &mut stopped => {
                stop?;
                gateway.stop().await;
                return Ok(true);
            }
            () = tokio::time::sleep(LOOK), if arguments.watch => {
                let now = stamp(&arguments.bundle, &limits);
                // In the middle of a save there may be no file: it is looked at again when it is there.
                if now.is_some() && now != seen {
                    seen = now;
                    serves |= serve(&gateway, read_path(&arguments.bundle, &limits), voice, serves);
                }
            }
        }
    }
}

/// Serves what was read, and says so or why not; `serves_before` is whether an earlier one goes on.
fn serve(gateway: &LocalGateway, read: Result<Bundle, BadBundle>, voice: Voice, serves_before: bool) -> bool {
    match read {
        Err(why) => voice.unreadable(&why, serves_before),
        Ok(bundle) => match gateway.serve(&bundle) {
            Ok(Served { report, base_paths }) => {
                voice.serving(&report, gateway.addr(), &base_paths);
                return true;
            }
            Err(report) => voice.refused(&report, serves_before),
        },
    }
    false
}
