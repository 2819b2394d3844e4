//! Where a server answers.

use crate::{ADMIN_EMAIL, ADMIN_PASSWORD, Admin, Client};

/// The addresses of a running server, in this process or another, and a client for it.
#[derive(Debug, Clone)]
pub struct Site {
    gateway: String,
    control: String,
    /// A client for plain requests.
    pub client: Client,
}

impl Site {
    /// A server by the bases of its two listeners, such as `http://127.0.0.1:8080`.
    pub fn new(gateway: impl Into<String>, control: impl Into<String>) -> Self {
        Self { gateway: gateway.into(), control: control.into(), client: Client::default() }
    }

    /// An address on the gateway listener.
    pub fn gateway(&self, path: &str) -> String {
        format!("{}{path}", self.gateway)
    }

    /// An address on the control listener.
    pub fn control(&self, path: &str) -> String {
        format!("{}{path}", self.control)
    }

    /// An address below the hub's prefix.
    pub fn hub(&self, path: &str) -> String {
        self.control(&format!("/elements/api-v2{path}"))
    }

    /// An address below the management API's prefix.
    pub fn management(&self, path: &str) -> String {
        self.control(&format!("/apiportal/api/1.0/Management.svc{path}"))
    }

    /// The administrator, logged in, with both secrets.
    pub async fn admin(&self) -> Admin {
        self.log_in(ADMIN_EMAIL, ADMIN_PASSWORD).await
    }

    /// Somebody, logged in, with both secrets.
    pub async fn log_in(&self, email: &str, password: &str) -> Admin {
        Admin::log_in(self.clone(), email, password).await
    }
}
