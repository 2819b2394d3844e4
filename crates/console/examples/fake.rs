//! The console against a stand-in for the control services, to work on its pages:
//! `cargo run -p pierhead-console --example fake`, then sign in as anybody with the password `Right-1!`.
//! With `--real`, proxies and what surrounds them are kept by the real management service, which starts empty.

#[path = "../fake/mod.rs"]
mod fake;

use std::sync::Arc;

use axum::Router;
use axum::extract::Query;
use axum::response::{Html, Redirect};
use axum::routing::get;
use pierhead_console::{ConsoleParts, ControlApi};
use pierhead_domain::{EpochMillis, StoppedClock, SystemRng};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example for the terminal")]
async fn main() -> std::io::Result<()> {
    let control = fake::Control::new();
    let empty = std::env::args().any(|argument| argument == "--empty");
    if empty {
        control.empty();
    }
    if std::env::args().any(|argument| argument == "--first-start") {
        control.forget_administrator();
    }
    let gateway = Router::new().route(
        "/googledrive/{*path}",
        get(|| async {
            ([("content-type", "application/json")], r#"[{"name":"report.pdf","size":5242880}]"#)
        }),
    );
    let gateway_listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let gateway_url = format!("http://{}", gateway_listener.local_addr()?);
    tokio::spawn(async move { axum::serve(gateway_listener, gateway).await });

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    let api = ControlApi::unbound();
    let now = EpochMillis::new(1_763_740_800_000);
    // Its database lives as long as this value.
    let real = match std::env::args().any(|argument| argument == "--real") {
        true => fake::Real::start(now).await,
        false => None,
    };
    match &real {
        Some(real) => api.bind(control.router_before(real)),
        None => api.bind(control.router()),
    }
    let console = pierhead_console::router(ConsoleParts {
        api,
        gateway_url,
        organization: "acme".into(),
        environment: "prod".into(),
        public_url: public_url.clone(),
        // The stand-in's contents are dated, so time stands still beside them.
        clock: Arc::new(StoppedClock::at(now)),
        rng: Arc::new(SystemRng),
        key: fake::lookup_key(7).map_err(std::io::Error::other)?,
    });
    println!("{public_url}/console");
    let root = Router::new()
        .route("/", get(|| async { Redirect::to("/console") }))
        .route("/vendor/consent", get(vendor_consent))
        .route("/vendor/decided", get(vendor_decided));
    axum::serve(listener, console.merge(root)).await
}

/// A vendor's consent page, as plain as can be.
async fn vendor_consent(Query(asked): Query<Asked>) -> Html<String> {
    let Asked { state, redirect_uri, .. } = asked;
    Html(format!(
        "<!doctype html><title>Vendor</title><h1>Allow access?</h1><form action=/vendor/decided>\
         <input type=hidden name=state value=\"{state}\"><input type=hidden name=redirect_uri value=\"{redirect_uri}\">\
         <button name=decision value=deny>Deny</button><button name=decision value=allow>Allow</button></form>"
    ))
}

async fn vendor_decided(Query(asked): Query<Asked>) -> Redirect {
    let answer = if asked.decision == "allow" { "code=good" } else { "error=access_denied" };
    Redirect::to(&format!("{}?{answer}&state={}", asked.redirect_uri, asked.state))
}

#[derive(serde::Deserialize)]
struct Asked {
    state: String,
    redirect_uri: String,
    #[serde(default)]
    decision: String,
}
