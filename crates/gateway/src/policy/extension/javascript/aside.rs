//! Scripts on a thread of their own: what they ask is answered on the thread of their exchange, which works on
//! other requests meanwhile.

use std::time::Duration;

use pierhead_script::js::{Host, HostValue, Script, ScriptError, ScriptErrorKind};
use tokio::sync::{mpsc, oneshot};

use super::host::{Answer, ExchangeHost, Operation, Outside, failed};
use super::outward;
use crate::exchange::Exchange;

/// Something a script asks of its exchange.
struct Question {
    operation: usize,
    arguments: Vec<HostValue>,
    answer: oneshot::Sender<Answer>,
}

/// The exchange as the script's thread sees it.
struct Remote(mpsc::Sender<Question>);

impl Host for Remote {
    fn call(&mut self, operation: usize, arguments: Vec<HostValue>) -> Answer {
        let gone = || failed("the request is over");
        let (answer, answered) = oneshot::channel();
        self.0.blocking_send(Question { operation, arguments, answer }).map_err(|_| gone())?;
        answered.blocking_recv().map_err(|_| gone())?
    }

    fn is_gone(&self) -> bool {
        self.0.is_closed()
    }
}

/// Runs the script. Dropping the future ends it.
pub(super) async fn run(
    script: &Script,
    outside: Outside,
    cx: &mut Exchange,
    limit: Duration,
) -> Result<(), ScriptError> {
    let ends = tokio::time::Instant::now() + limit;
    let (ask, mut questions) = mpsc::channel(1);
    let script = script.clone();
    let running = tokio::task::spawn_blocking(move || script.run(&mut Remote(ask)));
    while let Some(Question { operation, arguments, answer }) = questions.recv().await {
        let answered = match Operation::of(operation) {
            Some(Operation::Wait) => wait(cx, &arguments, ends).await,
            Some(operation) => ExchangeHost { cx, outside: &outside }.answer(operation, &arguments),
            None => Err(failed("there is no such operation")),
        };
        // A script that was ended meanwhile hears nothing any more.
        let _ = answer.send(answered);
    }
    running.await.unwrap_or_else(|_| {
        let message = "the script's thread ended before the script".to_owned();
        Err(ScriptError { kind: ScriptErrorKind::Engine, message, at: None })
    })
}

/// Waits for a call, for so many milliseconds if the script says so, and never longer than the script may run.
async fn wait(cx: &mut Exchange, arguments: &[HostValue], ends: tokio::time::Instant) -> Answer {
    let until = match arguments.get(1) {
        Some(HostValue::Number(millis)) if *millis >= 0.0 => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
            let within = Duration::from_millis(*millis as u64);
            tokio::time::Instant::now().checked_add(within).map_or(ends, |until| until.min(ends))
        }
        _ => ends,
    };
    let call = outward::call(cx, arguments).ok_or_else(|| failed("there is no such call"))?;
    let ended = tokio::time::timeout_at(until, call.finish()).await.is_ok();
    Ok(HostValue::Boolean(ended))
}
