//! A browser without a screen, for the pages' tests: cookies, forms, and what a reader would see.

pub(crate) mod bundles;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use pierhead_domain::{EpochMillis, SeededRng, StoppedClock};
use tower::ServiceExt;

use crate::fake::{Control, Real};
use crate::{ConsoleParts, ControlApi};

/// 21 November 2025, 16:00 UTC.
const NOW: EpochMillis = EpochMillis::new(1_763_740_800_000);

pub(crate) struct Browser {
    router: Router,
    control: Control,
    cookies: Mutex<BTreeMap<String, String>>,
    /// Keeps the database of the real management service, when there is one.
    _real: Option<Real>,
}

pub(crate) struct Page {
    status: u16,
    headers: HeaderMap,
    pub(crate) text: String,
}

impl Browser {
    /// Somebody without a session.
    pub(crate) fn visitor() -> Self {
        let control = Control::new();
        Self::at(control.router(), control)
    }

    /// Ada before the real management service, which holds nothing yet.
    pub(crate) async fn before_management() -> (Self, Real) {
        let (control, real) = (Control::new(), Real::start(NOW).await.unwrap());
        let mut browser = Self::at(control.router_before(&real), control);
        browser._real = Some(real.clone());
        browser.log_in("ada@example.com").await;
        (browser, real)
    }

    fn at(services: Router, control: Control) -> Self {
        let api = ControlApi::unbound();
        api.bind(services);
        let router = crate::router(ConsoleParts {
            api,
            gateway_url: "http://127.0.0.1:1".into(),
            organization: "acme".into(),
            environment: "prod".into(),
            public_url: "http://127.0.0.1:8081/".into(),
            clock: Arc::new(StoppedClock::at(NOW)),
            rng: Arc::new(SeededRng::new(7)),
            key: crate::fake::lookup_key(7).unwrap(),
        });
        Self { router, control, cookies: Mutex::default(), _real: None }
    }

    /// Ada, an administrator.
    pub(crate) async fn signed_in() -> Self {
        let browser = Self::visitor();
        browser.log_in("ada@example.com").await;
        browser
    }

    /// Another browser at the same console, signed in as somebody else.
    pub(crate) async fn another_session(&self) -> Self {
        let other = Self {
            router: self.router.clone(),
            control: self.control.clone(),
            cookies: Mutex::default(),
            _real: None,
        };
        other.log_in("grace@example.com").await;
        other
    }

    async fn log_in(&self, email: &str) {
        let form = self.get("/console/login").await;
        let answer =
            self.submit(&form, "/console/login", &[("email", email), ("password", "Right-1!")]).await;
        assert_eq!(answer.redirect(), "/console");
    }

    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// The bytes at an address.
    pub(crate) async fn bytes(&self, path: &str) -> Vec<u8> {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        let jar = self.cookies.lock().unwrap().clone();
        let line = jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        request.headers_mut().insert(COOKIE, line.parse().unwrap());
        let response = self.router.clone().oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    /// Imports a bundle through the pages.
    pub(crate) async fn import(&self, zip: &[u8], name: &str, deploy: bool) {
        let form = self.get("/console/proxies/import").await;
        let to = self.upload(&form, "/console/proxies/import", "b.zip", zip).await;
        let at = to.redirect().to_owned();
        let report = self.get(&at).await;
        let typed = [("name", name), ("deploy", if deploy { "on" } else { "" })];
        self.submit(&report, &at, &typed).await.redirect();
    }

    /// Posts a form with the token that `page` holds.
    pub(crate) async fn submit(&self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = page.text.split("name=\"_csrf\" value=\"").nth(1).expect("the page has a form token");
        let token = token.split('"').next().unwrap();
        self.post(path, &[fields, &[("_csrf", token)]].concat()).await
    }

    /// Sends a file with the token that `page` holds.
    pub(crate) async fn upload(&self, page: &Page, path: &str, file: &str, bytes: &[u8]) -> Page {
        let token = page.text.split("name=\"_csrf\" value=\"").nth(1).expect("the page has a form token");
        let token = token.split('"').next().unwrap();
        self.upload_with(token, path, file, bytes).await
    }

    /// Sends a file with a token of the test's own.
    pub(crate) async fn upload_with(&self, token: &str, path: &str, file: &str, bytes: &[u8]) -> Page {
        let head = format!(
            "--x\r\nContent-Disposition: form-data; name=\"_csrf\"\r\n\r\n{token}\r\n--x\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{file}\"\r\n\r\n"
        );
        let body = [head.as_bytes(), bytes, b"\r\n--x--\r\n"].concat();
        let request = Request::post(path).header(CONTENT_TYPE, "multipart/form-data; boundary=x");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Posts a form as it is.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn send(&self, mut request: Request<Body>) -> Page {
        let jar = self.cookies.lock().unwrap().clone();
        let line = jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        request.headers_mut().insert(COOKIE, line.parse().unwrap());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for line in parts.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let mut jar = self.cookies.lock().unwrap();
            match line.contains("Max-Age=0") {
                true => jar.remove(name),
                false => jar.insert(name.into(), value.into()),
            };
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Page { status: parts.status.as_u16(), headers: parts.headers, text }
    }
}

impl Page {
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn has(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "no {text:?} in {}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn has_not(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} in {}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn in_order(&self, texts: &[&str]) {
        let mut rest = self.text.as_str();
        for text in texts {
            rest = rest.split_once(text).unwrap_or_else(|| panic!("{text:?} not in order")).1;
        }
    }

    #[track_caller]
    pub(crate) fn redirect(&self) -> &str {
        assert!((300..400).contains(&self.status), "{} {}", self.status, self.text);
        self.headers[LOCATION].to_str().unwrap()
    }

    /// The fields of the form with this `data-form`, as a browser would send them when nobody touched them.
    pub(crate) fn typed(&self, form: &str) -> Vec<(String, String)> {
        let form = self.text.split_once(&format!("data-form=\"{form}\"")).expect("the page has the form").1;
        let form = form.split_once("</form>").unwrap().0;
        let mut fields = Vec::new();
        let attribute = |tag: &str, name: &str| {
            let value = tag.split_once(&format!(" {name}=\""))?.1.split_once('"')?.0;
            Some(
                value
                    .replace("&#34;", "\"")
                    .replace("&#39;", "'")
                    .replace("&#60;", "<")
                    .replace("&#62;", ">")
                    .replace("&#38;", "&"),
            )
        };
        let mut select = None;
        for tag in form.split('<').map(|tag| tag.split('>').next().unwrap_or_default()) {
            let name = attribute(tag, "name");
            let value = || attribute(tag, "value").unwrap_or_default();
            match tag.split([' ', '\n']).next().unwrap_or_default() {
                "input" => {
                    let unticked = tag.contains("type=\"checkbox\"") && !tag.contains(" checked");
                    fields
                        .extend(name.filter(|name| !unticked && name != "_csrf").map(|name| (name, value())));
                }
                "select" => {
                    fields.push((name.unwrap_or_default(), String::new()));
                    select = Some(true);
                }
                "/select" => select = None,
                // The first option, unless another one is selected.
                "option" if select == Some(true) || (select.is_some() && tag.ends_with(" selected")) => {
                    fields.last_mut().unwrap().1 = value();
                    select = Some(false);
                }
                _ => {}
            }
        }
        fields
    }

    /// What the page says went wrong.
    pub(crate) fn said(&self) -> String {
        let notice = self.text.split("role=\"alert\">").nth(1).unwrap_or_default();
        let list = self.text.split("id=\"problems\"").nth(1).and_then(|rest| rest.split("</ol>").next());
        format!(
            "{} {} {}",
            self.status,
            notice.split("</div>").next().unwrap_or_default(),
            list.unwrap_or_default()
        )
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[tokio::test]
async fn every_answer_carries_the_guards() {
    let browser = Browser::signed_in().await;
    for path in ["/console", "/console/login", "/console/nowhere", "/console/instances/501"] {
        let page = browser.get(path).await;
        assert!(page.header("content-security-policy").contains("script-src 'self'"), "{path}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("cache-control"), "no-store");
        page.has_not(" onclick=").has_not("<style").has_not(" style=\"").has_not("<script>");
    }
}

#[tokio::test]
async fn no_link_of_the_navigation_is_dead() {
    let browser = Browser::signed_in().await;
    let page = browser.get("/console").await;
    let mut seen = 0;
    for link in page.text.split("href=\"").skip(1) {
        let href = link.split('"').next().unwrap().replace("&#38;", "&");
        if href.starts_with("/console") {
            browser.get(&href).await.expect(200);
            seen += 1;
        }
    }
    assert!(seen > 12, "{seen}");
}

#[tokio::test]
async fn no_page_weighs_more_than_60_kb_with_its_assets() {
    let browser = Browser::signed_in().await;
    for path in ["/console", "/console/proxies/Googledrive", "/console/instances", "/console/providers/new"] {
        let page = browser.get(path).await;
        let links = page.text.split("\"/console/assets/").skip(1);
        let names: std::collections::BTreeSet<_> =
            links.map(|link| link.split(['"', '#']).next().unwrap()).collect();
        let mut total = page.text.len();
        for name in &names {
            total += browser.get(&format!("/console/assets/{name}")).await.expect(200).text.len();
        }
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(total < 60 * 1024, "{path} has {total} bytes, {} of them its own", page.text.len());
    }
}
