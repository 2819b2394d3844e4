//! Certificates made for one test, and a TLS client that speaks bytes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use figment::value::{Dict, Value};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::RawAnswer;

/// A server that says nothing for so long has failed the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// A certificate authority of one test.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// The chain.
    pub chain: String,
    /// The key, PKCS #8.
    pub key: String,
}

impl Authority {
    /// A new one of this common name.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server's certificate for these host names.
    pub fn server(&self, names: &[&str]) -> Leaf {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// A client's certificate; attributes from the widest to the most specific. It ends `until`.
    pub fn client(&self, subject: &[(DnType, &str)], until: time::OffsetDateTime) -> Leaf {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in subject {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.serial_number = Some(vec![0x0a, 0xb1, 0x5a].into());
        params.not_after = until;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf { chain: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Leaf {
    /// Writes both files as `<name>.pem` and `<name>.key`.
    pub fn write(&self, folder: &Path, name: &str) {
        std::fs::write(folder.join(format!("{name}.pem")), &self.chain).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), &self.key).unwrap();
    }
}

/// The value of a setting `gateway.tls` or `control.tls`: one listener on a free port, with certificates that
/// were written into `folder` under these names, and more settings.
pub fn tls_setting(folder: &Path, names: &[&str], more: &[(&str, &str)]) -> Value {
    let file =
        |name: &str, kind: &str| Value::from(folder.join(format!("{name}.{kind}")).display().to_string());
    let certificates: Vec<Value> = names
        .iter()
        .map(|name| {
            let pair = [("chain".to_owned(), file(name, "pem")), ("key".to_owned(), file(name, "key"))];
            Value::from(Dict::from(pair))
        })
        .collect();
    let mut listener = Dict::from([
        ("listen".to_owned(), Value::from("127.0.0.1:0")),
        ("certificates".to_owned(), Value::from(certificates)),
    ]);
    listener.extend(more.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))));
    vec![Value::from(listener)].into()
}

/// How a client of a test speaks TLS.
pub struct TlsClient {
    config: ClientConfig,
}

impl TlsClient {
    /// One that trusts `authority` and offers these protocols.
    pub fn new(authority: &Authority, client: Option<&Leaf>, protocols: &[&str]) -> Self {
        Self::of_versions(authority, client, protocols, rustls::ALL_VERSIONS)
    }

    /// The same with these versions only.
    pub fn of_versions(
        authority: &Authority,
        client: Option<&Leaf>,
        protocols: &[&str],
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match client {
            None => builder.with_no_client_auth(),
            Some(leaf) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(leaf.chain.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { config }
    }

    /// Connects, asking for `host`.
    ///
    /// # Errors
    /// When the handshake fails.
    pub async fn connect(&self, to: SocketAddr, host: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(to).await?;
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let connector = TlsConnector::from(Arc::new(self.config.clone()));
        tokio::time::timeout(PATIENCE, connector.connect(name, stream)).await.expect("a handshake in time")
    }

    /// One GET on a connection of its own.
    ///
    /// # Errors
    /// When there is no connection, or the server ends it before it answers.
    pub async fn get(&self, to: SocketAddr, host: &str, path: &str) -> std::io::Result<RawAnswer> {
        let mut stream = self.connect(to, host).await?;
        ask(&mut stream, host, path, "Connection: close\r\n").await?;
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an answer in time")?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(RawAnswer { status: status.ok_or_else(|| std::io::Error::other("no answer"))?, text })
    }
}

/// Sends a GET with more header lines.
///
/// # Errors
/// When the connection is gone.
pub async fn ask(
    stream: &mut TlsStream<TcpStream>,
    host: &str,
    path: &str,
    headers: &str,
) -> std::io::Result<()> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await
}
